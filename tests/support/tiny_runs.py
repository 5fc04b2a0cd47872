"""Whole runs in seconds: a small network, a profile of a few rounds, real worker processes."""

from typing import Any

import numpy as np

from benchmarks.plan.cells import plan
from benchmarks.plan.profiles import Profile
from benchmarks.plan.request import Request
from benchmarks.records.record import Cell, OutcomeRecord, Record, TimingRecord
from benchmarks.runner.blocks import Runner
from benchmarks.runner.networks import Network
from implementations.mlp.spec import MLPSpec

ROUNDS = 3
TINY = Profile("tiny", ("numpy",), 1, ROUNDS, 1e-4, ("train_step", "predict", "products"), 0)
SPEC = MLPSpec(features=6, hidden=(8,), classes=3, batch=8)


def cells_of(*frameworks: str, **options: Any) -> list[Cell]:
    request = Request(TINY, frameworks=frameworks, threads=(1,), **options)
    return plan({"mlp": SPEC}, request, gpus=[]).cells


def data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 6)).astype(np.float32), rng.integers(0, 3, size=32)
    return {"x_train": x, "y_train": y, "x_test": x, "y_test": y}


def networks(epochs: int = 0) -> dict[str, Network]:
    return {"mlp": Network(SPEC, data(), epochs)}


def execute(cells: list[Cell], blocks: int = 1, epochs: int = 0, null_control: bool = True) -> list[Record]:
    found: list[Record] = []
    Runner(networks(epochs), cells, TINY, blocks, seed=0, sink=found.append, null_control=null_control).execute()
    return found


def timed(records: list[Record], block: int | None = None) -> set[str]:
    """Cells with a time of their own: the null control's is none."""
    found = (r for r in records if isinstance(r, TimingRecord) and not r.control)
    return {r.cell.id for r in found if block in (None, r.block)}


def outcomes(records: list[Record]) -> list[OutcomeRecord]:
    return [r for r in records if isinstance(r, OutcomeRecord)]
