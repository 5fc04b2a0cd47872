"""Softmax and cross-entropy in NumPy."""

import numpy as np

Array = np.ndarray

# --- forward ---


def forward(logits: Array, y: Array) -> tuple[Array, Array]:
    """Losses (...,), -log of the probability of the label, and the probabilities P: logits (..., C), y (...,).

    The largest logit is subtracted first, so that no exponential overflows.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=-1, keepdims=True)
    losses = np.log(total)[..., 0] - shifted[at_labels(y)]
    return losses, exponentials / total


def at_labels(y: Array) -> tuple[Array, ...]:
    """The index of every label's own entry in an array (..., C)."""
    return (*np.indices(y.shape), y)


# --- backward ---


def backward(p: Array, y: Array) -> Array:
    """dlogits = (P - onehot(y)) / number of labels: the gradient of the mean loss."""
    dlogits = p.copy()
    dlogits[at_labels(y)] -= 1
    return dlogits / y.size
