"""Clipping by global norm in Keras, whose optimizers do it themselves."""

from collections.abc import Callable
from typing import Any

# --- clipping ---


def settings(largest: float, number: Callable[[float], Any]) -> dict[str, Any]:
    """What an optimizer is told: all gradients times min(1, c / ||g||) (Pascanu, Mikolov & Bengio 2013, Algorithm 1).

    `clipnorm` would be one norm for each variable.
    """
    return {"global_clipnorm": number(largest)} if largest else {}
