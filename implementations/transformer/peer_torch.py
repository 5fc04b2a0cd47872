"""Peers for the timings: the network and its training loop in PyTorch as nanoGPT and introductions write them, eager and compiled.

One matrix for queries, keys and values, biases in attention, the table of tokens tied to the output layer where both are of the same symbols,
PyTorch's own initial weights but for the tables, all decayed: not the specification's network, never proved, never ranked.
"""

from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from implementations.training import peer_torch as training
from implementations.transformer.spec import EXPANSION, TransformerSpec


class Attention(nn.Module):
    """o (B, T, E) of n (B, T, E)."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.spec, width = spec, spec.width
        self.qkv, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, n: torch.Tensor) -> torch.Tensor:
        """Scores, softmax and means in one call."""
        batch, length, width = n.shape
        q, k, v = (part.view(batch, length, self.spec.heads, -1).transpose(1, 2) for part in self.qkv(n).chunk(3, -1))
        rate = self.spec.attention_dropout if self.training else 0.0
        o = functional.scaled_dot_product_attention(q, k, v, is_causal=self.spec.causal, dropout_p=rate)
        return cast(torch.Tensor, self.mixed(o.transpose(1, 2).reshape(batch, length, width)))


class Block(nn.Module):
    """h + attention(norm(h)), then h + feed_forward(norm(h))."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        width, inner = spec.width, EXPANSION * spec.width
        self.attention = nn.Sequential(nn.LayerNorm(width), Attention(spec), nn.Dropout(spec.dropout))
        hidden = nn.Linear(width, inner), nn.GELU(approximate="tanh"), nn.Linear(inner, width)
        self.feed_forward = nn.Sequential(nn.LayerNorm(width), *hidden, nn.Dropout(spec.dropout))

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """Both branches."""
        h = h + self.attention(h)
        return cast(torch.Tensor, h + self.feed_forward(h))


class Network(nn.Module):
    """Tokens x (B, T) or rows x (B, T, D) -> logits (B, T, C) or (B, C)."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.causal, width = spec.causal, spec.width
        self.embedding: Any = (
            nn.Embedding(spec.vocabulary, width) if spec.vocabulary else nn.Linear(spec.features, width)
        )
        self.positions, self.dropout = nn.Embedding(spec.length, width), nn.Dropout(spec.dropout)
        self.blocks = nn.Sequential(*(Block(spec) for _ in spec.numbers))
        self.norm, self.output = nn.LayerNorm(width), nn.Linear(width, spec.classes, bias=False)
        for table in (module for module in (self.embedding, self.positions) if isinstance(module, nn.Embedding)):
            nn.init.normal_(table.weight, std=0.02)
        if spec.vocabulary == spec.classes:
            self.output.weight = self.embedding.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Every position's logits, or those of the mean."""
        h = self.embedding(x) + self.positions(torch.arange(x.shape[1], device=x.device))
        n = self.norm(self.blocks(self.dropout(h)))
        return cast(torch.Tensor, self.output(n if self.causal else n.mean(1)))


class Eager(training.Eager):
    """The peer."""

    def made_network(self, spec: TransformerSpec) -> nn.Module:
        """All layers."""
        return Network(spec)


class Compiled(training.Compiled, Eager):
    """The same, compiled."""
