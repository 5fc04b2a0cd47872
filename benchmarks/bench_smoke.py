"""Plain `pytest benchmarks/`: the smoke profile's cells as pytest-benchmark tests.

Each cell is handed to a worker of its own, because no process may hold two frameworks, and the worker's rounds are what
pytest-benchmark tabulates here.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import gpus
from benchmarks.plan.cells import plan
from benchmarks.plan.profiles import PROFILES
from benchmarks.plan.request import Request
from benchmarks.records.record import Cell, OutcomeRecord, Record, TimingRecord
from benchmarks.runner.blocks import Runner
from benchmarks.runner.networks import Network
from implementations import catalogue, registry
from implementations.contract import Spec


class WorkersClock:
    """A clock that stands still, except for the time that a worker measured."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


CLOCK = WorkersClock()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per cell of the smoke profile."""
    cells = plan({catalogue.MODEL: _spec()}, Request(PROFILES["smoke"]), gpus.visible()).cells
    mark = pytest.mark.benchmark(timer=CLOCK)
    metafunc.parametrize("cell", [pytest.param(cell, id=cell.id, marks=mark) for cell in cells])


def _spec() -> Spec:
    specification: type[Spec] = registry.part(catalogue.MODEL, "spec").Spec
    return specification.preset(next(iter(specification.PRESETS)))


def measure(cell: Cell) -> TimingRecord:
    """One cell in one worker. Raises RuntimeError where it has no time."""
    records: list[Record] = []
    network = Network(_spec(), registry.part(catalogue.MODEL, "data").default(_spec()).arrays())
    Runner({catalogue.MODEL: network}, [cell], PROFILES["smoke"], blocks=1, seed=0, sink=records.append).execute()
    for record in records:
        if isinstance(record, TimingRecord):
            return record
    reasons = [record.reason for record in records if isinstance(record, OutcomeRecord)]
    raise RuntimeError(f"{cell.id} was not timed: {'; '.join(reasons)}")


def test_cell(cell: Cell, benchmark: Any) -> None:
    """Have a worker measure the cell, and give pytest-benchmark its rounds."""
    timing = measure(cell)
    benchmark.extra_info |= {"cell": cell.id, "loops": timing.loops}
    rounds: Iterator[float] = iter([elapsed / timing.loops for elapsed in timing.elapsed_s[timing.warmup_rounds :]])

    def replay() -> None:
        CLOCK.now += next(rounds)

    benchmark.pedantic(replay, rounds=len(timing.elapsed_s) - timing.warmup_rounds)
