"""Gradient descent, Adam and AdamW in JAX. Python numbers take the precision of the array they meet."""

import math
from typing import Any

import jax.numpy as jnp
from jax import Array

Tensors = dict[str, Array]

# --- update ---


def update(
    w: Array, g: Array, slots: Tensors, step: Array | None, settings: Any, decays: bool
) -> tuple[Array, Tensors]:
    """One parameter and its slots after the step with this number; weight decay comes before the step."""
    if settings.kind == "sgd":
        return sgd(w, g, slots, settings)
    if settings.kind == "adamw" and decays:
        w = w * (1 - settings.learning_rate * settings.weight_decay)
    return adam(w, g, slots, step, settings)


def sgd(w: Array, g: Array, slots: Tensors, settings: Any) -> tuple[Array, Tensors]:
    """v = mu v + g; w = w - lr v (Sutskever et al. 2013). Without momentum there is no velocity to keep."""
    if not slots:
        return w - settings.learning_rate * g, {}
    velocity = settings.momentum * slots["velocity"] + g
    return w - settings.learning_rate * velocity, {"velocity": velocity}


def adam(w: Array, g: Array, slots: Tensors, step: Array, settings: Any) -> tuple[Array, Tensors]:
    """Kingma & Ba 2015, Algorithm 1; the form "hat" is the one before their section 2.1."""
    beta1, beta2 = settings.beta1, settings.beta2
    m = beta1 * slots["m"] + (1 - beta1) * g
    v = beta2 * slots["v"] + (1 - beta2) * jnp.square(g)
    step = step.astype(w.dtype)
    correction1, correction2 = one_minus_power(beta1, step), one_minus_power(beta2, step)
    if settings.epsilon_form == "algorithm1":
        change = settings.learning_rate * (m / correction1) / (jnp.sqrt(v / correction2) + settings.epsilon)
    else:
        rate = settings.learning_rate * jnp.sqrt(correction2) / correction1
        change = rate * m / (jnp.sqrt(v) + settings.epsilon)
    return w - change, {"m": m, "v": v}


def one_minus_power(beta: float, step: Array) -> Array | float:
    """1 - beta^t as -expm1(t log beta): in float32, beta^t near 1 would lose the digits that the difference needs."""
    return -jnp.expm1(step * math.log(beta)) if beta else 1.0
