"""What shows on a test set whether a network has learned, computed on the host from its logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a specification names its metric before NumPy is needed
    from collections.abc import Mapping

    import numpy as np


def accuracy(logits: np.ndarray, batch: Mapping[str, np.ndarray]) -> float:
    """The share of the labels y (...,) whose logit is the largest of (..., C)."""
    return float((logits.argmax(axis=-1) == batch["y"]).mean())


def bits_per_label(logits: np.ndarray, batch: Mapping[str, np.ndarray]) -> float:
    """The mean of -log2 of the probability of the label, from logits (..., C) and labels y (...,)."""
    import numpy as np

    scores = logits.astype(np.float64)
    scores -= scores.max(axis=-1, keepdims=True)
    of_labels = np.take_along_axis(scores, batch["y"][..., None], axis=-1)[..., 0]
    return float((np.log(np.exp(scores).sum(axis=-1)) - of_labels).mean() / np.log(2))
