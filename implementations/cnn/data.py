"""What the convolutional network trains on: scikit-learn's digits, or a file of the user's; as images with channels."""

from pathlib import Path
from typing import Any

from implementations import data


def default(spec: Any) -> data.Dataset:
    """The digits."""
    return data.digits().images()


def load(path: str | Path, spec: Any) -> data.Dataset:
    """`implementations.data.load`. Raises BadInput too where the samples are rows of features."""
    return data.load(path).images()
