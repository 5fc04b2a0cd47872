"""The multilayer perceptron in JAX: hidden blocks of dense, batch norm, ReLU and dropout, then a dense layer.

As JAX's documentation teaches it, the network is pure functions of arrays. Every formula stands in the layers; the loss and
the optimizer are called by the training step, in `training_jax`. Shape letters: B batch, D features, H hidden width, C classes.
"""

from jax import Array

from implementations.layers.activation import relu_jax as relu
from implementations.layers.batch_norm import batch_norm_jax as batch_norm
from implementations.layers.dense import dense_jax as dense
from implementations.layers.dropout import dropout_jax as dropout
from implementations.mlp.spec import MLPSpec
from implementations.training.training_jax import Model, Network, Tensors, TunedModel, moved_statistics

# --- forward ---


def forward(
    w: Tensors, statistics: Tensors, masks: Tensors, batch: Tensors, spec: MLPSpec
) -> tuple[Array, Tensors, Tensors]:
    """Logits (B, C) of a training step, the running statistics after it, and which units (B, H) every ReLU passes."""
    h = batch["x"]
    moved: Tensors = {}
    passing: Tensors = {}
    for i in range(1, len(spec.hidden) + 1):
        h = dense.forward(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"), spec.factors)
        if spec.batch_norm:
            gamma, beta = w[f"norm{i}.gamma"], w[f"norm{i}.beta"]
            h, mean, variance = batch_norm.forward(h, gamma, beta, spec.norm_epsilon)
            moved |= moved_statistics(statistics, f"norm{i}", mean, variance, len(h), spec)
        h = relu.forward(h)
        passing[f"relu{i}"] = relu.choice(h)
        if spec.dropout:
            h = dropout.forward(h, masks[f"dropout{i}.mask"])
    return output(h, w, spec), moved, passing


# --- output ---


def output(h: Array, w: Tensors, spec: MLPSpec) -> Array:
    """logits = h W + b: h (B, H) -> logits (B, C)."""
    return dense.forward(h, w["output.weight"], w["output.bias"], spec.factors)


# --- backward ---

# JAX goes back by itself: the training step takes the gradient with `jax.value_and_grad` (`training_jax.backward`).

# --- predict ---


def predict(w: Tensors, statistics: Tensors, batch: Tensors, spec: MLPSpec) -> Array:
    """Logits (B, C) with running statistics and without dropout."""
    h = batch["x"]
    for i in range(1, len(spec.hidden) + 1):
        h = dense.forward(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"), spec.factors)
        if spec.batch_norm:
            gamma, beta = w[f"norm{i}.gamma"], w[f"norm{i}.beta"]
            mean, variance = statistics[f"norm{i}.running_mean"], statistics[f"norm{i}.running_variance"]
            h = batch_norm.forward_running(h, gamma, beta, mean, variance, spec.norm_epsilon)
        h = relu.forward(h)
    return output(h, w, spec)


class MLP(Model):
    """`implementations.contract.Model`."""

    network = Network(forward, predict)


class TunedMLP(TunedModel, MLP):
    """The same, with donated memory."""
