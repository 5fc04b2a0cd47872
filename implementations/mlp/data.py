"""What the perceptron trains on: scikit-learn's digits, or a file of the user's; images as rows of pixels."""

from pathlib import Path

from implementations import data


def default() -> data.Dataset:
    """The digits."""
    return data.digits().flat()


def load(path: str | Path, seed: int = 0) -> data.Dataset:
    """`implementations.data.load`."""
    return data.load(path, seed).flat()
