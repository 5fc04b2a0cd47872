"""The optimizer's last line in float64: what parameters must be, given the slots after the step."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

Expected = tuple[np.ndarray, np.ndarray, np.ndarray]


def parameters(spec: Any, before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]) -> dict[str, Expected]:
    """By name: (value, sum of the sizes of its terms, what the rounding of constants in double precision is in proportion to).

    A parameter without a slot is left out: its gradient is known from its change alone.
    """
    settings, expected = spec.optimizer, {}
    for name, tensor in spec.tensors().items():
        if tensor.role == "parameter" and all(f"{slot}:{name}" in after for slot in settings.slots or ("none",)):
            w = np.asarray(before[name], np.float64)
            slots = [np.asarray(after[f"{slot}:{name}"], np.float64) for slot in settings.slots]
            if settings.kind == "sgd":
                change, lost, decay = settings.learning_rate * slots[0], 1.0, 0.0
            else:
                m, v = slots
                change, lost = _adam(float(after["step"]), m, v, settings)
                decays = settings.kind == "adamw" and tensor.decays
                decay = settings.learning_rate * settings.weight_decay if decays else 0.0
            expected[name] = (w * (1 - decay) - change, np.abs(w) + np.abs(change), lost * np.abs(change))
    return expected


def _adam(step: float, m: np.ndarray, v: np.ndarray, settings: Any) -> tuple[np.ndarray, float]:
    """The change, and how many roundings of the powers of beta are in it: 1 - beta^t cancels digits."""
    one, two = (-math.expm1(step * math.log(b)) if b else 1.0 for b in (settings.beta1, settings.beta2))
    epsilon = settings.epsilon * (math.sqrt(two) if settings.epsilon_form == "algorithm1" else 1)
    change = settings.learning_rate * math.sqrt(two) / one * m / (np.sqrt(v) + epsilon)
    return change, 1 + 1 / one + 1 / two
