"""What the perceptron trains on: scikit-learn's digits, or a file of the user's."""

from implementations.data import digits as default
from implementations.data import load as load

__all__ = ["default", "load"]
