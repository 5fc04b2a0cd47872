"""A synthetic batch, and some of its samples."""

from typing import Any

import numpy as np

from implementations import initialisation
from implementations.contract import Arrays, DeviceBatch, Spec


def one(spec: Spec, seed: int = 2) -> Arrays:
    """A batch as it is drawn: real numbers are float64."""
    (batch,) = initialisation.batches(spec, 1, seed)
    return batch


def typed(batch: Arrays, dtype: Any) -> Arrays:
    """The same with real numbers of this type."""
    return {name: array if array.dtype.kind == "i" else array.astype(dtype) for name, array in batch.items()}


def samples(batch: DeviceBatch, rows: slice | np.ndarray) -> dict[str, Any]:
    """These of a batch, on the host or on a device."""
    return {name: array[rows] for name, array in batch.items()}
