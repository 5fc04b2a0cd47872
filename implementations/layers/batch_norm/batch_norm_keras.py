"""Batch normalisation in Keras (Ioffe & Szegedy 2015)."""

import math
from typing import Any

import keras
from keras import ops

NAMES = {"gamma": "gamma", "beta": "beta", "running_mean": "moving_mean", "running_variance": "moving_variance"}
"""Keras's name of each tensor."""

# --- forward ---


def layer(epsilon: float, momentum: float, running_variance: str, name: str) -> keras.layers.BatchNormalization:
    """z (B, ..., H) -> n (B, ..., H). Keras's momentum is the weight of the old value, as in the specification."""
    kind = UnbiasedBatchNormalization if running_variance == "unbiased" else keras.layers.BatchNormalization
    made = kind(momentum=momentum, epsilon=epsilon, name=name)
    made.momentum, made.epsilon = momentum, epsilon  # Keras made Python's floats of them
    return made


class UnbiasedBatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer, but its running variance takes the unbiased batch variance (Algorithm 2)."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """z (B, ..., H) -> n (B, ..., H). The variance is the mean of squared deviations, on every backend."""
        if not training:
            return super().call(inputs, training=False)
        inputs = ops.cast(inputs, self.variable_dtype)  # in mixed precision Keras's layer computes in float32, too
        axes = tuple(range(len(inputs.shape) - 1))
        mean = ops.mean(inputs, axis=axes)
        variance = ops.mean(ops.square(inputs - mean), axis=axes)
        samples = ops.cast(math.prod(ops.shape(inputs)[:-1]), inputs.dtype)
        self.moving_mean.assign(running(self.moving_mean, mean, self.momentum))
        self.moving_variance.assign(running(self.moving_variance, unbiased(variance, samples), self.momentum))
        normalised = ops.batch_normalization(
            inputs, mean, variance, axis=-1, offset=self.beta, scale=self.gamma, epsilon=self.epsilon
        )
        return ops.cast(normalised, self.compute_dtype)


def running(old: Any, new: Any, momentum: float) -> Any:
    """The running mean or variance after a batch: momentum * running + (1 - momentum) * new."""
    return old * momentum + new * (1 - momentum)


def unbiased(variance: Any, samples: Any) -> Any:
    """B/(B-1) times the biased variance, for the running one (Algorithm 2); `samples` are all that a mean is over."""
    return variance * (samples / (samples - 1))


# --- backward ---

# The backend's automatic differentiation, also through the batch's mean and variance.
