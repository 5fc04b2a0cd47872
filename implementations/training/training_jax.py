"""What every model in JAX shares: pure functions for masks, gradients and update, and a model that compiles and feeds them.

Nothing is changed in place: a training step takes all tensors and returns new ones, and is compiled by `jax.jit` as a
whole, the update included.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
from jax import Array, random

from implementations.contract import Arrays
from implementations.layers.batch_norm import batch_norm_jax as batch_norm
from implementations.layers.clipping import clipping_jax as clipping
from implementations.layers.dropout import dropout_jax as dropout
from implementations.layers.loss import cross_entropy_jax as cross_entropy
from implementations.layers.optimizer import optimizer_jax as optimizer

Tensors = dict[str, Array]
"""Arrays on the device under the specification's names, or those of a batch; a pytree."""


class Network(NamedTuple):
    """The pure functions that a page gives."""

    forward: Callable[..., tuple[Array, Tensors, Tensors]]
    """(parameters, statistics, masks, batch, spec) -> logits of a training step, the running statistics after it, and
    what every branch chooses, by its name."""

    predict: Callable[..., Array]
    """(parameters, statistics, batch, spec) -> logits, as the trained network predicts."""


class Training(NamedTuple):
    """All that a training step replaces; a pytree too."""

    parameters: Tensors
    statistics: Tensors
    slots: Tensors
    """Of the optimizer; its step counter, a whole number, is one of them."""
    key: Array


# --- the training step ---


def train_step(old: Training, batch: Tensors, network: Network, spec: Any) -> tuple[Training, Array]:
    """One step of training: what takes the place of `old`, and the loss."""
    masks, key = draw_masks(old.key, len(batch["y"]), spec)
    (loss, statistics), gradients = backward(mean_loss, old.parameters, old.statistics, masks, batch, network, spec)
    gradients = clipped(gradients, spec)
    parameters, slots = update(old.parameters, gradients, old.slots, spec)
    return Training(parameters, statistics, slots, key), loss


def draw_masks(key: Array, batch: int, spec: Any) -> tuple[Tensors, Array]:
    """The dropout masks of a training step by name, and the key for the next step.

    JAX's generator has no state of its own: the same key draws the same numbers. So a key is used once, and split.
    """
    masks = {}
    for name, mask in spec.masks(batch).items():
        key, subkey = random.split(key)
        masks[name] = dropout.mask(subkey, mask.shape, mask.rate, spec.dtype)
    return masks, key


def mean_loss(
    parameters: Tensors, statistics: Tensors, masks: Tensors, batch: Tensors, network: Network, spec: Any
) -> tuple[Array, Tensors]:
    """The mean loss of a training step, as a function of the parameters; and the running statistics after it."""
    logits, statistics, _ = network.forward(parameters, statistics, masks, batch, spec)
    return cross_entropy.forward(logits, batch["y"]).mean(), statistics


def moved_statistics(statistics: Tensors, name: str, mean: Array, variance: Array, samples: int, spec: Any) -> Tensors:
    """The running mean and variance of the batch norm with this name, after a batch."""
    if spec.running_variance == "unbiased":
        variance = batch_norm.unbiased(variance, samples)
    new = {f"{name}.running_mean": mean, f"{name}.running_variance": variance}
    return {key: batch_norm.running(statistics[key], value, spec.norm_momentum) for key, value in new.items()}


def backward(loss: Callable[..., tuple[Array, Tensors]], parameters: Tensors, *rest: Any) -> tuple[Any, Tensors]:
    """What `loss` returns, and the gradient of its first part by parameter name.

    JAX goes back by itself: it makes a function of the function, by following what `loss` does with its first argument
    and walking that back. The second part of what `loss` returns (the running statistics) is handed through.
    """
    return jax.value_and_grad(loss, has_aux=True)(parameters, *rest)


def clipped(gradients: Tensors, spec: Any) -> Tensors:
    """The gradients, all shorter by one factor where together they are longer than the specification allows."""
    return clipping.clip(gradients, spec.largest_norm) if spec.largest_norm else gradients


def update(parameters: Tensors, gradients: Tensors, slots: Tensors, spec: Any) -> tuple[Tensors, Tensors]:
    """One step of the optimizer on every parameter: the new ones, and its new slots with the counter among them."""
    tensors, settings = spec.tensors(), spec.optimizer
    new_parameters: Tensors = {}
    new_slots: Tensors = {"step": slots["step"] + 1} if "step" in slots else {}
    step = new_slots.get("step")
    for name, g in gradients.items():
        of_w = {slot: slots[f"{slot}:{name}"] for slot in settings.slots}
        w, of_w = optimizer.update(parameters[name], g, of_w, step, settings, tensors[name].decays)
        new_parameters[name] = w
        new_slots |= {f"{slot}:{name}": value for slot, value in of_w.items()}
    return new_parameters, new_slots


def choices(old: Training, batch: Tensors, network: Network, spec: Any) -> tuple[Tensors, Training, Array]:
    """What every branch chooses in the training step on the batch, beside what that gives.

    XLA merges the two, so that it is the same program with more outputs. Another one could choose otherwise: where XLA pleases, it
    leaves roundings to bfloat16 out.
    """
    masks, _ = draw_masks(old.key, len(batch["y"]), spec)
    _, _, chosen = network.forward(old.parameters, old.statistics, masks, batch, spec)
    return chosen, *train_step(old, batch, network, spec)


# --- the model ---


class Model:
    """`implementations.contract.Model` but for the network, whose pure functions a page adds: `network`.

    float64 needs JAX's switch `jax_enable_x64`, set before anything is built.
    """

    compiled = "jax.jit"
    layout = "(in, out)"
    random_bits = "23; 52 in float64"
    step_memory = "new arrays at every step"
    network: ClassVar[Network]

    def __init__(self, spec: Any, device: str = "cpu") -> None:
        kind, _, index = device.partition(":")
        self.spec = spec
        self.device = jax.devices(kind)[int(index or 0)]
        self.tensors = Training({}, {}, {}, self._on_device(random.key(spec.seed)))
        self._train_step = jax.jit(partial(train_step, network=self.network, spec=spec))
        self._predict = jax.jit(partial(self.network.predict, spec=spec))
        self._draw_masks = jax.jit(partial(draw_masks, spec=spec), static_argnames="batch")
        self._choices = jax.jit(partial(choices, network=self.network, spec=spec))

    def train_step(self, batch: Tensors) -> Array:
        """One step of training; returns the loss without waiting for it."""
        self.tensors, loss = self._train_step(self.tensors, batch)
        return loss

    def predict(self, batch: Tensors) -> Array:
        """Logits, as the trained network predicts."""
        return self._predict(self.tensors.parameters, self.tensors.statistics, batch)

    # --- state, generator, masks ---

    def state(self) -> Arrays:
        """Copies of all arrays under the specification's names."""
        tensors = self.tensors.parameters | self.tensors.statistics | self.tensors.slots
        state = {name: np.array(value) for name, value in tensors.items()}
        return state | ({"step": state["step"].astype(float)} if "step" in state else {})

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays: on the CPU, JAX would go on using the memory that it is given."""
        by_role: dict[str, Tensors] = {"parameter": {}, "statistic": {}, "slot": {}, "counter": {}}
        for name, tensor in self.spec.tensors().items():
            dtype = np.int32 if tensor.role == "counter" else self.spec.dtype
            by_role[tensor.role][name] = self._on_device(np.array(state[name], dtype))
        slots = by_role["slot"] | by_role["counter"]
        self.tensors = Training(by_role["parameter"], by_role["statistic"], slots, self.tensors.key)

    def random_state(self) -> Array:
        """The key that the next step's masks are drawn from; never changed in place."""
        return self.tensors.key

    def set_random_state(self, random_state: Array) -> None:
        """Put back that key."""
        self.tensors = self.tensors._replace(key=random_state)

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step: the function that draws them there, compiled too."""
        masks, key = self._draw_masks(self.tensors.key, batch=batch)
        self.set_random_state(key)
        return {name: np.array(mask) for name, mask in masks.items()}

    def choices(self, batch: Tensors) -> Arrays:
        """What every branch chooses in a training step on the batch, by the oracle's names; compiled as the step is."""
        chosen, *_ = self._choices(self.tensors, batch)
        return {name: np.array(choice) for name, choice in chosen.items()}

    def _on_device(self, array: Any) -> Array:
        return jax.device_put(array, self.device)


# --- tuned ---


class TunedModel(Model):
    """The same step, which writes the new tensors into the memory of the old ones: they are donated, all but the key."""

    step_memory = "the state of the step before, donated"

    def __init__(self, spec: Any, device: str = "cpu") -> None:
        super().__init__(spec, device)
        self._in_place = jax.jit(partial(donating, network=self.network, spec=spec), donate_argnums=0)

    def train_step(self, batch: Tensors) -> Array:
        """One step of training; returns the loss without waiting for it."""
        *donated, key = self.tensors
        self.tensors, loss = self._in_place(donated, key, batch)
        return loss


def donating(old: list[Tensors], key: Array, batch: Tensors, network: Network, spec: Any) -> tuple[Training, Array]:
    """`train_step` with what may be overwritten as one argument."""
    parameters, statistics, slots = old
    return train_step(Training(parameters, statistics, slots, key), batch, network, spec)
