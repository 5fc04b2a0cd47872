"""The data that a run trains on, batch by batch: gathered on the host, copied to the device."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from implementations.contract import Arrays, Batch, DeviceArray, DeviceBatch, Model


class RealData:
    """A run's samples by the names of a batch's arrays: `train`, which may be none, and `test`."""

    def __init__(self, file: Path, seed: int, to_device: Callable[[Batch], DeviceBatch]) -> None:
        self.seed, self.to_device = seed, to_device
        with np.load(file, allow_pickle=False) as arrays:
            stored = {name: arrays[name] for name in arrays.files}
        self.train, self.test = (
            {name.removesuffix(part): array for name, array in stored.items() if name.endswith(part)}
            for part in ("_train", "_test")
        )

    @property
    def samples(self) -> int:
        """There are to train on."""
        return len(next(iter(self.train.values())))

    def epoch(self, model: Model, batch: int, seed: int) -> list[DeviceArray]:
        """One pass: gather, copy, step. Returns the losses."""
        return [model.train_step(arrays) for arrays in self.batches(batch, seed)]

    def batches(self, batch: int, seed: int) -> Iterator[DeviceBatch]:
        """Shuffled, on the device, in whole batches; the remainder waits for another epoch's shuffle."""
        order = np.random.default_rng([self.seed, seed]).permutation(self.samples)
        for rows in np.split(order[: self.samples // batch * batch], max(self.samples // batch, 1)):
            gathered: Arrays = {name: array[rows] for name, array in self.train.items()}
            yield self.to_device(gathered)
