"""One step of the simple recurrent layer in CuPy (Elman 1990)."""

from typing import Any, TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray
Cache = Any

MEMORIES = 1
"""What one step hands to the next: the state h."""

# --- forward ---


def step(xw: Array, hu: Array, memory: tuple[Array, ...]) -> tuple[tuple[Array, ...], Cache]:
    """h' = tanh(xw + hu) (B, H), and what the way back needs: xw = x W + b and hu = h U (B, H)."""
    h = cp.tanh(xw + hu)
    return (h,), (h,)


# --- backward ---


def step_backward(dmemory: tuple[Array, ...], cache: Cache) -> tuple[Array, Array, tuple[Any, ...]]:
    """Gradients of xw and of hu; h before the step is seen through hu alone."""
    (dh,), (h,) = dmemory, cache
    dz = dh * (1 - h * h)
    return dz, dz, (0,)
