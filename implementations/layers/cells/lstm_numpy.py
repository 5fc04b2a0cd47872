"""One step of a long short-term memory in NumPy (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000)."""

from typing import Any

import numpy as np

from implementations.layers.recurrent.recurrent_numpy import sigmoid

Array = np.ndarray
Cache = Any

MEMORIES = 2
"""What one step hands to the next: the state h and the cell state c."""

# --- forward ---


def step(xw: Array, hu: Array, memory: tuple[Array, ...]) -> tuple[tuple[Array, ...], Cache]:
    """h and c (B, H) after a step, and what the way back needs: xw = x W + b and hu = h U (B, 4H), blocks in the order i, f, g, o.

    i, f, o = sigmoid(.), g = tanh(.);  c' = f c + i g;  h' = o tanh(c').
    """
    _, c = memory
    i, f, g, o = np.split(xw + hu, 4, axis=-1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c_new = f * c + i * g
    squashed = np.tanh(c_new)
    return (o * squashed, c_new), (i, f, g, o, c, squashed)


# --- backward ---


def step_backward(dmemory: tuple[Array, ...], cache: Cache) -> tuple[Array, Array, tuple[Any, ...]]:
    """Gradients of xw and of hu, and of h and c before the step as far as they do not come through hu."""
    i, f, g, o, c, squashed = cache
    dh, dc = dmemory
    dc = dc + dh * o * (1 - squashed * squashed)
    di, df = dc * g * i * (1 - i), dc * c * f * (1 - f)
    dg, do = dc * i * (1 - g * g), dh * squashed * o * (1 - o)
    dz = np.concatenate([di, df, dg, do], axis=-1)
    return dz, dz, (0, dc * f)
