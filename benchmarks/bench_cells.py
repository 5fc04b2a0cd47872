"""The pytest-benchmark module: one test per cell.

Inside a worker the cells are the job's and are timed in that process. With plain `pytest benchmarks/` each cell is
handed to a worker of its own, because no process may hold two frameworks, and the worker's rounds are what
pytest-benchmark tabulates here.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.record import Cell


class WorkersClock:
    """A clock that stands still, except for the time that a worker measured."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


CLOCK = WorkersClock()

MEASURING = pytest.StashKey[Any]()
"""Where a worker's plugin leaves itself in pytest's configuration."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per cell: the worker's job, or the smoke profile where there is no worker."""
    measuring = metafunc.config.stash.get(MEASURING, None)
    cells = measuring.cells if measuring else _smoke_cells()
    marks = () if measuring else (pytest.mark.benchmark(timer=CLOCK),)
    metafunc.parametrize("cell", [pytest.param(cell, id=cell.id, marks=marks) for cell in cells])


def test_cell(cell: Cell, request: pytest.FixtureRequest, benchmark: Any) -> None:
    """Prove the cell's implementation, then time it."""
    measuring = request.config.stash.get(MEASURING, None)
    if measuring:
        measuring.measure(cell, benchmark)
    else:
        _tabulate(cell, benchmark)


def _tabulate(cell: Cell, benchmark: Any) -> None:
    """Have a worker measure the cell, and give pytest-benchmark its rounds."""
    from benchmarks.runner import measure_one

    timing = measure_one(cell)
    benchmark.extra_info |= {"cell": cell.id, "loops": timing.loops}
    rounds: Iterator[float] = iter([elapsed / timing.loops for elapsed in timing.elapsed_s[timing.warmup_rounds :]])

    def replay() -> None:
        CLOCK.now += next(rounds)

    benchmark.pedantic(replay, rounds=len(timing.elapsed_s) - timing.warmup_rounds)


def _smoke_cells() -> list[Cell]:
    from benchmarks import gpus
    from benchmarks.plan import PROFILES, Request, plan
    from implementations import registry

    spec = registry.part("mlp", "spec").Spec.preset("digits")
    return plan("mlp", spec, Request(PROFILES["smoke"]), gpus.visible()).cells
