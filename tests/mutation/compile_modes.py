"""Dropout by replay, eager and compiled: the same implementations under other ways to run them.

A compiler may draw other numbers than eager code from the same state of a generator, so the masks are drawn by something
that is compiled in the same way. `python -m tests.mutation.compile_modes keras-tensorflow xla` prints one JSON line.
"""

import sys
from functools import partial
from typing import Any

from implementations.equivalence.kit import Kit
from implementations.mlp.spec import MLPSpec
from tests.mutation.false_alarms import summed_up, tell
from tests.support import adapters

CANDIDATES = (
    ("torch", "torch.compile"),
    ("keras-tensorflow", "eager"),
    ("keras-tensorflow", "XLA"),
    ("keras-torch", "eager"),
    ("keras-jax", "eager"),
)
SPEC = {"features": 24, "hidden": (32, 32, 16), "batch": 32, "dropout": 0.25}
"""Three dropout layers: with one alone, an order could not be wrong."""


def keras_model(how: str) -> Any:
    """Keras's implementation, its network compiled once more in this way."""
    from implementations.layers.dropout import dropout_keras as dropout
    from implementations.layers.loss import cross_entropy_keras as cross_entropy
    from implementations.mlp import mlp_keras

    class Model(mlp_keras.MLP):
        def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
            super().__init__(spec, device)
            options: dict[str, Any] = {"run_eagerly": True} if how == "eager" else {"jit_compile": True}
            self.network.compile(optimizer=self.optimizer, loss=cross_entropy.loss(), **options)
            self.drawers = {
                name: self.compiled_as_step(partial(dropout.mask, layer)) for name, layer in self.dropouts.items()
            }

        def compiled_as_step(self, draw: Any) -> Any:
            return draw if how == "eager" else super().compiled_as_step(draw)

    return Model


def torch_model() -> Any:
    """PyTorch's implementation, its forward pass compiled with the masks as a further output.

    A mask that is drawn in a graph of its own is another one than the step's, from the same state of the generator.
    """
    import torch
    from torch import nn

    from implementations.mlp import mlp_torch

    class Model(mlp_torch.MLP):
        def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
            super().__init__(spec, device)
            torch._dynamo.reset()
            self.modules_in_order = list(self.network)
            self.compiled_forward = torch.compile(self.with_masks, dynamic=False)
            self.network.forward = lambda x: self.compiled_forward(x)[0]

        def with_masks(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
            masks = []
            for layer in self.modules_in_order:
                if isinstance(layer, nn.Dropout):
                    masks.append(layer(torch.ones_like(x)))
                    x = x * masks[-1]
                else:
                    x = layer(x)
            return x, masks

        def draw_masks(self, batch: int) -> Any:
            self.network.train()
            kept = {name: buffer.clone() for name, buffer in self.network.named_buffers()}
            _, masks = self.compiled_forward(torch.zeros(batch, self.spec.features, dtype=self.dtype))
            for name, buffer in self.network.named_buffers():
                buffer.copy_(kept[name])
            return {n: mask.numpy(force=True) for n, mask in zip(self.spec.masks(batch), masks, strict=True)}

    return Model


def main(framework: str, how: str) -> None:
    """One step from each ordinary start."""
    kit = Kit("mlp", framework, adapters.prepared(framework), "cpu")
    kit.model_class = torch_model() if framework == "torch" else keras_model(how)
    spec = MLPSpec().changed(**SPEC)
    checks = kit.steps(kit.candidate(spec), [start for seed in (1, 2, 3) for start in kit.starts(spec, seed)])
    tell("compiled", framework, "float32", "mlp", how=how, **summed_up(checks))


if __name__ == "__main__":
    main(*sys.argv[1:])
