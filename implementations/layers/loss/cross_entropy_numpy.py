"""Softmax and cross-entropy in NumPy."""

import numpy as np

Array = np.ndarray

# --- forward ---


def forward(logits: Array, y: Array) -> tuple[Array, Array]:
    """Per-sample losses (B,), -log of the probability of the label, and the probabilities P (B, C).

    The largest logit is subtracted first, so that no exponential overflows.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)
    losses = np.log(total)[:, 0] - shifted[np.arange(len(y)), y]
    return losses, exponentials / total


# --- backward ---


def backward(p: Array, y: Array) -> Array:
    """dlogits = (P - onehot(y)) / B: the gradient of the mean loss."""
    dlogits = p.copy()
    dlogits[np.arange(len(y)), y] -= 1
    return dlogits / len(y)
