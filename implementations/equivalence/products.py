"""Whatever multiplies in a network, as a product of two matrices: so its precision can be seen."""

from typing import cast

import numpy as np

from implementations.contract import DeviceArray, ExtendedFramework, Framework
from implementations.equivalence.precision import Product


class Products:
    """Of one framework on one device, in the precision that is in use; `layers` are those of the network."""

    def __init__(self, adapter: Framework, device: str, layers: set[str]) -> None:
        self.adapter, self.device, self.layers = adapter, device, layers

    def by_name(self) -> dict[str, Product]:
        """Each that multiplies in this network: many libraries switch the precision of convolutions by itself, and
        that of recurrent layers.
        """
        found: dict[str, Product] = {"matrix product": self.of_matrices}
        if "convolution" in self.layers and hasattr(self.adapter, "convolution"):
            found["convolution"] = self.by_convolution
        if "recurrent" in self.layers and hasattr(self.adapter, "recurrence"):
            found["recurrent layer"] = self.by_recurrence
        if "attention" in self.layers and hasattr(self.adapter, "attention"):
            found["kernel of attention"] = self.by_attention
        return found

    def by_convolution(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The same: a's rows (H W, C) are the pixels of an image, and the kernel has b (C, K) in its middle."""
        side = int(np.sqrt(len(a)))
        kernel = np.zeros((3, 3, *b.shape), b.dtype)
        kernel[1, 1] = b
        image = self.factor(a.reshape(1, side, side, -1))
        maps = cast(ExtendedFramework, self.adapter).convolution(image, self.factor(kernel))
        return self.adapter.to_host(maps).reshape(len(a), -1)

    def by_recurrence(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The same: a's rows are states, b are the recurrent weights. What a ReLU lets through of a b, and of its negative, is a b."""
        recurrence = cast(ExtendedFramework, self.adapter).recurrence

        def multiplied(states: np.ndarray, weight: np.ndarray) -> np.ndarray:
            return self.adapter.to_host(recurrence(self.factor(states), self.factor(weight)))

        positive, negative = np.maximum(a, 0), np.maximum(-a, 0)
        of_positive, of_negative = (multiplied(part, b) - multiplied(part, -b) for part in (positive, negative))
        return np.asarray(of_positive - of_negative)

    def by_attention(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The same as means of a's columns, weighted by b: by scores that are logarithms, once for each sign."""
        attention, result = cast(ExtendedFramework, self.adapter).attention, np.zeros((b.shape[1], len(a)), b.dtype)
        keys, values = self.factor(np.eye(len(b), dtype=b.dtype)), self.factor(a.T)
        for sign in (1, -1):
            part = np.maximum(sign * b.T, 0)
            total = part.sum(axis=1, keepdims=True)
            weights = part / np.where(total, total, 1)
            scores = np.where(weights, np.log(np.where(weights, weights, 1)), -1e4) * np.sqrt(len(b))
            result += sign * total * self.adapter.to_host(attention(self.factor(scores.astype(b.dtype)), keys, values))
        return result.T

    def of_matrices(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """A product on the device of two host arrays, in the precision that is in use."""
        return self.adapter.to_host(self.adapter.matrix_product(self.factor(a), self.factor(b)))

    def factor(self, array: np.ndarray) -> DeviceArray:
        """A copy on the device, as a matrix product takes it."""
        tensor = self.adapter.to_device(array, self.device)
        return self.adapter.as_factor(tensor) if hasattr(self.adapter, "as_factor") else tensor
