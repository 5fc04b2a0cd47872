"""The Transformer in PyTorch, as its documentation teaches it: `nn.Module` layers and `torch.optim`.

PyTorch does much of the network by itself; where it does, the heading stays and says so. Shape letters: B batch, T positions,
V vocabulary, E width, C classes.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from implementations.layers.activation import gelu_torch as gelu
from implementations.layers.attention import attention_torch as attention
from implementations.layers.dense import dense_torch as dense
from implementations.layers.dropout import dropout_torch as dropout
from implementations.layers.embedding import embedding_torch as embedding
from implementations.layers.layer_norm import layer_norm_torch as layer_norm
from implementations.layers.positions import positions_torch as positions
from implementations.training.training_torch import Model
from implementations.transformer.spec import EXPANSION, TransformerSpec

LAYERS = {
    "positions": positions, "attention_norm": layer_norm, "attention": attention, "feed_forward_norm": layer_norm, "expand": dense,
    "gelu": gelu, "contract": dense, "norm": layer_norm, "output": dense,
    "dropout": dropout, "attention_dropout": dropout, "feed_forward_dropout": dropout,
}  # fmt: skip
"""A layer's name without its number -> its file."""


class Network(nn.Module):
    """Tokens x (B, T) or rows x (B, T, D) -> logits (B, T, C) or (B, C)."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.spec, width, inner = spec, spec.width, EXPANSION * spec.width
        if spec.vocabulary:
            self.embedding: nn.Module = embedding.layer(spec.vocabulary, width)
        else:
            self.embedding = dense.layer(spec.features, width, bias=False)
        self.positions = positions.layer(spec.length, width)
        for i in spec.numbers:
            self.add_module(f"attention_norm{i}", layer_norm.layer(width, spec.norm_epsilon))
            self.add_module(f"attention{i}", attention.layer(width, spec.heads, spec.causal, spec.attention_dropout))
            self.add_module(f"feed_forward_norm{i}", layer_norm.layer(width, spec.norm_epsilon))
            self.add_module(f"expand{i}", dense.layer(width, inner))
            self.add_module(f"gelu{i}", gelu.layer())
            self.add_module(f"contract{i}", dense.layer(inner, width))
            if spec.dropout:
                self.add_module(f"attention_dropout{i}", dropout.layer(spec.dropout))
                self.add_module(f"feed_forward_dropout{i}", dropout.layer(spec.dropout))
        if spec.dropout:
            self.dropout0 = dropout.layer(spec.dropout)
        self.norm = layer_norm.layer(width, spec.norm_epsilon)
        self.output = dense.layer(width, spec.classes, bias=False)

    # --- forward ---

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Every block's two branches, each behind a norm and added to what goes by."""
        h = self.dropped("dropout0", positions.forward(self.positions, self.embedding(x)))
        for i in self.spec.numbers:
            h = self.residual(h, self.dropped(f"attention_dropout{i}", self.attention_branch(i, h)))
            h = self.residual(h, self.dropped(f"feed_forward_dropout{i}", self.feed_forward_branch(i, h)))
        n = self.norm(h)
        return self.output(n if self.spec.causal else n.mean(dim=1))

    def attention_branch(self, i: int, h: torch.Tensor) -> torch.Tensor:
        """The first branch of a block: attention(norm(h))."""
        return self.layer("attention", i)(self.layer("attention_norm", i)(h))

    def feed_forward_branch(self, i: int, h: torch.Tensor) -> torch.Tensor:
        """The second: feed_forward(norm(h))."""
        z = self.layer("expand", i)(self.layer("feed_forward_norm", i)(h))
        return self.layer("contract", i)(self.layer("gelu", i)(z))

    def layer(self, name: str, i: int) -> nn.Module:
        """A layer of block i."""
        return self.get_submodule(f"{name}{i}")

    def dropped(self, name: str, a: torch.Tensor) -> torch.Tensor:
        """h = a * m, where something is dropped."""
        return self.get_submodule(name)(a) if self.spec.dropout else a

    # --- residual ---

    def residual(self, h: torch.Tensor, branch: torch.Tensor) -> torch.Tensor:
        """h + what a branch makes of it."""
        return h + branch

    # --- output ---

    # logits = n W^T, an `nn.Linear`: of every position n (B, T, E), or of the mean over them (B, E).


class Transformer(Model):
    """`implementations.contract.Model`."""

    def __init__(self, spec: TransformerSpec, device: str = "cpu") -> None:
        self.kinds: Mapping[str, Any] = LAYERS | {"embedding": embedding if spec.vocabulary else dense}
        super().__init__(spec, device)

    def make_network(self) -> nn.Module:
        """All layers."""
        return Network(self.spec)

    def kernels(self) -> dict[str, str]:
        """What PyTorch computes attention with."""
        return {"attention": attention.kernel(self.network.get_submodule("attention1"), self.spec.length)}

    # --- backward ---

    # Autograd recorded the forward pass and walks it back, from the last layer to the first: `loss.backward()`.

    # --- predict ---

    # The same layers in evaluation mode: without dropout.

    def calls_of_steps(self) -> list[tuple[str, Any, str]]:
        """With the steps of this network's own: (step, object, method)."""
        network, output = self.network, self.network.get_submodule("output")
        others = [call for call in super().calls_of_steps() if call[1] is not output]  # which is no dense layer here
        return [*others, ("residual", network, "residual"), ("output", output, "forward")]
