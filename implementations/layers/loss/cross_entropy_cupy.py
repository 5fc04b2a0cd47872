"""Softmax and cross-entropy in CuPy."""

from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray

# --- forward ---


def forward(logits: Array, y: Array) -> tuple[Array, Array]:
    """Per-sample losses (B,), -log of the probability of the label, and the probabilities P (B, C).

    The largest logit is subtracted first, so that no exponential overflows.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = cp.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)
    losses = cp.log(total)[:, 0] - shifted[cp.arange(len(y)), y]
    return losses, exponentials / total


# --- backward ---


def backward(p: Array, y: Array) -> Array:
    """dlogits = (P - onehot(y)) / B: the gradient of the mean loss."""
    dlogits = p.copy()
    dlogits[cp.arange(len(y)), y] -= 1
    return dlogits / len(y)
