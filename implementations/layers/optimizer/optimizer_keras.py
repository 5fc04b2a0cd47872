"""Gradient descent, Adam and AdamW in Keras."""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from implementations.layers.clipping import clipping_keras as clipping
from implementations.layers.embedding import embedding_keras as embedding

Array = Any
"""On the host."""

Number = Callable[[float], Any]
"""Makes of a constant one in the network's precision."""

NAMES = {"velocity": "momentums", "m": "_momentums", "v": "_velocities", "step": "iterations"}
"""Keras's name of each kind of slot, and of the counter."""

# --- update ---


def optimizer(settings: Any, largest_norm: float, number: Number) -> keras.optimizers.Optimizer:
    """SGD, Adam or AdamW: it keeps the slots, and updates all parameters from their gradients, which it clips first."""
    clipped = clipping.settings(largest_norm, number)
    return (sgd if settings.kind == "sgd" else adam)(settings, number, **clipped)


def sgd(settings: Any, number: Number, **clipped: Any) -> keras.optimizers.SGD:
    """v' = mu v' - lr g; w = w + v': with v' = -lr v the specification's rule (Sutskever et al. 2013)."""
    kind = SGD if clipped else keras.optimizers.SGD
    return kind(number(settings.learning_rate), momentum=number(settings.momentum), **clipped)


def adam(settings: Any, number: Number, **clipped: Any) -> keras.optimizers.Adam:
    """Stock Keras has the form "hat"; its weight decay is decoupled, before the step."""
    kind = Adam if settings.epsilon_form == "algorithm1" else keras.optimizers.Adam
    moments = {"beta_1": number(settings.beta1), "beta_2": number(settings.beta2)}
    decay = number(settings.weight_decay) if settings.kind == "adamw" else None
    return kind(
        number(settings.learning_rate), **moments, **clipped, epsilon=number(settings.epsilon), weight_decay=decay
    )


class Summed(keras.optimizers.Optimizer):
    """An optimizer that takes the gradient of an embedding as one, where TensorFlow hands it on in pieces."""

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """Clips and updates. Stock Keras would add up the squares of the pieces."""
        return super().apply([embedding.summed(gradient) for gradient in grads], trainable_variables)


class SGD(Summed, keras.optimizers.SGD):
    """Stock Keras's, with whole gradients."""


class Adam(Summed, keras.optimizers.Adam):
    """Kingma & Ba 2015, Algorithm 1. Stock Keras has the epsilon-hat form, and powers of beta that lose digits."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One parameter: moments, bias correction, step."""
        index, dtype = self._get_variable_index(variable), variable.dtype
        m, v = self._momentums[index], self._velocities[index]
        step = ops.cast(self.iterations + 1, dtype)
        one = type(self.beta_1)(1)
        self.assign(m, m * self.beta_1 + gradient * (one - self.beta_1))
        self.assign(v, v * self.beta_2 + ops.square(gradient) * (one - self.beta_2))
        correction1 = one_minus_power(self.beta_1, step)
        correction2 = one_minus_power(self.beta_2, step)
        change = (m / correction1) / (ops.sqrt(v / correction2) + self.epsilon)
        self.assign_sub(variable, ops.cast(learning_rate, dtype) * change)


def one_minus_power(beta: Any, step: Any) -> Any:
    """1 - beta^t as -expm1(t log beta): in float32, beta^t near 1 would lose the digits that the difference needs."""
    return -ops.expm1(step * type(beta)(math.log(beta))) if beta else type(beta)(1)


# --- slots ---


def slot(keeper: keras.optimizers.Optimizer, kind: str, parameter: Any) -> Any:
    """The variable that is this slot of a parameter: Keras keeps a list of each kind, in the order of the parameters."""
    return getattr(keeper, NAMES[kind])[keeper._get_variable_index(parameter)]


def to_spec(kind: str, value: Array, settings: Any) -> Array:
    """Of Keras's slot the specification's: the velocity is v' = -lr v."""
    return (-value.astype("float64") / settings.learning_rate).astype(value.dtype) if kind == "velocity" else value


def from_spec(kind: str, value: Array, settings: Any) -> Array:
    """Of the specification's slot Keras's, where it is another number, in float64."""
    return -settings.learning_rate * value.astype("float64") if kind == "velocity" else value
