"""TF32 and bfloat16, labelled: NumPy with emulated products, and PyTorch's own bfloat16 on the CPU (autocast).

Models that say which of their ReLUs pass (`contract.ShowsActiveUnits`): in so coarse an arithmetic the oracle adopts
hundreds of sides. `python -m tests.prove.coarse numpy tf32` prints one JSON line per shape.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from implementations.contract import Arrays
from implementations.equivalence import rounding
from implementations.equivalence.kit import Kit
from implementations.mlp.mlp_numpy import MLP
from implementations.mlp.spec import MLPSpec
from tests import adapters
from tests.prove.study import SHAPES, SMALLEST, summed_up, tell

CANDIDATES = (("numpy", "tf32"), ("numpy", "bfloat16"), ("torch", "bfloat16"))


class EmulatedMLP(MLP):
    """The NumPy implementation with products that round as a tensor core's do."""

    ARRAY: type[np.ndarray] = np.ndarray

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Parameters of the emulating kind; what is computed with them is of it too."""
        super().load_state(state)
        self.w = {name: value.view(self.ARRAY) for name, value in self.w.items()}

    def active_units(self, x: np.ndarray) -> Arrays:
        """From a forward pass whose traces are removed again."""
        state = self.state()
        _, cache = self.forward(x)
        self.load_state(state)
        return {f"relu{i}": np.asarray(layer[3]) > 0 for i, layer in enumerate(cache[:-1], start=1)}


def emulated(precision: str) -> type[EmulatedMLP]:
    """The class for a precision."""
    return type("EmulatedMLP", (EmulatedMLP,), {"ARRAY": rounding.arithmetic(precision)})


def autocast() -> Any:
    """PyTorch's implementation under automatic mixed precision."""
    import torch

    from implementations.mlp import mlp_torch

    class AutocastMLP(mlp_torch.MLP):
        def train_step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return super().train_step(x, y).float()

        def predict(self, x: torch.Tensor) -> torch.Tensor:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return super().predict(x).float()

        def active_units(self, x: torch.Tensor) -> Arrays:
            seen: Arrays = {}
            hooks = [
                self.network.get_submodule(f"relu{i}").register_forward_hook(
                    lambda module, inputs, output, i=i: seen.update({f"relu{i}": (output > 0).numpy(force=True)})
                )
                for i in range(1, len(self.spec.hidden) + 1)
            ]
            state = self.state()
            self.network.train()
            with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
                self.network(x)
            for hook in hooks:
                hook.remove()
            self.load_state(state)
            return seen

    return AutocastMLP


def main(framework: str, precision: str) -> None:
    """Every shape, from a hot state and from zeroed slots."""
    kit = Kit("mlp", framework, adapters.prepared(framework), "cpu")
    kit.model_class = emulated(precision) if framework == "numpy" else autocast()
    for shape, changes in SHAPES.items():
        if framework == "torch" and shape == SMALLEST:
            continue  # autocast rounds biases too, which the emulation does not do; it counts beside 2 or 3 terms only
        spec = MLPSpec().changed(**changes)
        candidate = replace(kit.candidate(spec), precision=precision)
        tell("shape", framework, precision, shape=shape, **summed_up(kit.steps(candidate, kit.starts(spec))))


if __name__ == "__main__":
    main(*sys.argv[1:])
