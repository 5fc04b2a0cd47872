"""The multilayer perceptron in JAX, as its documentation teaches it: pure functions on arrays, `jax.numpy`, one `jax.jit`.

Nothing is changed in place: a training step takes all tensors and returns new ones, and is compiled as a whole, the
update included. Python numbers take the precision of the array they meet. Shape letters: B batch, D features, H hidden
width, C classes; weights are (in, out).
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, random

from implementations.contract import Arrays
from implementations.mlp.spec import MLPSpec

Tensors: TypeAlias = dict[str, Array]
"""Arrays on the device under the specification's names; a pytree."""

# --- dense ---


def dense(x: Array, weight: Array, bias: Array | None, factors: str) -> Array:
    """z = x W + b: x (B, D), W (D, H), b (H,) -> z (B, H); x and W are first rounded to the number type `factors`.

    Mixed precision is that alone: on the way back JAX rounds the gradient of a rounding in the same way.
    """
    dtype = weight.dtype
    x, weight = x.astype(factors), weight.astype(factors)
    z = x @ weight
    z = z.astype(dtype)
    return z if bias is None else z + bias


# --- batch_norm ---


def batch_norm(z: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, Array, Array]:
    """Normalise over the batch (Ioffe & Szegedy 2015, Algorithm 1): z (B, H) -> n (B, H).

    Also returns the batch's mean and biased variance, which is the mean of squared deviations.
    """
    mean = z.mean(axis=0)
    variance = jnp.square(z - mean).mean(axis=0)
    return batch_norm_running(z, gamma, beta, mean, variance, epsilon), mean, variance


def batch_norm_running(z: Array, gamma: Array, beta: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """Normalise with given statistics; for prediction the running ones (Algorithm 2)."""
    return gamma * ((z - mean) / jnp.sqrt(variance + epsilon)) + beta


def moved_statistics(statistics: Tensors, i: int, mean: Array, variance: Array, batch: int, spec: MLPSpec) -> Tensors:
    """running = momentum * running + (1 - momentum) * new of layer i, with the unbiased variance (Algorithm 2)."""
    if spec.running_variance == "unbiased":
        variance = variance * (batch / (batch - 1))
    new = {f"norm{i}.running_mean": mean, f"norm{i}.running_variance": variance}
    return {name: spec.norm_momentum * statistics[name] + (1 - spec.norm_momentum) * new[name] for name in new}


# --- relu ---


def relu(n: Array) -> Array:
    """a = max(n, 0). Not `jnp.maximum`, to which JAX gives the slope 1/2 at 0: this one has slope 0 there."""
    return jax.nn.relu(n)


# --- dropout ---


def dropout_mask(key: Array, shape: tuple[int, ...], spec: MLPSpec) -> Array:
    """0 with probability p, else 1/(1-p): inverted dropout (Srivastava et al. 2014)."""
    kept = random.bernoulli(key, 1 - spec.dropout, shape)
    return kept.astype(spec.dtype) / (1 - spec.dropout)


def dropout_masks(key: Array, batch: int, spec: MLPSpec) -> tuple[Tensors, Array]:
    """The masks (B, H) of all hidden layers, and the key for the next step.

    JAX's generator has no state of its own: the same key draws the same numbers. So a key is used once, and split.
    """
    masks = {}
    for name, shape in spec.masks(batch).items():
        key, subkey = random.split(key)
        masks[name] = dropout_mask(subkey, shape, spec)
    return masks, key


def dropout(a: Array, mask: Array) -> Array:
    """h = a * m: a (B, H) -> h (B, H)."""
    return a * mask


# --- output ---


def output(h: Array, weight: Array, bias: Array, factors: str) -> Array:
    """logits = h W + b: h (B, H), W (H, C), b (C,) -> logits (B, C)."""
    return dense(h, weight, bias, factors)


# --- loss ---


def cross_entropy(logits: Array, y: Array) -> Array:
    """Per-sample losses (B,). `log_softmax` subtracts the largest logit first, so nothing overflows."""
    log_p = jax.nn.log_softmax(logits)
    return -log_p[jnp.arange(len(y)), y]


# --- backward ---


def backward(loss: Callable[..., tuple[Array, Tensors]], parameters: Tensors, *rest: Any) -> tuple[Any, Tensors]:
    """What `loss` returns, and the gradient of its first part by parameter name.

    JAX goes back by itself: it makes a function of the function, by following what `loss` does with its first argument
    and walking that back. The second part of what `loss` returns (the running statistics) is handed through.
    """
    return jax.value_and_grad(loss, has_aux=True)(parameters, *rest)


# --- update ---


def sgd(w: Array, g: Array, slots: Tensors, settings: Any) -> tuple[Array, Tensors]:
    """v = mu v + g; w - lr v (Sutskever et al. 2013). Without momentum there is no velocity to keep."""
    if not slots:
        return w - settings.learning_rate * g, {}
    velocity = settings.momentum * slots["velocity"] + g
    return w - settings.learning_rate * velocity, {"velocity": velocity}


def adam(w: Array, g: Array, slots: Tensors, step: Array, settings: Any) -> tuple[Array, Tensors]:
    """Kingma & Ba 2015, Algorithm 1; the form "hat" is the one before their section 2.1."""
    m = settings.beta1 * slots["m"] + (1 - settings.beta1) * g
    v = settings.beta2 * slots["v"] + (1 - settings.beta2) * jnp.square(g)
    step = step.astype(w.dtype)
    correction1, correction2 = one_minus_power(settings.beta1, step), one_minus_power(settings.beta2, step)
    if settings.epsilon_form == "algorithm1":
        change = settings.learning_rate * (m / correction1) / (jnp.sqrt(v / correction2) + settings.epsilon)
    else:
        rate = settings.learning_rate * jnp.sqrt(correction2) / correction1
        change = rate * m / (jnp.sqrt(v) + settings.epsilon)
    return w - change, {"m": m, "v": v}


def one_minus_power(beta: float, step: Array) -> Array | float:
    """1 - beta^t as -expm1(t log beta): in float32, beta^t near 1 would lose the digits that the difference needs."""
    return -jnp.expm1(step * math.log(beta)) if beta else 1.0


def update(parameters: Tensors, gradients: Tensors, slots: Tensors, settings: Any) -> tuple[Tensors, Tensors]:
    """One step of the optimizer: the new parameters, and its new slots with the counter among them."""
    new_parameters, new_slots = {}, {}
    if settings.kind != "sgd":
        new_slots["step"] = slots["step"] + 1
    for name, g in gradients.items():
        w, own = parameters[name], {slot: slots[f"{slot}:{name}"] for slot in settings.slots}
        if settings.kind == "adamw" and name.endswith(".weight"):
            w = w * (1 - settings.learning_rate * settings.weight_decay)
        w, own = sgd(w, g, own, settings) if settings.kind == "sgd" else adam(w, g, own, new_slots["step"], settings)
        new_parameters[name] = w
        new_slots |= {f"{slot}:{name}": value for slot, value in own.items()}
    return new_parameters, new_slots


# --- the model ---


class Training(NamedTuple):
    """All that a training step replaces; a pytree too."""

    parameters: Tensors
    statistics: Tensors
    slots: Tensors
    """Of the optimizer; its step counter, a whole number, is one of them."""
    key: Array


def train_step(old: Training, x: Array, y: Array, spec: MLPSpec) -> tuple[Training, Array]:
    """One step of training on x (B, D), y (B,): what takes the place of `old`, and the loss."""
    masks, key = dropout_masks(old.key, len(x), spec)
    (loss, statistics), gradients = backward(mean_loss, old.parameters, old.statistics, masks, x, y, spec)
    parameters, slots = update(old.parameters, gradients, old.slots, spec.optimizer)
    return Training(parameters, statistics, slots, key), loss


def mean_loss(
    parameters: Tensors, statistics: Tensors, masks: Tensors, x: Array, y: Array, spec: MLPSpec
) -> tuple[Array, Tensors]:
    """The mean loss of a training step, as a function of the parameters; and the running statistics after it."""
    logits, statistics, _ = forward(parameters, statistics, masks, x, spec)
    return cross_entropy(logits, y).mean(), statistics


def forward(w: Tensors, statistics: Tensors, masks: Tensors, x: Array, spec: MLPSpec) -> tuple[Array, Tensors, Tensors]:
    """Logits (B, C) of a training step, the running statistics after it, and which units (B, H) passed the ReLUs."""
    h = x
    moved: Tensors = {}
    passed: Tensors = {}
    for i in range(1, len(spec.hidden) + 1):
        h = dense(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"), spec.factors)
        if spec.batch_norm:
            h, mean, variance = batch_norm(h, w[f"norm{i}.gamma"], w[f"norm{i}.beta"], spec.norm_epsilon)
            moved |= moved_statistics(statistics, i, mean, variance, len(x), spec)
        h = relu(h)
        passed[f"relu{i}"] = h > 0
        if spec.dropout:
            h = dropout(h, masks[f"dropout{i}.mask"])
    return output(h, w["output.weight"], w["output.bias"], spec.factors), moved, passed


def active_units(old: Training, x: Array, spec: MLPSpec) -> Tensors:
    """Which units (B, H) of every hidden layer pass in the training step on x (B, D)."""
    masks, _ = dropout_masks(old.key, len(x), spec)
    return forward(old.parameters, old.statistics, masks, x, spec)[2]


def predict(w: Tensors, statistics: Tensors, x: Array, spec: MLPSpec) -> Array:
    """Logits (B, C) with running statistics and without dropout."""
    h = x
    for i in range(1, len(spec.hidden) + 1):
        h = dense(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"), spec.factors)
        if spec.batch_norm:
            h = batch_norm_running(
                h,
                w[f"norm{i}.gamma"],
                w[f"norm{i}.beta"],
                statistics[f"norm{i}.running_mean"],
                statistics[f"norm{i}.running_variance"],
                spec.norm_epsilon,
            )
        h = relu(h)
    return output(h, w["output.weight"], w["output.bias"], spec.factors)


class MLP:
    """The contract's model (`implementations.contract.Model`) out of the functions above.

    float64 needs JAX's switch `jax_enable_x64`, set before anything is built.
    """

    compiled = "jax.jit"
    layout = "(in, out)"

    def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
        kind, _, index = device.partition(":")
        self.spec = spec
        self.device = jax.devices(kind)[int(index or 0)]
        self.tensors = Training({}, {}, {}, self._on_device(random.key(spec.seed)))
        self._train_step = jax.jit(partial(train_step, spec=spec))
        self._predict = jax.jit(partial(predict, spec=spec))
        self._dropout_masks = jax.jit(partial(dropout_masks, spec=spec), static_argnames="batch")
        self._active_units = jax.jit(partial(active_units, spec=spec))

    def train_step(self, x: Array, y: Array) -> Array:
        """One step of training on x (B, D), y (B,); returns the loss without waiting for it."""
        self.tensors, loss = self._train_step(self.tensors, x, y)
        return loss

    def predict(self, x: Array) -> Array:
        """Logits (B, C) with running statistics and without dropout."""
        return self._predict(self.tensors.parameters, self.tensors.statistics, x)

    def state(self) -> Arrays:
        """Copies of all arrays under the specification's names."""
        tensors = self.tensors.parameters | self.tensors.statistics | self.tensors.slots
        state = {name: np.array(value) for name, value in tensors.items()}
        if "step" in state:
            state["step"] = state["step"].astype(float)
        return state

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays: on the CPU, JAX would go on using the memory that it is given."""
        found: dict[str, Tensors] = {"parameter": {}, "statistic": {}, "slot": {}, "counter": {}}
        for name, tensor in self.spec.tensors().items():
            dtype = np.int32 if tensor.role == "counter" else self.spec.dtype
            found[tensor.role][name] = self._on_device(np.array(state[name], dtype))
        slots = found["slot"] | found["counter"]
        self.tensors = Training(found["parameter"], found["statistic"], slots, self.tensors.key)

    def random_state(self) -> Array:
        """The key that the next step's masks are drawn from; never changed in place."""
        return self.tensors.key

    def set_random_state(self, random_state: Array) -> None:
        """Put back that key."""
        self.tensors = self.tensors._replace(key=random_state)

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step: the function that draws them there, compiled too."""
        masks, key = self._dropout_masks(self.tensors.key, batch=batch)
        self.set_random_state(key)
        return {name: np.array(mask) for name, mask in masks.items()}

    def active_units(self, x: Array) -> Arrays:
        """Which units (B, H) pass in a training step on x, by the oracle's names; compiled as the step is."""
        return {name: np.array(side) for name, side in self._active_units(self.tensors, x).items()}

    def _on_device(self, array: Any) -> Array:
        return jax.device_put(array, self.device)


class TunedMLP(MLP):
    """The same step, which writes the new tensors into the memory of the old ones: they are donated, all but the key."""

    compiled = "jax.jit, memory donated"

    def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
        super().__init__(spec, device)
        self._in_place = jax.jit(partial(donating, spec=spec), donate_argnums=0)

    def train_step(self, x: Array, y: Array) -> Array:
        """One step of training on x (B, D), y (B,); returns the loss without waiting for it."""
        *donated, key = self.tensors
        self.tensors, loss = self._in_place(donated, key, x, y)
        return loss


def donating(old: list[Tensors], key: Array, x: Array, y: Array, spec: MLPSpec) -> tuple[Training, Array]:
    """`train_step` with what may be overwritten as one argument."""
    parameters, statistics, slots = old
    return train_step(Training(parameters, statistics, slots, key), x, y, spec)
