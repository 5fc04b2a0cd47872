"""The oracle: the NumPy implementation in float64, made to repeat a step that another implementation has done.

It is given the dropout masks that were drawn elsewhere, and can be told on which side of its kink each ReLU is: where its
input is zero to within rounding, two correct implementations may differ. Its one formula of its own is the optimizer's
last line, for parameters that are to follow from a candidate's own slots.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from implementations.contract import Arrays
from implementations.mlp import mlp_numpy
from implementations.mlp.spec import MLPSpec

JUST_ABOVE_ZERO = 1e-30
"""What a unit passes on that is made to be active although its input is not above zero."""


class Magnitude(np.ndarray):
    """Sizes of terms: a difference of two is their sum."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **options: Any) -> Any:
        """NumPy's operation, with + for -."""
        plain = [np.asarray(value) if isinstance(value, Magnitude) else value for value in inputs]
        if out:
            options["out"] = tuple(np.asarray(value) for value in out)
        result = getattr(np.add if ufunc is np.subtract else ufunc, method)(*plain, **options)
        return out[0] if out else np.asarray(result).view(Magnitude)


class Oracle(mlp_numpy.MLP):
    """`implementations.contract.Oracle` for the multilayer perceptron.

    `array` is a subclass of NumPy's array that parameters and inputs are to be of, for arithmetic that NumPy has not.
    """

    def __init__(self, spec: MLPSpec, dtype: Any = np.float64, array: type[np.ndarray] = np.ndarray) -> None:
        super().__init__(spec, dtype=dtype)
        self.array = array
        self.given_masks: Mapping[str, np.ndarray] = {}
        self.active: Mapping[str, np.ndarray] = {}
        self.relu_inputs: Arrays = {}
        self.shifts: dict[int, np.ndarray] = {}
        self.measured: Arrays | None = None
        self.labels = np.zeros(0, np.int64)

    def in_arithmetic(self, dtype: Any, array: type[np.ndarray] = np.ndarray) -> "Oracle":
        """The same formulas in another number type or arithmetic: what rounding does to them."""
        return type(self)(self.spec, dtype, array)

    def repeat_step(
        self,
        x: np.ndarray,
        y: np.ndarray,
        masks: Mapping[str, np.ndarray],
        active: Mapping[str, np.ndarray] | None = None,
    ) -> Any:
        """A training step with the given masks and, where they are given, just these units active; returns the loss."""
        self.given_masks, self.active, self.relu_inputs, self.labels = masks, active or {}, {}, y
        return self.train_step(self._own(x), y)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Logits (B, C) with running statistics and without dropout."""
        return super().predict(self._own(x))

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays, in this oracle's arithmetic."""
        super().load_state(state)
        self.w = {name: value.view(self.array) for name, value in self.w.items()}

    def _own(self, array: np.ndarray) -> np.ndarray:
        return np.asarray(array, self.dtype).view(self.array)

    def _update_statistics(self, i: int, mean: np.ndarray, variance: np.ndarray, batch: int) -> None:
        """Also: by how much batch norm shifts its inputs, in units of what comes out, (H,)."""
        self.shifts[i] = np.asarray(self.w[f"norm{i}.gamma"] * mean / np.sqrt(variance + self.spec.norm_epsilon))
        super()._update_statistics(i, mean, variance, batch)

    def _folded(self, n: np.ndarray, shift: np.ndarray, noise: Any) -> np.ndarray:
        """n, off by what rounding does to a z where batch norm is a z + (beta - a mean), a = gamma / std.

        Many frameworks compute it so. Far from zero a z is much larger than what the shift leaves of it.
        """
        moved = np.array(np.broadcast_to(shift, n.shape), n.dtype)
        off = moved.copy()
        noise.on(off)
        return n + (off - moved)

    def activate(self, i: int, n: np.ndarray) -> np.ndarray:
        """ReLU; where the active units are given, with those. Random rounding may ask for that of a folded batch norm."""
        noise = getattr(self.array, "NOISE", None)
        if noise and noise.folded and i in self.shifts:
            n = self._folded(n, self.shifts[i], noise)
        name = f"relu{i}"
        self.relu_inputs[name] = np.array(n)
        if name not in self.active:
            return super().activate(i, n)
        above = np.maximum(n, np.asarray(JUST_ABOVE_ZERO, n.dtype))
        return np.where(self.active[name] | np.isnan(n), above, np.zeros_like(n)).view(self.array)

    def mask(self, i: int, shape: tuple[int, ...]) -> np.ndarray:
        """The mask that was handed in."""
        return self._own(self.given_masks[f"dropout{i}.mask"])

    def kinks(self) -> Arrays:
        """Inputs of the ReLUs in the last step, (B, H) each; a unit that dropout silenced does not count."""
        silenced = {
            name.replace("dropout", "relu").removesuffix(".mask"): m == 0 for name, m in self.given_masks.items()
        }
        return {name: np.where(silenced.get(name, False), np.inf, n) for name, n in self.relu_inputs.items()}

    def sample_losses(self, logits: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Softmax cross-entropy of every sample."""
        return mlp_numpy.cross_entropy(np.asarray(logits, self.dtype), y)[0]

    def slot_terms(
        self, x: np.ndarray, y: np.ndarray, masks: Mapping[str, np.ndarray], active: Mapping[str, np.ndarray]
    ) -> Arrays:
        """By slot, after such a step: the sum of the sizes of the terms that it is made of, element by element.

        A gradient can be zero in theory, and rounding in practice: that of a weight whose scale batch norm takes out
        again. The rounding is in proportion to this.
        """
        self.measured = {}
        self.repeat_step(x, y, masks, active)
        found, self.measured = self.measured, None
        return found

    def backward(self, dlogits: np.ndarray, cache: list[Any]) -> Arrays:
        """Gradients by parameter name; when they are to be measured, the same with every minus a plus before that."""
        if self.measured is not None:
            sizes = np.array(dlogits)
            sizes[np.arange(len(sizes)), self.labels] += 2 / len(sizes)  # P + 1 instead of P - 1
            shadow = mlp_numpy.MLP(self.spec, dtype=self.dtype)
            shadow.step, shadow.w = self.step, {name: _size(value) for name, value in self.w.items()}
            layers = [tuple(_size(part) for part in layer) for layer in cache[:-1]]
            shadow.update(shadow.backward(sizes.view(Magnitude), [*layers, _size(cache[-1])]))
            self.measured = {name: np.asarray(value) for name, value in shadow.w.items() if ":" in name}
        return super().backward(dlogits, cache)

    def parameters_from_slots(
        self, before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]
    ) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """What the parameters must be given the slots after the step, by name.

        (value, sum of the sizes of its terms, what the rounding of constants in double precision is in proportion to).
        Nothing but the optimizer's last line (see `mlp_numpy.sgd` and `adam`), element by element.
        """
        settings = self.spec.optimizer
        found = {}
        for name in [name for name, tensor in self.spec.tensors().items() if tensor.role == "parameter"]:
            w, decay, lost = np.asarray(before[name], np.float64), 0.0, 1.0
            if settings.kind == "sgd":
                if f"velocity:{name}" not in after:
                    continue  # without a slot the gradient is known from the change alone
                change = settings.learning_rate * np.asarray(after[f"velocity:{name}"], np.float64)
            else:
                step = float(after["step"])
                m, v = (np.asarray(after[f"{slot}:{name}"], np.float64) for slot in ("m", "v"))
                one, two = (-math.expm1(step * math.log(b)) if b else 1.0 for b in (settings.beta1, settings.beta2))
                epsilon = settings.epsilon * (math.sqrt(two) if settings.epsilon_form == "algorithm1" else 1)
                lost += 1 / one + 1 / two  # the digits that 1 - beta^t cancels
                change = settings.learning_rate * math.sqrt(two) / one * m / (np.sqrt(v) + epsilon)
                if settings.kind == "adamw" and name.endswith(".weight"):
                    decay = settings.learning_rate * settings.weight_decay
            found[name] = (w * (1 - decay) - change, np.abs(w) + np.abs(change), lost * np.abs(change))
        return found


def _size(value: Any) -> Any:
    return None if value is None else np.abs(np.asarray(value)).view(Magnitude)
