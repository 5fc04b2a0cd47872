"""Gradient descent, Adam and AdamW in NumPy."""

import math
from typing import Any

import numpy as np

from implementations.contract import Arrays

Array = np.ndarray

# --- update ---


def update(w: Array, g: Array, slots: Arrays, step: int, settings: Any, decays: bool) -> tuple[Array, Arrays]:
    """One parameter and its slots after the step with this number; weight decay comes before the step."""
    if settings.kind == "sgd":
        return sgd(w, g, slots, settings)
    if settings.kind == "adamw" and decays:
        w = w * (1 - settings.learning_rate * settings.weight_decay)
    return adam(w, g, slots, step, settings)


def sgd(w: Array, g: Array, slots: Arrays, settings: Any) -> tuple[Array, Arrays]:
    """v = mu v + g; w = w - lr v (Sutskever et al. 2013). Without momentum there is no velocity to keep."""
    if not slots:
        return w - settings.learning_rate * g, {}
    velocity = settings.momentum * slots["velocity"] + g
    return w - settings.learning_rate * velocity, {"velocity": velocity}


def adam(w: Array, g: Array, slots: Arrays, step: int, settings: Any) -> tuple[Array, Arrays]:
    """Kingma & Ba 2015, Algorithm 1; the form "hat" is the one before their section 2.1."""
    beta1, beta2 = settings.beta1, settings.beta2
    m = beta1 * slots["m"] + (1 - beta1) * g
    v = beta2 * slots["v"] + (1 - beta2) * (g * g)
    correction1, correction2 = 1 - beta1**step, 1 - beta2**step
    if settings.epsilon_form == "algorithm1":
        change = settings.learning_rate * (m / correction1) / (np.sqrt(v / correction2) + settings.epsilon)
    else:
        rate = settings.learning_rate * math.sqrt(correction2) / correction1
        change = rate * m / (np.sqrt(v) + settings.epsilon)
    return w - change, {"m": m, "v": v}
