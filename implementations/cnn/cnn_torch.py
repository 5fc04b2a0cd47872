"""The convolutional network in PyTorch, as its documentation teaches it: `nn.Module` layers and `torch.optim`.

PyTorch does much of the network by itself; where it does, the heading stays and says so. Its images are (batch, channels, height,
width), in memory too. Shape letters: B batch, H and W height and width of an image, C channels, D width of a dense layer.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from implementations.contract import Arrays
from implementations.layers.activation import relu_torch as relu
from implementations.layers.batch_norm import batch_norm_torch as batch_norm
from implementations.layers.convolution import convolution_torch as convolution
from implementations.layers.dense import dense_torch as dense
from implementations.layers.dropout import dropout_torch as dropout
from implementations.layers.pooling import max_pool_torch as max_pool
from implementations.training.training_torch import Model

LAYERS = {
    "conv": convolution, "pool": max_pool, "dense": dense, "norm": batch_norm, "relu": relu, "dropout": dropout, "output": dense,
}  # fmt: skip
"""A layer's name without its number -> its file."""


class CNN(Model):
    """`implementations.contract.Model`."""

    layout = "NCHW; kernels OIHW, (out, in)"
    kinds: Mapping[str, Any] = LAYERS

    # --- forward ---

    def make_network(self) -> nn.Sequential:
        """All layers in the order in which images x (B, H, W, C) go through them; logits come out."""
        spec = self.spec
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if spec.channels:
            layers["channels_first"] = ChannelsFirst()
        width_in = spec.image[2]
        for i, width in zip(spec.convolutional_blocks, spec.channels, strict=True):
            layers[f"conv{i}"] = convolution.layer(width_in, width, bias=not spec.batch_norm)
            layers |= self.norm_and_relu(i, width, images=True)
            layers[f"pool{i}"] = max_pool.layer()
            width_in = width
        layers["flatten"] = self.flatten()
        width_in = spec.dense_inputs
        for i, width in zip(spec.dense_blocks, spec.hidden, strict=True):
            layers[f"dense{i}"] = dense.layer(width_in, width, bias=not spec.batch_norm)
            layers |= self.norm_and_relu(i, width, images=False)
            if spec.dropout:
                layers[f"dropout{i}"] = dropout.layer(spec.dropout)
            width_in = width
        layers["output"] = self.output(width_in)
        return nn.Sequential(layers)

    def norm_and_relu(self, i: int, width: int, images: bool) -> dict[str, nn.Module]:
        """What every block has behind its product."""
        spec, layers = self.spec, dict[str, nn.Module]()
        if spec.batch_norm:
            settings = width, spec.norm_epsilon, spec.norm_momentum, spec.running_variance
            layers[f"norm{i}"] = batch_norm.layer(*settings, images=images)
        return layers | {f"relu{i}": relu.layer()}

    # --- flatten ---

    def flatten(self) -> nn.Flatten:
        """Maps (B, C, H, W) -> rows (B, C H W), channel by channel: the weights behind it stand in this order here."""
        if self.spec.channels:
            height, width = (side >> self.spec.blocks_before for side in self.spec.image[:2])
            first = [*(f"dense{i}" for i in self.spec.dense_blocks), "output"][0]
            self.kinds = LAYERS | {first: BehindMaps(self.spec.channels[-1], height, width)}
        return nn.Flatten()

    # --- output ---

    def output(self, width: int) -> nn.Linear:
        """logits = h W^T + b: h (B, D) -> logits."""
        return dense.layer(width, self.spec.classes)

    # --- backward ---

    # Autograd recorded the forward pass and walks it back, from the last layer to the first: `loss.backward()`.

    # --- predict ---

    # The same layers in evaluation mode: with running statistics and without dropout.

    def choices(self, batch: Mapping[str, torch.Tensor]) -> Arrays:
        """Those of images as the specification has them: channels last."""
        return {
            name: np.moveaxis(side, 1, -1) if side.ndim == 4 else side for name, side in super().choices(batch).items()
        }

    def calls_of_steps(self) -> list[tuple[str, object, str]]:
        """With the steps of this network's own: (step, object, method)."""
        own = [(name, self.network.get_submodule(name), "forward") for name in ("flatten", "output")]
        return [*super().calls_of_steps(), *own]


class ChannelsFirst(nn.Module):
    """Images (B, H, W, C) -> (B, C, H, W), as `nn.Conv2d` takes them."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Moved in memory too. `.contiguous()` would move nothing where there is one channel: such a tensor counts as both."""
        return x.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)


class BehindMaps:
    """The dense layer behind maps (C, H, W), which PyTorch flattens channel by channel and the specification pixel by pixel."""

    NAMES, __name__ = dense.NAMES, dense.__name__

    def __init__(self, *maps: int) -> None:
        self.maps = maps

    def to_spec(self, attribute: str, value: torch.Tensor) -> torch.Tensor:
        """A tensor (out, C H W), or a slot of it, as the specification has it: (H W C, out)."""
        return value.reshape(-1, *self.maps).permute(2, 3, 1, 0).flatten(0, 2) if attribute == "weight" else value

    def from_spec(self, attribute: str, value: torch.Tensor) -> torch.Tensor:
        """The way back."""
        channels, *sides = self.maps
        return value.reshape(*sides, channels, -1).permute(3, 2, 0, 1).flatten(1) if attribute == "weight" else value
