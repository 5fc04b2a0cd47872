"""The multilayer perceptron in Keras, tuned: the same layers and optimizer in a training loop of one's own.

`train_on_batch` does more than a step needs: it keeps metrics, and waits for the loss. Keras's guides show the loop that
its experts write instead, another one for each backend; on TensorFlow and JAX it is compiled by XLA as a whole. Shape
letters: B batch, D features, C classes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from implementations.contract import Arrays
from implementations.layers.loss import cross_entropy_keras
from implementations.mlp import mlp_keras
from implementations.mlp.spec import MLPSpec

BACKEND = keras.backend.backend()
Step = Callable[..., Any]

# Dense, batch norm, ReLU and dropout are the plain layers.

# --- output ---

# As on the plain page.

# --- loss ---

cross_entropy = cross_entropy_keras.loss()

# --- backward ---


def mean_loss(network: keras.Sequential, x: Any, y: Any) -> Any:
    """The mean loss of a training step on x (B, D), y (B,), for the backend to differentiate."""
    return cross_entropy(y, network(x, training=True))


# --- update ---


def tensorflow_step(network: keras.Sequential, optimizer: Any) -> Step:
    """One graph, compiled by XLA: gradients from a tape, then Keras's optimizer."""
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def train_step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = mean_loss(network, x, y)
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss

    return train_step


def tensorflow_compiled(function: Step) -> Step:
    """What is not a training step is compiled as one is: another compiler may draw other masks."""
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


def torch_step(network: keras.Sequential, optimizer: Any) -> Step:
    """Autograd, then Keras's optimizer; not compiled."""
    import torch

    variables = network.trainable_variables

    def train_step(x: Any, y: Any) -> Any:
        network.zero_grad()
        loss = mean_loss(network, x, y)
        loss.backward()
        with torch.no_grad():
            optimizer.apply([variable.value.grad for variable in variables], variables)
        return loss.detach()

    return train_step


def torch_run(function: Step) -> Step:
    """What is not a training step has no gradient to prepare."""
    import torch

    return torch.no_grad()(function)


def jax_step(network: keras.Sequential, optimizer: Any) -> Step:
    """A function of all variables' values, compiled by XLA, into whose memory it writes: they are donated."""
    import jax

    def loss_of(trainable: Any, others: Any, x: Any, y: Any) -> Any:
        logits, others = network.stateless_call(trainable, others, x, training=True)
        return cross_entropy(y, logits), others

    def train_step(values: Any, x: Any, y: Any) -> Any:
        trainable, others, slots = values
        (loss, others), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, others, x, y)
        trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
        return (trainable, others, slots), loss

    return jax.jit(train_step, donate_argnums=0)


# --- the model ---


class LoopMLP(mlp_keras.MLP):
    """The contract's model (`implementations.contract.Model`) with a training loop of its own, on TensorFlow and PyTorch."""

    compiled = "tf.function with XLA" if BACKEND == "tensorflow" else "no"

    def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
        super().__init__(spec, device)
        make = {"tensorflow": tensorflow_step, "torch": torch_step}[BACKEND]
        self._train_step = make(self.network, self.optimizer)
        self._predict = self.compiled_as_step(lambda x: self.network(x, training=False))

    def compiled_as_step(self, draw: Step) -> Step:
        """What is not a training step, too, is compiled by XLA on TensorFlow, and keeps nothing for gradients on PyTorch."""
        return {"tensorflow": tensorflow_compiled, "torch": torch_run}[BACKEND](draw)

    def train_step(self, batch: Mapping[str, Any]) -> Any:
        """One step of training on x (B, D), y (B,); returns the loss without waiting for it."""
        return self._train_step(batch["x"], batch["y"])

    def predict(self, batch: Mapping[str, Any]) -> Any:
        """Logits (B, C) with running statistics and without dropout, on the device."""
        return self._predict(batch["x"])


class JaxMLP(mlp_keras.MLP):
    """The same on JAX, where the variables' values are handed from step to step.

    Keras's variables get them back before anybody looks at these, and may be changed then.
    """

    compiled, step_memory = "jax.jit", "the state of the step before, donated"

    def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
        super().__init__(spec, device)
        import jax

        def predict(values: Any, x: Any) -> Any:
            return self.network.stateless_call(values[0], values[1], x, training=False)[0]

        self._groups = (
            self.network.trainable_variables, self.network.non_trainable_variables, self.optimizer.variables
        )  # fmt: skip
        self._step, self._predict_from = jax_step(self.network, self.optimizer), jax.jit(predict)
        self._values = self._taken()

    def train_step(self, batch: Mapping[str, Any]) -> Any:
        """One step of training on x (B, D), y (B,); returns the loss without waiting for it."""
        self._values, loss = self._step(self._values, batch["x"], batch["y"])
        return loss

    def predict(self, batch: Mapping[str, Any]) -> Any:
        """Logits (B, C) with running statistics and without dropout, on the device."""
        return self._predict_from(self._values, batch["x"])

    def state(self) -> Arrays:
        """Copies of all variables under the specification's names."""
        self._given_back()
        return super().state()

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays."""
        self._given_back()
        super().load_state(state)
        self._values = self._taken()

    def random_state(self) -> Arrays:
        """The state of every dropout layer's seed generator."""
        self._given_back()
        return super().random_state()

    def set_random_state(self, random_state: Mapping[str, np.ndarray]) -> None:
        """Rewind the seed generators."""
        self._given_back()
        super().set_random_state(random_state)
        self._values = self._taken()

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step: its own dropout layers, given ones."""
        self._given_back()
        masks = super().draw_masks(batch)
        self._values = self._taken()
        return masks

    def _taken(self) -> Any:
        """The values of all variables."""
        return tuple([variable.value for variable in group] for group in self._groups)

    def _given_back(self) -> None:
        """What the last step made of them."""
        for group, values in zip(self._groups, self._values, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)


TunedMLP = JaxMLP if BACKEND == "jax" else LoopMLP
