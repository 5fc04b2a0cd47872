"""A model and a start for which rounding decides on which side of zero the input of a ReLU is."""

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from implementations.equivalence.kit import Kit
from implementations.equivalence.repetition import Start
from implementations.layers.activation import relu_numpy as relu
from implementations.mlp import mlp_numpy
from implementations.mlp.spec import MLPSpec


class Leaning(mlp_numpy.MLP):
    """Equal to NumPy, but for ReLUs: an input that is off by this much decides on which side one is."""

    LEANING = 0.0

    def through(self, name: str, layer: ModuleType, *inputs: Any) -> Any:
        if layer is not relu:
            return super().through(name, layer, *inputs)
        (n,) = inputs
        a = np.where(n + self.LEANING > 0, np.maximum(n, np.asarray(1e-30, n.dtype)), np.zeros_like(n))
        if self.passing is not None:
            self.passing[name] = a > 0
        return a


def leaning(by: float) -> type[Leaning]:
    return type("Leaning", (Leaning,), {"LEANING": by})


def at_zero(kit: Kit, spec: MLPSpec, by: float, nearer: int = 0) -> Start:
    """A start at which one unit's input, for one sample, is `by` below zero; of so many other units, nearer to zero and above it."""
    start = kit.starts(spec)[1]
    model = kit.oracle_class(spec)
    model.load_state(start.state)
    model.repeat_step(start.batch, {})
    branch = model.branches()["relu1"]
    largest = np.where(branch.choice, branch.lead, -branch.lead).max(axis=0)
    state = {name: value.copy() for name, value in start.state.items()}
    state["norm1.beta"][5] -= largest[5] + by
    others = slice(6, 6 + nearer)
    state["norm1.beta"][others] -= largest[others] - by / 2
    return replace(start, state=state)
