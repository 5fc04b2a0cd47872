"""What the perceptron trains on: scikit-learn's digits, or a file of the user's; images as rows of pixels."""

from pathlib import Path
from typing import Any

from implementations import data


def default(spec: Any) -> data.Dataset:
    """The digits."""
    return data.digits().flat()


def load(path: str | Path, spec: Any) -> data.Dataset:
    """`implementations.data.load`."""
    return data.load(path).flat()
