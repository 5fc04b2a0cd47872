"""The data that a run trains on, batch by batch: gathered on the host, copied to the device."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np


class RealData:
    """A run's arrays: `x_train` (N, D), `y_train` (N,), `x_test`, `y_test`."""

    def __init__(self, file: Path, seed: int, to_device: Callable[[np.ndarray], Any], dtype: str) -> None:
        self.seed, self.to_device, self.dtype = seed, to_device, dtype
        with np.load(file, allow_pickle=False) as arrays:
            self.arrays = {name: arrays[name] for name in arrays.files}

    @property
    def samples(self) -> int:
        """Training samples."""
        return len(self.arrays["y_train"])

    def epoch(self, model: Any, batch: int, seed: int) -> list[Any]:
        """One pass: gather, copy, step. Returns the losses."""
        return [model.train_step(x, y) for x, y in self.batches(batch, seed)]

    def batches(self, batch: int, seed: int) -> Iterator[tuple[Any, Any]]:
        """Shuffled, on the device, in whole batches; the remainder waits for another epoch's shuffle."""
        order = np.random.default_rng([self.seed, seed]).permutation(self.samples)
        for rows in np.split(order[: self.samples // batch * batch], max(self.samples // batch, 1)):
            x, y = self.arrays["x_train"][rows], self.arrays["y_train"][rows]
            yield self.to_device(x.astype(self.dtype, copy=False)), self.to_device(y)

    def test(self) -> tuple[Any, np.ndarray]:
        """Features on the device, labels on the host."""
        return self.to_device(self.arrays["x_test"].astype(self.dtype)), self.arrays["y_test"]
