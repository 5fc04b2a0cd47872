"""What the Transformer trains on: the text of Python's help pages, the digits piece by piece, or a file of the user's."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from implementations import data, text

SIDE = 2
"""Pixels of a piece of a digit's image: it is cut into 4 x 4 of them."""


def default(spec: Any) -> data.Dataset | text.Text:
    """With a vocabulary text, else the digits: each image is a sequence of 16 square pieces."""
    return text.topics(spec.length) if spec.vocabulary else pieces(data.digits().images(), SIDE)


def load(path: str | Path, spec: Any) -> data.Dataset | text.Text:
    """With a vocabulary a text, else as `implementations.data.load`, images row by row. Raises BadInput too where it is of the other kind."""
    return text.load_or(Path(path), spec, lambda file: data.load(file).sequences())


def pieces(dataset: data.Dataset, side: int) -> data.Dataset:
    """Images (N, height, width, channels) as sequences of their square pieces (N, steps, side * side * channels), row by row."""
    return replace(dataset, x_train=_cut(dataset.x_train, side), x_test=_cut(dataset.x_test, side))


def _cut(images: np.ndarray, side: int) -> np.ndarray:
    count, height, width, channels = images.shape
    rows = images.reshape(count, height // side, side, width // side, side, channels)
    steps = height // side * (width // side)
    return np.ascontiguousarray(rows.swapaxes(2, 3)).reshape(count, steps, side * side * channels)
