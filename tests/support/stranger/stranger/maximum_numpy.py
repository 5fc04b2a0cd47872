"""The maximum over windows in NumPy. A branch: which position of each window it is."""

from typing import Any

import numpy as np

# --- forward ---


def windows(e: Any, width: int) -> Any:
    """The windows of e (B, T, E): (B, P, E, W)."""
    places = np.arange(e.shape[1] - width + 1)[:, None] + np.arange(width)
    return np.moveaxis(e[:, places], 2, -1)


def forward(w):
    """w (B, P, E, W) -> the largest (B, P, E), and which it was."""
    return forward_on(w, choice(w))


# --- backward ---


def backward(dh: Any, chosen: Any, length: int, width: int) -> Any:
    """de (B, T, E): the gradient goes to the number that was the largest."""
    batch, positions, numbers = dh.shape
    de = np.zeros_like(dh, shape=(batch, length, numbers))
    for k in range(width):
        de[:, k : k + positions] += dh * (chosen == k)
    return de


# --- branch ---


def choice(w):
    """Which position of each window is the largest."""
    return np.argmax(w, axis=-1)


def runner_up(w, chosen):
    """The second largest."""
    return np.argmax(np.where(np.arange(w.shape[-1]) == chosen[..., None], -np.inf, w), axis=-1)


def lead(w, chosen):
    """How far the choice is ahead of the runner-up; infinite where a window has one position."""
    if w.shape[-1] == 1:
        return np.full(w.shape[:-1], np.inf)
    return _at(w, chosen) - _at(w, runner_up(w, chosen))


def forward_on(w, chosen):
    """The same where this is the choice."""
    return _at(w, chosen), chosen


def _at(w, chosen):
    return np.take_along_axis(w, chosen[..., None], axis=-1)[..., 0]
