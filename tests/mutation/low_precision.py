"""TF32 and bfloat16 on many shapes: NumPy with emulated products, and the frameworks' own bfloat16 on the CPU.

Models that say which of their ReLUs pass (`contract.ExtendedModel`): in so coarse an arithmetic the oracle adopts
hundreds of sides. `python -m tests.mutation.low_precision numpy tf32 mlp` prints one JSON line per shape.
"""

import sys
from collections.abc import Mapping
from typing import cast

import numpy as np

from implementations import registry
from implementations.catalogue import MODEL
from implementations.equivalence import rounding, tolerances
from implementations.training.training_numpy import Model
from tests.mutation.false_alarms import specification, summed_up, tell
from tests.support import adapters, cases

CANDIDATES = (
    ("numpy", "tf32"), ("numpy", "bfloat16"), ("torch", "bfloat16"), ("torch/tuned", "bfloat16"), ("jax", "bfloat16"),
    ("keras-torch", "bfloat16"), ("keras-jax", "bfloat16"),
)  # fmt: skip


class Emulated(Model):
    """A NumPy implementation with products that round as a tensor core's do."""

    ARRAY: type[np.ndarray] = np.ndarray

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Parameters of the emulating kind; what is computed with them is of it too."""
        super().load_state(state)
        self.w = {name: value.view(self.ARRAY) for name, value in self.w.items()}


def emulated(precision: str, model: type[Model]) -> type[Model]:
    """The class of a model for a precision."""
    return type("Emulated", (Emulated, model), {"ARRAY": rounding.arithmetic(precision)})


def main(implementation: str, precision: str, model: str = MODEL) -> None:
    """Every shape, from a hot state and from zeroed slots."""
    framework, _, mode = implementation.partition("/")
    if framework == "numpy":
        kit, page = adapters.kit(framework, model=model), registry.model_class(model, framework)
        kit.model_class = emulated(precision, cast(type[Model], page))
    else:
        kit = adapters.kit(framework, precision, mode or "plain", model)
    for shape, changes in cases.of(model).SHAPES.items():
        if framework != "numpy" and shape == cases.of(model).SMALLEST:
            continue  # the emulation does not round biases
        spec = specification(model, precision, changes)
        checks = kit.steps(kit.candidate(spec), kit.starts(spec))
        judged = [check for check in checks if check.group != tolerances.CERTIFIABLE]
        refused = len(checks) - len(judged)
        tell("shape", implementation, precision, model, shape=shape, **summed_up(judged), refused=refused)


if __name__ == "__main__":
    main(*sys.argv[1:])
