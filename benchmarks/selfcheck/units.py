"""Work whose true ratio is known: the same unit again and again, 200 times in one cell and a few more in the other."""

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # pyperf starts a process that needs this module, and no record, some twenty times
    from benchmarks.records.record import Cell

Call = Callable[[], None]
Unit = Callable[[], object]

UNITS = 200
"""Units in a call of the reference. The candidate's call has some more: 6 are a true difference of 3%."""

EXTRAS = (0, 6, 10)

REFERENCE, CANDIDATE = "reference", "candidate"
SIDES = (REFERENCE, CANDIDATE)

WORKLOADS = {
    "dispatch": "adding two vectors of 16 numbers: nearly all of it is the cost of calling NumPy",
    "matrix": "multiplying two matrices of 64 x 64 numbers: arithmetic in the caches",
    "memory": "copying 32 KiB, on and on through 64 MiB: the memory's bandwidth",
}
"""What one unit is. All in float32, on one thread."""


def call(workload: str, extra: int, side: str) -> Call:
    """A call of one side of a comparison. Raises KeyError for an unknown workload."""
    unit = {"dispatch": _dispatch, "matrix": _matrix, "memory": _memory}[workload]()
    units = UNITS + (extra if side == CANDIDATE else 0)

    def several() -> None:
        for _ in range(units):
            unit()

    return several


def cells() -> "list[Cell]":
    """Both sides of every workload and every true difference, as cells of a run."""
    from benchmarks.records.record import Cell, Configuration

    return [
        Cell(who=Configuration(model="units", framework=side, threads=1), phase=workload, axes={"extra": extra})
        for workload in WORKLOADS
        for extra in EXTRAS
        for side in SIDES
    ]


def true_ratio(extra: int) -> float:
    """The candidate's time over the reference's."""
    return (UNITS + extra) / UNITS


def _dispatch() -> Unit:
    a, b, out = (np.ones(16, np.float32) for _ in range(3))
    return lambda: np.add(a, b, out=out)


def _matrix() -> Unit:
    a, b, out = (np.ones((64, 64), np.float32) for _ in range(3))
    return lambda: np.matmul(a, b, out=out)


def _memory() -> Unit:
    chunk, size = 2**13, 2**24
    source, target = np.ones(size, np.float32), np.zeros(size, np.float32)
    places = itertools.cycle(range(0, size, chunk))

    def copy() -> None:
        at = next(places)
        target[at : at + chunk] = source[at : at + chunk]

    return copy
