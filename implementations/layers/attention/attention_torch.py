"""Self-attention with several heads in PyTorch (Vaswani et al. 2017): scores, softmax, dropout and means are one call."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional

from implementations.layers import kernels_torch as kernels
from implementations.layers.dense import dense_torch as dense

# --- forward ---


class Attention(nn.Module):
    """o (B, T, E) of n (B, T, E)."""

    def __init__(self, width: int, heads: int, causal: bool, rate: float) -> None:
        super().__init__()
        self.heads, self.causal, self.rate = heads, causal, rate
        self.query, self.key, self.value, self.mixed = (dense.layer(width, width, bias=False) for _ in range(4))

    def forward(self, n: torch.Tensor) -> torch.Tensor:
        """Dropout, of the weights behind the softmax, is an argument: evaluation mode does not switch it off by itself."""
        q, k, v = (split(projection(n), self.heads) for projection in (self.query, self.key, self.value))
        rate = self.rate if self.training else 0.0
        o = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal, dropout_p=rate)
        return self.mixed(joined(o))


def layer(width: int, heads: int, causal: bool, rate: float) -> Attention:
    """A layer of `heads` heads; `causal`: a position sees only itself and those before it."""
    return Attention(width, heads, causal, rate)


def mask(attention: Attention, ones: torch.Tensor) -> torch.Tensor:
    """Dropout's (B, H, T, T), as PyTorch draws it inside of its call."""
    return functional.dropout(ones, attention.rate)


# --- backward ---

# Autograd: dS = P (dP - sum(dP P)), inside of the same kernel.


# --- heads ---


def split(a: torch.Tensor, heads: int) -> torch.Tensor:
    """(B, T, E) -> (B, H, T, E/H): each head's part of every position."""
    return a.unflatten(-1, (heads, -1)).transpose(1, 2)


def joined(a: torch.Tensor) -> torch.Tensor:
    """The way back."""
    return a.transpose(1, 2).flatten(-2)


# --- kernels ---

KERNELS = {
    "aten._scaled_dot_product_flash_attention_for_cpu": "flash attention",
    "aten._scaled_dot_product_flash_attention": "flash attention",
    "aten._scaled_dot_product_efficient_attention": "memory-efficient attention",
    "aten._scaled_dot_product_cudnn_attention": "cuDNN's attention",
}
"""PyTorch's operation -> what it is."""


def kernel(attention: Attention, length: int) -> str:
    """What PyTorch computes attention of so many positions with; in a prediction, where nothing is dropped, maybe something else."""
    n = attention.query.weight.new_zeros(1, length, attention.query.in_features)
    was, found = attention.training, list[str]()
    with torch.random.fork_rng([n.device] if n.is_cuda else []):  # where something is dropped, the generator would move
        for training in (True, False):
            found.append(kernels.of(partial(attention.train(training), n), KERNELS, "ATen's single operations"))
    attention.train(was)
    return found[0] if found[0] == found[1] else f"{found[0]} in training, {found[1]} in prediction"


# --- layout ---

NAMES = {name: f"{name}.weight" for name in ("query", "key", "value", "mixed")}
"""The specification's name of each tensor -> PyTorch's."""


def to_spec(attribute: str, value: torch.Tensor) -> torch.Tensor:
    """A tensor, or a slot of it, as the specification has it: (in, out), where PyTorch has (out, in)."""
    return value.T


def from_spec(attribute: str, value: torch.Tensor) -> torch.Tensor:
    """The way back."""
    return value.T
