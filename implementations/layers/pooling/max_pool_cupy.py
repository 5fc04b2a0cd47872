"""Max pooling in CuPy: 2x2 windows side by side. An odd last row or column is left out."""

from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray
PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Row and column within a window, in the order in which the first of equals wins."""

# --- forward ---


def forward(a: Array) -> tuple[Array, Array]:
    """p[b,i,j,k] = the largest of a[b, 2i+u, 2j+v, k] over u, v in {0, 1}: a (B, H, W, C) -> p (B, H//2, W//2, C).

    Also returns at which of the four places of its window it stands: the first, where several are equal.
    """
    return cp.max(windows(a), axis=0), choice(a)


def windows(a: Array) -> Array:
    """The four numbers of every window: (4, B, H//2, W//2, C)."""
    height, width = a.shape[1] // 2 * 2, a.shape[2] // 2 * 2
    return cp.stack([a[:, u:height:2, v:width:2] for u, v in PLACES])


# --- backward ---


def backward(dp: Array, chosen: Array, shape: tuple[int, ...]) -> Array:
    """da (B, H, W, C), the shape: all of dp goes to the place that won, nothing to the others."""
    da = cp.zeros_like(dp, shape=shape)
    for place, (u, v) in enumerate(PLACES):
        da[:, u : 2 * dp.shape[1] : 2, v : 2 * dp.shape[2] : 2] = dp * (chosen == place)
    return da


# --- branch ---


def choice(a: Array) -> Array:
    """The place of each window's largest number: the first of equals, or of those that are not a number."""
    return cp.argmax(windows(a), axis=0)
