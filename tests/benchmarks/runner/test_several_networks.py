"""Runs of several networks: those of a framework share a process, and what breaks one of them leaves the others."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.plan import schedule
from benchmarks.plan.cells import plan
from benchmarks.plan.request import Request
from benchmarks.records.record import Cell, LearningRecord, Record, TimingRecord, UntrainedRecord, WorkerRecord
from benchmarks.runner import blocks
from benchmarks.runner.blocks import Runner
from benchmarks.runner.networks import Network
from implementations.cnn.spec import CNNSpec
from tests.support.lost_training import LostWhileTraining
from tests.support.strangers import offered
from tests.support.tiny_runs import SPEC, TINY, networks, outcomes, timed

IMAGES = CNNSpec(image=(4, 4, 1), channels=(2,), hidden=(), classes=3, batch=8)


def cells_of(*frameworks: str, phases: tuple[str, ...] = ("train_step", "predict")) -> list[Cell]:
    request = Request(TINY, frameworks=frameworks, threads=(1,), phases=phases)
    return plan({"mlp": SPEC, "cnn": IMAGES}, request, gpus=[]).cells


def both(epochs: int = 0, unnamed: bool = False) -> dict[str, Network]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 4, 4, 1)).astype(np.float32), rng.integers(0, 3, size=32)
    images: dict[str, np.ndarray] = {"x_train": x, "y_train": y, "x_test": x, "y_test": y}
    return networks(epochs) | {"cnn": Network(IMAGES, images, epochs, unnamed)}


def execute(cells: list[Cell], number: int = 1, epochs: int = 0) -> list[Record]:
    found: list[Record] = []
    Runner(both(epochs), cells, TINY, number, seed=0, sink=found.append).execute()
    return found


def test_the_networks_of_a_framework_share_a_process_in_every_block() -> None:
    cells = cells_of("numpy")
    records = execute(cells, 2, epochs=1)
    assert timed(records) == {cell.id for cell in cells}
    processes: dict[int, set[str]] = {}
    for record in records:
        if isinstance(record, WorkerRecord):
            processes.setdefault(record.pid, set()).add(record.who.model)
    assert list(processes.values()) == [{"mlp", "cnn"}] * 4  # in two blocks, with a null control each
    trained = [record.who.model for record in records if isinstance(record, LearningRecord)]
    assert trained == ["mlp"] * TINY.trainings + ["cnn"] * TINY.trainings


def test_the_null_control_has_the_training_steps_of_all_networks() -> None:
    cells = cells_of("numpy")
    assert schedule.control(cells, 0) == [cell for cell in cells if cell.phase == "train_step"]


def test_of_a_network_that_nobody_named_there_are_no_first_calls_and_no_null_control() -> None:
    cells = cells_of("numpy", phases=("train_step",))
    records: list[Record] = []
    Runner(both(unnamed=True), cells, TINY, 2, seed=0, sink=records.append).execute()
    timings = [record for record in records if isinstance(record, TimingRecord)]
    measured = {t.cell.who.model for t in timings if t.first_call_s is not None}
    assert (measured, {t.cell.who.model for t in timings if t.control}) == ({"mlp"}, {"mlp"})
    assert timed(records) == {cell.id for cell in cells}


def test_where_the_training_of_one_is_lost_the_others_are_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "WorkerProcess", LostWhileTraining)
    cells = cells_of("numpy", phases=("predict",))
    records = execute(cells, epochs=2)
    assert (timed(records), outcomes(records)) == ({cell.id for cell in cells}, [])
    (lost,) = [record for record in records if isinstance(record, UntrainedRecord)]
    trained = [record.who.model for record in records if isinstance(record, LearningRecord)]
    assert sorted([lost.who.model, *dict.fromkeys(trained)]) == ["cnn", "mlp"]
    assert len(trained) == TINY.trainings


def test_a_network_whose_files_cannot_be_loaded_fails_alone(tmp_path: Path) -> None:
    models = "from implementations.mlp.mlp_numpy import MLP as half\n"
    ours = 'MODELS = {"mlp": "strangers.models:half", "cnn": "strangers.gone:half"}'
    with offered(tmp_path, models, {"half": ours}):
        cells = cells_of("half", phases=("predict",))
        records = execute(cells)
    assert timed(records) == {cell.id for cell in cells if cell.who.model == "mlp"}
    failed = outcomes(records)
    assert {(outcome.cell.who.model, outcome.status) for outcome in failed} == {("cnn", "failed")}
    assert {outcome.reason for outcome in failed} == {"ModuleNotFoundError: No module named 'strangers.gone'"}
