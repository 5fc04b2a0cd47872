"""The multilayer perceptron in Keras 3, as its documentation teaches it: `Sequential`, `compile`, `train_on_batch`.

The same file runs on Keras's TensorFlow, PyTorch and JAX backends. Where stock Keras does not compute what the
specification says, a small subclass does; the variant "stock" of the specification is Keras as it comes. Shape
letters: B batch, D features, H hidden width, C classes.
"""

import math
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any

import keras
import numpy as np
from keras import ops

from implementations.contract import Arrays
from implementations.mlp.spec import MLPSpec

# --- dense ---


def dense(outputs: int, bias: bool, name: str) -> keras.layers.Dense:
    """z = x W + b: x (B, D) -> z (B, outputs)."""
    return keras.layers.Dense(outputs, use_bias=bias, name=name)


# --- batch_norm ---


def batch_norm(spec: MLPSpec, name: str) -> keras.layers.BatchNormalization:
    """Keras's momentum is the weight of the old value, as in the specification."""
    layer = UnbiasedBatchNormalization if spec.running_variance == "unbiased" else keras.layers.BatchNormalization
    made = layer(momentum=spec.norm_momentum, epsilon=spec.norm_epsilon, name=name)
    made.momentum, made.epsilon = number(spec, spec.norm_momentum), number(spec, spec.norm_epsilon)
    return made


class UnbiasedBatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer, but its running variance takes the unbiased batch variance (Ioffe & Szegedy, Algorithm 2)."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """z (B, H) -> n (B, H). The variance is the mean of squared deviations, on every backend."""
        if not training:
            return super().call(inputs, training=False)
        inputs = ops.cast(inputs, self.variable_dtype)  # in mixed precision Keras's layer computes in float32, too
        mean = ops.mean(inputs, axis=0)
        variance = ops.mean(ops.square(inputs - mean), axis=0)
        batch = ops.cast(ops.shape(inputs)[0], inputs.dtype)
        new = 1 - self.momentum
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * new)
        unbiased = variance * (batch / (batch - 1))
        self.moving_variance.assign(self.moving_variance * self.momentum + unbiased * new)
        normalised = ops.batch_normalization(
            inputs, mean, variance, axis=-1, offset=self.beta, scale=self.gamma, epsilon=self.epsilon
        )
        return ops.cast(normalised, self.compute_dtype)


# --- relu ---


def relu(name: str) -> keras.layers.ReLU:
    """a = max(n, 0)."""
    return keras.layers.ReLU(name=name)


# --- dropout ---


def dropout(spec: MLPSpec, name: str) -> keras.layers.Dropout:
    """Inverted dropout from the layer's own seed generator; does nothing when not training.

    On PyTorch, Keras adds a layer's seed and its number of draws: seeds that are near one another give the same masks
    some steps apart. They must stay below 2^31.
    """
    seed = (spec.seed + 1_000_000 * int(name.removeprefix("dropout"))) % 2**31
    return keras.layers.Dropout(spec.dropout, seed=seed, name=name)


# --- output ---


def network(spec: MLPSpec) -> keras.Sequential:
    """All layers in order, ending in the dense output layer: x (B, D) -> logits (B, C)."""
    layers: list[Any] = [keras.Input((spec.features,), dtype=spec.dtype)]
    for i, width in enumerate(spec.hidden, start=1):
        layers.append(dense(width, bias=not spec.batch_norm, name=f"dense{i}"))
        if spec.batch_norm:
            layers.append(batch_norm(spec, name=f"norm{i}"))
        layers.append(relu(name=f"relu{i}"))
        if spec.dropout:
            layers.append(dropout(spec, name=f"dropout{i}"))
    layers.append(dense(spec.classes, bias=True, name="output"))
    return keras.Sequential(layers)


# --- loss ---


def cross_entropy() -> keras.losses.Loss:
    """Softmax cross-entropy, mean over the batch. `from_logits=True`: otherwise Keras clips probabilities at 1e-7."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# --- backward ---

# `train_on_batch` differentiates with the backend's own automatic differentiation: TensorFlow's GradientTape,
# PyTorch's autograd or JAX's value_and_grad.

# --- update ---


def optimizer(spec: MLPSpec) -> keras.optimizers.Optimizer:
    """SGD, Adam or AdamW. Keras's SGD keeps v' = -lr v, which is the same rule."""
    settings = spec.optimizer
    rate = number(spec, settings.learning_rate)
    if settings.kind == "sgd":
        return keras.optimizers.SGD(rate, momentum=number(spec, settings.momentum))
    moments = {"beta_1": number(spec, settings.beta1), "beta_2": number(spec, settings.beta2)}
    decay = number(spec, settings.weight_decay) if settings.kind == "adamw" else None
    adam = Adam if settings.epsilon_form == "algorithm1" else keras.optimizers.Adam
    return adam(rate, **moments, epsilon=number(spec, settings.epsilon), weight_decay=decay)


class Adam(keras.optimizers.Adam):
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


def number(spec: MLPSpec, value: float) -> Any:
    """A constant in the network's precision. Keras rounds plain Python floats to float32 on some paths."""
    return np.float64(value) if spec.precision == "float64" else float(value)


# --- the model ---


class MLP:
    """The contract's model (`implementations.contract.Model`) out of the pieces above."""

    compiled = {"tensorflow": "tf.function, on a GPU with XLA", "torch": "no", "jax": "jax.jit"}[
        keras.backend.backend()
    ]
    layout = "(in, out)"

    def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
        self.spec = spec
        self.network = network(spec)
        self.optimizer = optimizer(spec)
        self.network.compile(optimizer=self.optimizer, loss=cross_entropy())
        self.optimizer.exclude_from_weight_decay(
            var_list=[v for v in self.network.trainable_variables if v.name != "kernel"]
        )
        self.optimizer.build(self.network.trainable_variables)
        self.dropouts = {name: self.network.get_layer(name.split(".")[0]) for name in spec.masks(1)}
        self.drawers = {name: self._compiled(layer) for name, layer in self.dropouts.items()}

    def train_step(self, x: Any, y: Any) -> float:
        """One step of training on x (B, D), y (B,); returns the loss, for which Keras waits."""
        return self.network.train_on_batch(x, y)

    def predict(self, x: Any) -> Any:
        """Logits (B, C) with running statistics and without dropout, as a host array: so Keras returns them."""
        return self.network.predict_on_batch(x)

    def state(self) -> Arrays:
        """Copies of all variables under the specification's names."""
        state = {name: np.array(ops.convert_to_numpy(v), copy=True) for name, v in self._variables().items()}
        return {name: self._velocity(name, value, to_keras=False) for name, value in state.items()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays."""
        for name, variable in self._variables().items():
            value = self._velocity(name, np.asarray(state[name]), to_keras=True)
            variable.assign(value.astype(keras.backend.standardize_dtype(variable.dtype)))

    def random_state(self) -> Arrays:
        """The state of every dropout layer's seed generator."""
        return {name: np.array(ops.convert_to_numpy(d.seed_generator.state)) for name, d in self.dropouts.items()}

    def set_random_state(self, random_state: Mapping[str, np.ndarray]) -> None:
        """Rewind the seed generators."""
        for name, layer in self.dropouts.items():
            layer.seed_generator.state.assign(random_state[name])

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step: its own dropout layers, given ones."""
        ones = {name: ops.ones(shape, dtype=self.spec.dtype) for name, shape in self.spec.masks(batch).items()}
        return {name: ops.convert_to_numpy(self.drawers[name](x)) for name, x in ones.items()}

    def active_units(self, x: Any) -> Arrays:
        """Which units (B, H) pass in a training step on x, by the oracle's names; the state stays as it is."""
        if not self.spec.hidden:
            return {}
        state, seeds = self.state(), self.random_state()
        passed = self._up_to_relus(x)
        self.load_state(state)
        self.set_random_state(seeds)
        return {name: ops.convert_to_numpy(h > 0) for name, h in passed.items()}

    @cached_property
    def _up_to_relus(self) -> Any:
        """The same layers in training, with the outputs (B, H) of all ReLUs by name; on JAX compiled, as the step is."""
        relus = [layer for layer in self.network.layers if layer.name.startswith("relu")]
        part = keras.Model(self.network.inputs, {layer.name: layer.output for layer in relus})
        if keras.backend.backend() != "jax":
            return partial(part, training=True)
        import jax

        step = jax.jit(partial(part.stateless_call, training=True))
        groups = part.trainable_variables, part.non_trainable_variables
        return lambda x: step(*([variable.value for variable in group] for group in groups), x)[0]

    def _compiled(self, layer: Any) -> Any:
        """The layer in training, compiled as the step is: a compiler may draw other numbers than eager code."""

        def draw(ones: Any) -> Any:
            return layer(ones, training=True)

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            return tf.function(draw, jit_compile=self.network.jit_compile)
        return draw  # PyTorch runs eagerly; JAX draws the same either way

    def _velocity(self, name: str, value: np.ndarray, to_keras: bool) -> np.ndarray:
        """Keras's momentum is v' = -lr v."""
        if not name.startswith("velocity:"):
            return value
        rate = self.spec.optimizer.learning_rate
        return -rate * value.astype(np.float64) if to_keras else (-value.astype(np.float64) / rate).astype(value.dtype)

    def _variables(self) -> dict[str, Any]:
        """Every variable by the specification's name."""
        theirs = {"weight": "kernel", "running_mean": "moving_mean", "running_variance": "moving_variance"}
        found: dict[str, Any] = {}
        for name, tensor in self.spec.tensors().items():
            if tensor.role in ("parameter", "statistic"):
                layer, attribute = name.split(".")
                found[name] = getattr(self.network.get_layer(layer), theirs.get(attribute, attribute))
            elif tensor.role == "slot" and tensor.of is not None:
                found[name] = self._slot(name.split(":")[0], found[tensor.of])
            else:
                found[name] = self.optimizer.iterations
        return found

    def _slot(self, slot: str, parameter: Any) -> Any:
        """Keras keeps each kind of slot in a list, in the order of the trainable variables."""
        index = [id(v) for v in self.network.trainable_variables].index(id(parameter))
        if slot == "velocity":
            return self.optimizer.momentums[index]
        return (self.optimizer._momentums if slot == "m" else self.optimizer._velocities)[index]
