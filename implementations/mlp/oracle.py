"""The oracle: the NumPy implementation in float64, made to repeat a step that another implementation has done.

No formula of its own. It is given the dropout masks that were drawn elsewhere, and can take the other side of a ReLU
whose input is zero to within rounding, where two correct implementations may differ.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from implementations.contract import Arrays
from implementations.mlp import mlp_numpy
from implementations.mlp.spec import MLPSpec


class Oracle(mlp_numpy.MLP):
    """`implementations.contract.Oracle` for the multilayer perceptron."""

    def __init__(self, spec: MLPSpec, dtype: Any = np.float64) -> None:
        super().__init__(spec, dtype=dtype)
        self.given_masks: Mapping[str, np.ndarray] = {}
        self.flips: Mapping[str, np.ndarray] = {}
        self.relu_inputs: Arrays = {}

    def in_precision(self, precision: str) -> "Oracle":
        """The same formulas in another number type: what rounding does to them."""
        return type(self)(self.spec, dtype=precision)

    def repeat_step(
        self,
        x: np.ndarray,
        y: np.ndarray,
        masks: Mapping[str, np.ndarray],
        flips: Mapping[str, np.ndarray] | None = None,
    ) -> Any:
        """A training step with the given masks; returns the loss."""
        self.given_masks, self.flips, self.relu_inputs = masks, flips or {}, {}
        return self.train_step(np.asarray(x, self.dtype), y)

    def activate(self, i: int, n: np.ndarray) -> np.ndarray:
        """ReLU; where a flip is asked for, on the other side of zero."""
        name = f"relu{i}"
        self.relu_inputs[name] = n
        return super().activate(i, np.where(self.flips[name], -n, n) if name in self.flips else n)

    def mask(self, i: int, shape: tuple[int, ...]) -> np.ndarray:
        """The mask that was handed in."""
        return self.given_masks[f"dropout{i}.mask"].astype(self.dtype)

    def kinks(self) -> Arrays:
        """Inputs of the ReLUs in the last step, (B, H) each; a unit that dropout silenced does not count."""
        silenced = {
            name.replace("dropout", "relu").removesuffix(".mask"): m == 0 for name, m in self.given_masks.items()
        }
        return {name: np.where(silenced.get(name, False), np.inf, n) for name, n in self.relu_inputs.items()}

    def sample_losses(self, logits: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Softmax cross-entropy of every sample."""
        return mlp_numpy.cross_entropy(np.asarray(logits, self.dtype), y)[0]
