"""Max pooling in NumPy: 2x2 windows side by side. An odd last row or column is left out. It stands behind a ReLU."""

from typing import Any

import numpy as np

Array = np.ndarray
PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Row and column within a window, in the order in which the first of equals wins."""

# --- forward ---


def forward(a: Array) -> tuple[Array, Array]:
    """p[b,i,j,k] = the largest of a[b, 2i+u, 2j+v, k] over u, v in {0, 1}: a (B, H, W, C) -> p (B, H//2, W//2, C).

    Also returns at which of the four places of its window it stands: the first, where several are equal.
    """
    return np.max(windows(a), axis=0), choice(a)


def windows(a: Array) -> Array:
    """The four numbers of every window: (4, B, H//2, W//2, C)."""
    height, width = a.shape[1] // 2 * 2, a.shape[2] // 2 * 2
    return np.stack([a[:, u:height:2, v:width:2] for u, v in PLACES])


# --- backward ---


def backward(dp: Array, chosen: Array, shape: tuple[int, ...]) -> Array:
    """da (B, H, W, C), the shape: all of dp goes to the place that won, nothing to the others."""
    da = np.zeros_like(dp, shape=shape)
    for place, (u, v) in enumerate(PLACES):
        da[:, u : 2 * dp.shape[1] : 2, v : 2 * dp.shape[2] : 2] = dp * (chosen == place)
    return da


# --- branch ---


def choice(a: Array) -> Array:
    """The place of each window's largest number: the first of equals, or of those that are not a number."""
    return np.argmax(windows(a), axis=0)


def runner_up(a: Array, choice: Array) -> Array:
    """The place of the largest of the other three."""
    return np.argmax(np.where(_is_at(choice), -np.inf, windows(a)), axis=0)


def lead(a: Array, choice: Array) -> Array:
    """How far the choice is ahead of the runner-up. Where a ReLU stopped all four it is nothing, and decides nothing."""
    return _at(windows(a), choice) - _at(windows(a), runner_up(a, choice))


def forward_on(a: Array, choice: Array) -> tuple[Array, Array]:
    """The same where this is the choice.

    But where that is zero, the largest, as ever: the ReLU may have been made to pass another of the four, on the choice of a
    code for which it was just above zero.
    """
    first = np.argmax(windows(a), axis=0)
    chosen = np.where(_at(windows(a), choice) == 0, first, choice)
    return _at(windows(a), chosen), chosen


def _is_at(choice: Array) -> Any:
    return np.arange(4).reshape(4, 1, 1, 1, 1) == choice


def _at(windows: Array, choice: Array) -> Array:
    return np.take_along_axis(windows, choice[None], axis=0)[0]
