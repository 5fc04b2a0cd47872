"""What pytest-benchmark runs inside a worker: one test per cell and visit of the worker's job, timed in that process."""

from typing import Any

import pytest

from benchmarks.records.record import Cell

MEASURING = pytest.StashKey[Any]()
"""Where a worker's plugin leaves itself in pytest's configuration."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per cell and visit of the job."""
    parts = metafunc.config.stash[MEASURING].job.parts
    every = [(visit, cell) for part in parts for visit in range(part.visits) for cell in part.cells]
    metafunc.parametrize("cell", [pytest.param(cell, id=f"{cell.id}-{visit}") for visit, cell in every])


def test_cell(cell: Cell, request: pytest.FixtureRequest, benchmark: Any) -> None:
    """Prove the cell's implementation, then time it, as far as this visit goes."""
    request.config.stash[MEASURING].measure(cell, benchmark)
