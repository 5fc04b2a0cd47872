"""A recurrent layer in PyTorch: the loop over time is inside of `nn.LSTM`, `nn.GRU` and `nn.RNN`."""

from typing import cast

import torch
from torch import nn

from implementations.layers import kernels_torch as kernels

# --- forward ---


def forward(layer: nn.RNNBase, x: torch.Tensor) -> torch.Tensor:
    """States h (B, T, H) after every step of x (B, T, D). What is remembered begins with zeros."""
    states, _ = layer(x)
    return cast(torch.Tensor, states)


# --- backward ---

# Autograd walks back through time: the gradients of the weights are sums over all steps.

# --- last state ---


def last(states: torch.Tensor) -> torch.Tensor:
    """The state after the last step (B, H), of states (B, T, H)."""
    return states[:, -1]


# --- kernels ---

WHOLE_LOOPS = {
    "aten.mkldnn_rnn_layer": "oneDNN's whole loop",
    "aten._cudnn_rnn": "cuDNN's whole loop",
    "aten.miopen_rnn": "MIOpen's whole loop",
}
"""PyTorch's operation -> whose it is."""


def kernel(layer: nn.RNNBase) -> str:
    """What PyTorch computes the layer with."""
    x = layer.weight_ih_l0.new_zeros(1, 2, layer.input_size)
    return kernels.of(lambda: layer(x), WHOLE_LOOPS, "ATen's loop of single operations")


# --- layout ---

NAMES = {
    "weight": "weight_ih_l0", "recurrent_weight": "weight_hh_l0", "bias": "bias_ih_l0", "recurrent_bias": "bias_hh_l0",
}  # fmt: skip
"""The specification's name of each tensor -> PyTorch's."""


def with_one_bias(layer: nn.RNNBase) -> nn.RNNBase:
    """PyTorch adds two biases. Both trained, they would move twice as far as one: so the second is zero and stays it."""
    nn.init.zeros_(layer.bias_hh_l0).requires_grad_(False)
    return layer


def to_spec(attribute: str, value: torch.Tensor) -> torch.Tensor:
    """A tensor, or a slot of it, as the specification has it: weights (in, out), where PyTorch has (out, in)."""
    return value.T if value.ndim == 2 else value


def from_spec(attribute: str, value: torch.Tensor) -> torch.Tensor:
    """The way back."""
    return value.T if value.ndim == 2 else value


def ones_as_states(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Ones (B, T, H) that lie in memory as the states do, with time first: in that order dropout draws what it keeps."""
    batch, length, width = shape
    return torch.ones(length, batch, width, dtype=dtype, device=device).transpose(0, 1)
