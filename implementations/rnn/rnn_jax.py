"""The recurrent network in JAX, as its documentation teaches it: pure functions of arrays, compiled by `jax.jit`.

The training step around it stands in `training_jax`. Shape letters: B batch, T steps, D features, H width of a recurrent layer,
K classes.
"""

from jax import Array

from implementations.layers.cells import gru_jax as gru
from implementations.layers.cells import lstm_jax as lstm
from implementations.layers.cells import tanh_jax as tanh
from implementations.layers.dense import dense_jax as dense
from implementations.layers.dropout import dropout_jax as dropout
from implementations.layers.embedding import embedding_jax as embedding
from implementations.layers.recurrent import recurrent_jax as recurrent
from implementations.rnn.spec import RNNSpec
from implementations.training.training_jax import Model, Network, Tensors

CELLS = {"lstm": lstm, "gru": gru, "tanh": tanh}

# --- forward ---


def forward(
    w: Tensors, statistics: Tensors, masks: Tensors, batch: Tensors, spec: RNNSpec
) -> tuple[Array, Tensors, Tensors]:
    """Logits (B, K) or (B, T, K) of a training step; it has no running statistics, and nothing that branches."""
    h = embedded(batch["x"], w, spec)
    for i in spec.layers:
        h = layer(i, h, w, spec)
        if spec.dropout:
            h = dropout.forward(h, masks[f"dropout{i}.mask"])
    return output(h, w, spec), statistics, {}


def embedded(x: Array, w: Tensors, spec: RNNSpec) -> Array:
    """Tokens (B, T) as rows of numbers (B, T, D); rows as they are."""
    return embedding.forward(x, w["embedding.weight"]) if spec.vocabulary else x


def layer(i: int, x: Array, w: Tensors, spec: RNNSpec) -> Array:
    """The states that are read above, (B, T, H) or the last one (B, H)."""
    weights = w[f"rnn{i}.weight"], w[f"rnn{i}.recurrent_weight"], w[f"rnn{i}.bias"], w.get(f"rnn{i}.recurrent_bias")
    states = recurrent.forward(CELLS[spec.cell], x, *weights)
    return states if spec.reads_every(i) else recurrent.last(states)


# --- output ---


def output(h: Array, w: Tensors, spec: RNNSpec) -> Array:
    """logits = h W + b: the last state h (B, H), or every one (B, T, H), -> logits (B, K) or (B, T, K)."""
    return dense.forward(h, w["output.weight"], w["output.bias"], spec.factors)


# --- backward ---

# JAX goes back by itself, through time too: the training step takes the gradient with `jax.value_and_grad` (`training_jax.backward`).

# --- predict ---


def predict(w: Tensors, statistics: Tensors, batch: Tensors, spec: RNNSpec) -> Array:
    """Logits (B, K) or (B, T, K), without dropout."""
    h = embedded(batch["x"], w, spec)
    for i in spec.layers:
        h = layer(i, h, w, spec)
    return output(h, w, spec)


class RNN(Model):
    """`implementations.contract.Model`."""

    network = Network(forward, predict)
