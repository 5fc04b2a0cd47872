"""The Transformer in JAX, as its documentation teaches it: pure functions of arrays, compiled by `jax.jit`.

The training step around it stands in `training_jax`. Shape letters: B batch, T positions, V vocabulary, E width, C classes.
"""

from jax import Array

from implementations.layers.activation import gelu_jax as gelu
from implementations.layers.attention import attention_jax as attention
from implementations.layers.dense import dense_jax as dense
from implementations.layers.dropout import dropout_jax as dropout
from implementations.layers.embedding import embedding_jax as embedding
from implementations.layers.layer_norm import layer_norm_jax as layer_norm
from implementations.layers.positions import positions_jax as positions
from implementations.training.training_jax import Model, Network, Tensors
from implementations.transformer.spec import TransformerSpec

# --- forward ---


def forward(
    w: Tensors, statistics: Tensors, masks: Tensors, batch: Tensors, spec: TransformerSpec
) -> tuple[Array, Tensors, Tensors]:
    """Logits (B, T, C) or (B, C) of a training step; it has no running statistics, and nothing that branches."""
    h = positions.forward(embedded(batch["x"], w, spec), w["positions.weight"])
    h = dropped("dropout0", h, masks)
    for i in spec.numbers:
        h = residual(h, dropped(f"attention_dropout{i}", attention_branch(i, h, w, masks, spec), masks))
        h = residual(h, dropped(f"feed_forward_dropout{i}", feed_forward_branch(i, h, w, spec), masks))
    return output(norm("norm", h, w, spec), w, spec), statistics, {}


def embedded(x: Array, w: Tensors, spec: TransformerSpec) -> Array:
    """Tokens (B, T), or rows (B, T, D), as vectors (B, T, E)."""
    weight = w["embedding.weight"]
    return embedding.forward(x, weight) if spec.vocabulary else dense.forward(x, weight, None, spec.factors)


def attention_branch(i: int, h: Array, w: Tensors, masks: Tensors, spec: TransformerSpec) -> Array:
    """The first branch of a block: attention(norm(h))."""
    weights = [w[f"attention{i}.{name}"] for name in attention.NAMES]
    n, mask = norm(f"attention_norm{i}", h, w, spec), masks.get(f"attention{i}.mask")
    return attention.forward(n, weights, spec.heads, spec.causal, mask, spec.factors)


def feed_forward_branch(i: int, h: Array, w: Tensors, spec: TransformerSpec) -> Array:
    """The second: feed_forward(norm(h))."""
    n = norm(f"feed_forward_norm{i}", h, w, spec)
    a = gelu.forward(dense.forward(n, w[f"expand{i}.weight"], w[f"expand{i}.bias"], spec.factors))
    return dense.forward(a, w[f"contract{i}.weight"], w[f"contract{i}.bias"], spec.factors)


def norm(name: str, h: Array, w: Tensors, spec: TransformerSpec) -> Array:
    """n (B, T, E)."""
    return layer_norm.forward(h, w[f"{name}.gamma"], w[f"{name}.beta"], spec.norm_epsilon)


def dropped(name: str, a: Array, masks: Tensors) -> Array:
    """h = a * m, where something is dropped."""
    mask = masks.get(f"{name}.mask")
    return a if mask is None else dropout.forward(a, mask)


# --- residual ---


def residual(h: Array, branch: Array) -> Array:
    """h + what a branch makes of it."""
    return h + branch


# --- output ---


def output(n: Array, w: Tensors, spec: TransformerSpec) -> Array:
    """logits = n W: of every position n (B, T, E), or of the mean over them (B, E), -> logits (B, T, C) or (B, C)."""
    return dense.forward(n if spec.causal else n.mean(axis=1), w["output.weight"], None, spec.factors)


# --- backward ---

# JAX goes back by itself: the training step takes the gradient with `jax.value_and_grad` (`training_jax.backward`).

# --- predict ---


def predict(w: Tensors, statistics: Tensors, batch: Tensors, spec: TransformerSpec) -> Array:
    """Logits (B, T, C) or (B, C), without dropout."""
    logits, *_ = forward(w, statistics, {}, batch, spec)
    return logits


class Transformer(Model):
    """`implementations.contract.Model`."""

    network = Network(forward, predict)
