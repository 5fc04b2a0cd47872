"""The Transformer in Keras 3, as its documentation teaches it: the functional API, `compile`, `train_on_batch`.

Where stock Keras does not compute what the specification says, a small subclass in the layers that are imported here does;
the variant "stock" of the specification is Keras as it comes. Shape letters: B batch, T positions, V vocabulary, E width, C classes.
"""

from typing import Any

import keras

from implementations.contract import DeviceBatch
from implementations.layers.activation import gelu_keras as gelu
from implementations.layers.attention import attention_keras as attention
from implementations.layers.dense import dense_keras as dense
from implementations.layers.dropout import dropout_keras as dropout
from implementations.layers.embedding import embedding_keras as embedding
from implementations.layers.layer_norm import layer_norm_keras as layer_norm
from implementations.layers.positions import positions_keras as positions
from implementations.training.training_keras import Model
from implementations.transformer.spec import EXPANSION, TransformerSpec

LAYERS = {
    "positions": positions, "attention_norm": layer_norm, "attention": attention, "feed_forward_norm": layer_norm, "expand": dense,
    "contract": dense, "norm": layer_norm, "output": dense,
}  # fmt: skip
"""A layer's name without its number -> its file."""


class Transformer(Model):
    """`implementations.contract.Model`."""

    def __init__(self, spec: TransformerSpec, device: str = "cpu") -> None:
        self.kinds = LAYERS | {"embedding": embedding if spec.vocabulary else dense}
        self.drawn = list(spec.masks(1))
        super().__init__(spec, device)

    # --- forward ---

    def build_network(self) -> keras.Model:
        """Tokens x (B, T) or rows x (B, T, D) -> logits (B, T, C) or (B, C)."""
        spec = self.spec
        if spec.vocabulary:
            x = keras.Input((spec.length,), dtype="int32")
            h = embedding.layer(spec.vocabulary, spec.width, name="embedding")(x)
        else:
            x = keras.Input((spec.length, spec.features), dtype=spec.dtype)
            h = dense.layer(spec.width, bias=False, name="embedding")(x)
        h = self.dropped("dropout0", positions.layer(name="positions")(h))
        for i in spec.numbers:
            h = self.residual(h, self.dropped(f"attention_dropout{i}", self.attention_branch(i, h)))
            h = self.residual(h, self.dropped(f"feed_forward_dropout{i}", self.feed_forward_branch(i, h)))
        return keras.Model(x, self.output(self.norm("norm", h)))

    def attention_branch(self, i: int, h: Any) -> Any:
        """The first branch of a block: attention(norm(h))."""
        spec, name = self.spec, f"attention{i}"
        rate, seed = spec.attention_dropout, self.seed(name) if spec.attention_dropout else 0
        layer = attention.layer(spec.width, spec.heads, rate, seed, spec.precision, name=name)
        return attention.forward(layer, self.norm(f"attention_norm{i}", h), spec.causal)

    def feed_forward_branch(self, i: int, h: Any) -> Any:
        """The second: feed_forward(norm(h))."""
        n, width = self.norm(f"feed_forward_norm{i}", h), self.spec.width
        z = dense.layer(EXPANSION * width, bias=True, name=f"expand{i}")(n)
        a = gelu.layer(self.spec.precision, name=f"gelu{i}")(z)
        return dense.layer(width, bias=True, name=f"contract{i}")(a)

    def norm(self, name: str, h: Any) -> Any:
        """n (B, T, E)."""
        return layer_norm.layer(self.number(self.spec.norm_epsilon), name=name)(h)

    def dropped(self, name: str, a: Any) -> Any:
        """h = a * m, where something is dropped."""
        rate = self.spec.dropout
        return dropout.layer(rate, self.seed(name), name=name)(a) if rate else a

    def seed(self, name: str) -> int:
        """Of the generator of the dropout layer with this name."""
        return dropout.seed(self.spec.seed, self.drawn.index(f"{name}.mask"))

    # --- residual ---

    def residual(self, h: Any, branch: Any) -> Any:
        """h + what a branch makes of it."""
        return keras.layers.Add()([h, branch])

    # --- output ---

    def output(self, n: Any) -> Any:
        """logits = n W: of every position n (B, T, E), or of the mean over them (B, E), -> logits (B, T, C) or (B, C)."""
        read = n if self.spec.causal else keras.layers.GlobalAveragePooling1D()(n)
        return dense.layer(self.spec.classes, bias=False, name="output")(read)

    def kernels(self) -> dict[str, str]:
        """What Keras computes attention with."""
        return {"attention": attention.kernel(self.network.get_layer("attention1"))}

    # --- backward ---

    # `train_on_batch` differentiates with the backend's own automatic differentiation: TensorFlow's GradientTape,
    # PyTorch's autograd or JAX's value_and_grad.

    # --- predict ---

    def predict(self, batch: DeviceBatch) -> Any:
        """Logits (B, T, C) or (B, C), without dropout, as a host array: so Keras returns them."""
        return self.network.predict_on_batch(batch["x"])
