"""One step of a gated recurrent unit in NumPy (Cho et al. 2014, with the reset gate behind the product)."""

from typing import Any

import numpy as np

from implementations.layers.recurrent.recurrent_numpy import sigmoid

Array = np.ndarray
Cache = Any

MEMORIES = 1
"""What one step hands to the next: the state h."""

# --- forward ---


def step(xw: Array, hu: Array, memory: tuple[Array, ...]) -> tuple[tuple[Array, ...], Cache]:
    """h (B, H) after a step, and what the way back needs: xw = x W + b and hu = h U + d (B, 3H), blocks in the order r, z, n.

    r, z = sigmoid(.) of both sums;  n = tanh(xw + r hu);  h' = (1 - z) n + z h.
    """
    (h,) = memory
    xr, xz, xn = np.split(xw, 3, axis=-1)
    hr, hz, hn = np.split(hu, 3, axis=-1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = np.tanh(xn + r * hn)
    return ((1 - z) * n + z * h,), (r, z, n, hn, h)


# --- backward ---


def step_backward(dmemory: tuple[Array, ...], cache: Cache) -> tuple[Array, Array, tuple[Any, ...]]:
    """Gradients of xw and of hu, and of h before the step as far as it does not come through hu."""
    r, z, n, hn, h = cache
    (dh,) = dmemory
    dz = dh * (h - n) * z * (1 - z)
    dn = dh * (1 - z) * (1 - n * n)
    dr = dn * hn * r * (1 - r)
    return np.concatenate([dr, dz, dn], axis=-1), np.concatenate([dr, dz, dn * r], axis=-1), (dh * z,)
