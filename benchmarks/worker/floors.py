"""The floors, in the framework's own library: the products of a training step, a large product, a large copy."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np

from benchmarks.records.record import COPY, PEAK
from implementations.contract import ExtendedFramework, Spec
from implementations.equivalence.kit import Kit

PEAK_SIZE = {"cpu": 512, "cuda": 8192}
"""Rows and columns of the large product's matrices, by kind of device: large enough to reach the library's full rate."""

COPY_BYTES = {"cpu": 2**25, "cuda": 2**29}
"""Size of the large copy's array: larger than the caches."""

DRAWN = 2**22
"""Numbers that are drawn at random; a larger array repeats them, for half a gigabyte of them takes seconds in every block."""

CORNER = 1024
"""Numbers of a result that are copied to the host, where it says that the work is done."""


class Floors:
    """Of one framework on one kind of device, in one number type."""

    def __init__(self, kit: Kit, kind: str, seed: int, dtype: str) -> None:
        self.kit, self.kind, self.seed, self.dtype = kit, kind, seed, np.dtype(dtype)

    def call_of(self, phase: str, spec: Spec) -> Callable[[], Any]:
        """One unit of work, returning its last result without waiting for it."""
        if phase == PEAK:
            return self._products([(PEAK_SIZE[self.kind],) * 3])
        return self._copy() if phase == COPY else self._products(spec.matrix_products("train_step"))

    def least(self, phase: str, spec: Spec) -> tuple[int, int, int]:
        """Of one step or call: floating-point operations of its products, those and the bytes that cannot be avoided."""
        if phase == PEAK:
            return 2 * PEAK_SIZE[self.kind] ** 3, 2 * PEAK_SIZE[self.kind] ** 3, 0
        if phase == COPY:
            return 0, 0, 2 * COPY_BYTES[self.kind]
        phase = "predict" if phase == "predict" else "train_step"
        return spec.flops(phase), spec.least_flops(phase), spec.least_bytes(phase)

    def _products(self, shapes: Iterable[tuple[int, int, int]]) -> Callable[[], Any]:
        factor, product = self.kit.products.factor, self.kit.adapter.matrix_product
        pairs = [(factor(self._random(m, k)), factor(self._random(k, n))) for m, k, n in shapes]
        return lambda: [product(a, b) for a, b in pairs]  # all of them: none waits for another

    def _copy(self) -> Callable[[], Any]:
        numbers = COPY_BYTES[self.kind] // self.dtype.itemsize
        source, target = (self.kit.to_device(self._random(1, numbers)) for _ in range(2))
        copy = cast(ExtendedFramework, self.kit.adapter).copy
        return lambda: copy(source, target)

    def _random(self, rows: int, columns: int) -> np.ndarray:
        drawn = np.random.default_rng(self.seed).random(min(rows * columns, DRAWN), dtype=self.dtype.type)
        drawn -= self.dtype.type(0.5)
        return np.resize(drawn, (rows, columns))
