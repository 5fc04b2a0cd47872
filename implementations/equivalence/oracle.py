"""The oracle of a model: its NumPy implementation in float64, made to repeat a step that another implementation has done.

It is given the dropout masks that were drawn elsewhere, and can be told what each branch chooses (a ReLU, a maximum): where
rounding decides, two correct implementations may differ.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any, cast

import numpy as np

from implementations.contract import Arrays, Batch, OracleClass
from implementations.declarations import Branch
from implementations.equivalence.array_functions import Computing, plain
from implementations.layers.clipping import clipping_numpy as clipping
from implementations.layers.loss import cross_entropy_numpy as cross_entropy
from implementations.training.training_numpy import Model


class Magnitude(Computing):
    """Sizes of terms: a difference of two is their sum, and what is negated keeps its size."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **options: Any) -> Any:
        """NumPy's operation, with + for -."""
        positive = {np.subtract: np.add, np.negative: np.positive}.get(ufunc, ufunc)
        if out:
            options["out"] = plain(out)
        result = getattr(positive, method)(*plain(inputs), **options)
        return out[0] if out else np.asarray(result).view(Magnitude)


def oracle_of(model_class: type[Model]) -> OracleClass:
    """`implementations.contract.Oracle` of a NumPy model."""
    return cast(OracleClass, type(f"{model_class.__name__}Oracle", (_Oracle, model_class), {"PLAIN": model_class}))


class _Oracle(Model):
    """`array` is a subclass of NumPy's array that parameters and inputs are to be of, for arithmetic that NumPy has not."""

    PLAIN: type[Model]

    def __init__(self, spec: Any, dtype: Any = np.float64, array: type[np.ndarray] = np.ndarray) -> None:
        super().__init__(spec, dtype=dtype)
        self.array = array
        self.given_masks: Mapping[str, np.ndarray] = {}
        self.given_choices: Mapping[str, np.ndarray] = {}
        self.chosen: dict[str, Branch] = {}
        self.caches_terms = False

    def in_arithmetic(self, dtype: Any, array: type[np.ndarray] = np.ndarray) -> "_Oracle":
        """The same formulas in another number type or arithmetic: what rounding does to them."""
        return type(self)(self.spec, dtype, array)

    def repeat_step(
        self, batch: Batch, masks: Mapping[str, np.ndarray], choices: Mapping[str, np.ndarray] | None = None
    ) -> Any:
        """A training step with the given masks and, where they are given, these choices; returns the loss."""
        self._given(masks, choices)
        return self.train_step(self._in_own_arithmetic(batch))

    def predict(self, batch: Batch) -> np.ndarray:
        """Logits, as the trained network predicts."""
        return super().predict(self._in_own_arithmetic(batch))

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays, in this oracle's arithmetic."""
        super().load_state(state)
        self.w = {name: value.view(self.array) for name, value in self.w.items()}

    def _given(self, masks: Mapping[str, np.ndarray], choices: Mapping[str, np.ndarray] | None) -> None:
        self.given_masks, self.given_choices, self.chosen = masks, choices or {}, {}

    def _in_own_arithmetic(self, batch: Batch) -> Batch:
        return {name: array if array.dtype.kind in "iu" else self._own(array) for name, array in batch.items()}

    def _own(self, array: np.ndarray) -> np.ndarray:
        return np.asarray(array, self.dtype).view(self.array)

    # What it does otherwise than the model

    def mask(self, name: str, shape: tuple[int, ...], rate: float) -> np.ndarray:
        """The mask that was handed in. What a branch chose does not matter where it silences that."""
        mask, after = np.asarray(self.given_masks[name]), self.spec.masks(shape[0])[name].after
        if after in self.chosen:
            branch = self.chosen[after]
            silenced = mask.reshape(branch.lead.shape) == 0
            self.chosen[after] = replace(branch, lead=np.where(silenced, np.inf, branch.lead))
        return self._own(mask)

    def through(self, name: str, layer: ModuleType, *inputs: Any) -> Any:
        """The layer's `forward`: with the given choices, rounded as a folded batch norm or with a cache of terms where that is asked."""
        if hasattr(layer, "forward_on"):
            x, *others = np.array(inputs[0]), *inputs[1:]
            choice = self.given_choices.get(name, layer.choice(x, *others))
            self.chosen[name] = Branch(choice, layer.runner_up(x, choice), layer.lead(x, choice))
            if name in self.given_choices:
                return layer.forward_on(*inputs, choice)
        result = layer.forward(*inputs)
        noise = getattr(self.array, "NOISE", None)
        if noise and noise.folded and hasattr(layer, "shift"):
            n, cache, *moments = result
            shift = np.asarray(layer.shift(inputs[1], *moments, inputs[3]))
            return _off_by_rounding(n, shift, noise), cache, *moments
        if self.caches_terms and hasattr(layer, "terms"):
            n, cache, mean, variance = result
            return n, layer.terms(cache, mean), mean, variance
        return result

    # What the proof asks it

    def branches(self) -> Mapping[str, Branch]:
        """What was chosen in the last step."""
        return self.chosen

    def sample_losses(self, logits: np.ndarray, batch: Batch) -> np.ndarray:
        """Softmax cross-entropy of every sample."""
        return cross_entropy.forward(np.asarray(logits, self.dtype), batch["y"])[0]

    def slot_terms(self, batch: Batch, masks: Mapping[str, np.ndarray], choices: Mapping[str, np.ndarray]) -> Arrays:
        """By slot, after such a step: the sum of the sizes of the terms that it is made of, element by element.

        A gradient can be zero in theory, and rounding in practice: that of a weight whose scale batch norm takes out
        again. The rounding is in proportion to this: the way back, with every minus a plus, from what was a difference forward.
        """
        norm = self.gradient_norm(batch, masks, choices) if self.spec.largest_norm else 0.0
        factor = self.spec.largest_norm / norm if norm > self.spec.largest_norm else 1.0
        self._given(masks, choices)
        self.caches_terms = True
        logits, caches = self.forward(self._in_own_arithmetic(batch))
        self.caches_terms = False
        _, p = cross_entropy.forward(logits, batch["y"])
        sizes = self.PLAIN(self.spec, dtype=self.dtype)
        sizes.step, sizes.w = self.step, {name: _size(value) for name, value in self.w.items()}
        terms = sizes.backward(cross_entropy.backward(_size(p), batch["y"]), _size(caches))
        sizes.update({name: factor * value for name, value in terms.items()})
        return {name: np.asarray(value) for name, value in sizes.w.items() if ":" in name}

    def gradient_norm(
        self, batch: Batch, masks: Mapping[str, np.ndarray], choices: Mapping[str, np.ndarray] | None = None
    ) -> float:
        """Of all gradients of such a step together, before they are clipped."""
        self._given(masks, choices)
        logits, caches = self.forward(self._in_own_arithmetic(batch))
        _, p = cross_entropy.forward(logits, batch["y"])
        return float(clipping.norm(self.backward(cross_entropy.backward(p, batch["y"]), caches)))


def _off_by_rounding(n: np.ndarray, shift: np.ndarray, noise: Any) -> np.ndarray:
    """n, off by what rounding does to a number as large as n before it was shifted."""
    moved = np.array(np.broadcast_to(shift, n.shape), n.dtype)
    off = moved.copy()
    noise.on(off)
    return n + (off - moved)


def _size(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_size, value))
    return None if value is None else np.abs(np.asarray(value)).view(Magnitude)
