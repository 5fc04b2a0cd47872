"""What pytest-benchmark runs inside a worker: one test per cell of the worker's job, timed in that process."""

from typing import Any

import pytest

from benchmarks.records.record import Cell

MEASURING = pytest.StashKey[Any]()
"""Where a worker's plugin leaves itself in pytest's configuration."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per cell of the job."""
    cells = metafunc.config.stash[MEASURING].cells
    metafunc.parametrize("cell", [pytest.param(cell, id=cell.id) for cell in cells])


def test_cell(cell: Cell, request: pytest.FixtureRequest, benchmark: Any) -> None:
    """Prove the cell's implementation, then time it."""
    request.config.stash[MEASURING].measure(cell, benchmark)
