"""The convolutional network in JAX: blocks of convolution, batch norm, ReLU and max pool, then those of the perceptron.

As JAX's documentation teaches it, the network is pure functions of arrays. Every formula stands in the layers; the loss and
the optimizer are called by the training step, in `training_jax`. Shape letters: B batch, H and W height and width of an image,
C channels, D width of a dense layer, K classes. A layer's number is its block's.
"""

from jax import Array

from implementations.cnn.spec import CNNSpec
from implementations.layers.activation import relu_jax as relu
from implementations.layers.batch_norm import batch_norm_jax as batch_norm
from implementations.layers.convolution import convolution_jax as convolution
from implementations.layers.dense import dense_jax as dense
from implementations.layers.dropout import dropout_jax as dropout
from implementations.layers.pooling import max_pool_jax as max_pool
from implementations.training.training_jax import Model, Network, Tensors, moved_statistics

# --- forward ---


def forward(
    w: Tensors, statistics: Tensors, masks: Tensors, batch: Tensors, spec: CNNSpec
) -> tuple[Array, Tensors, Tensors]:
    """Logits (B, K) of a training step, the running statistics after it, and what every ReLU and pool chooses."""
    h, moved, chosen = batch["x"], Tensors(), Tensors()
    for i in spec.convolutional_blocks:
        z = convolution.forward(h, w[f"conv{i}.weight"], w.get(f"conv{i}.bias"), spec.factors)
        a = relu.forward(normalised(i, z, w, statistics, moved, spec))
        h = max_pool.forward(a)
        chosen |= {f"relu{i}": relu.choice(a), f"pool{i}": max_pool.choice(a)}
    h = flatten(h)
    for i in spec.dense_blocks:
        z = dense.forward(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"), spec.factors)
        h = relu.forward(normalised(i, z, w, statistics, moved, spec))
        chosen |= {f"relu{i}": relu.choice(h)}
        if spec.dropout:
            h = dropout.forward(h, masks[f"dropout{i}.mask"])
    return output(h, w, spec), moved, chosen


def normalised(i: int, z: Array, w: Tensors, statistics: Tensors, moved: Tensors, spec: CNNSpec) -> Array:
    """Batch norm with the batch's own statistics, which move the running ones; nothing where there is no batch norm."""
    if not spec.batch_norm:
        return z
    n, mean, variance = batch_norm.forward(z, w[f"norm{i}.gamma"], w[f"norm{i}.beta"], spec.norm_epsilon)
    moved |= moved_statistics(statistics, f"norm{i}", mean, variance, batch_norm.count(z), spec)
    return n


# --- flatten ---


def flatten(maps: Array) -> Array:
    """Maps (B, H, W, C) -> rows (B, H W C): pixel by pixel, row by row, the channels of a pixel side by side."""
    return maps.reshape(len(maps), -1)


# --- output ---


def output(h: Array, w: Tensors, spec: CNNSpec) -> Array:
    """logits = h W + b: h (B, D) -> logits (B, K)."""
    return dense.forward(h, w["output.weight"], w["output.bias"], spec.factors)


# --- backward ---

# JAX goes back by itself: the training step takes the gradient with `jax.value_and_grad` (`training_jax.backward`).

# --- predict ---


def predict(w: Tensors, statistics: Tensors, batch: Tensors, spec: CNNSpec) -> Array:
    """Logits (B, K) with running statistics and without dropout."""
    h = batch["x"]
    for i in spec.convolutional_blocks:
        z = convolution.forward(h, w[f"conv{i}.weight"], w.get(f"conv{i}.bias"), spec.factors)
        h = max_pool.forward(relu.forward(normalised_running(i, z, w, statistics, spec)))
    h = flatten(h)
    for i in spec.dense_blocks:
        z = dense.forward(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"), spec.factors)
        h = relu.forward(normalised_running(i, z, w, statistics, spec))
    return output(h, w, spec)


def normalised_running(i: int, z: Array, w: Tensors, statistics: Tensors, spec: CNNSpec) -> Array:
    """Batch norm with the running statistics; nothing where there is no batch norm."""
    if not spec.batch_norm:
        return z
    gamma, beta = w[f"norm{i}.gamma"], w[f"norm{i}.beta"]
    mean, variance = statistics[f"norm{i}.running_mean"], statistics[f"norm{i}.running_variance"]
    return batch_norm.forward_running(z, gamma, beta, mean, variance, spec.norm_epsilon)


class CNN(Model):
    """`implementations.contract.Model`."""

    layout = "NHWC; kernels HWIO, (in, out)"
    network = Network(forward, predict)
