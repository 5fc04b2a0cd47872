"""Runs whose workers die, cannot start or say nothing: what is recorded of them, and that nothing else is lost."""

import os
import signal
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from benchmarks.records import records_file
from benchmarks.records.record import (
    BlockRecord,
    LearningRecord,
    Record,
    TimingRecord,
    UntrainedRecord,
    WorkerRecord,
)
from benchmarks.runner import blocks, worker_process
from benchmarks.runner.blocks import Runner
from benchmarks.runner.worker_process import WorkerProcess
from benchmarks.worker.protocol import LEARNING
from tests.support.tiny_runs import TINY, cells_of, execute, networks, outcomes, timed


class Dying(WorkerProcess):
    """A worker that is killed when it says that it is at a certain point for the first time."""

    moment, after, block, victim, control = "turn", "", 0, "", False
    killed: int
    said: tuple[str, ...] = ("",)

    def next(self, timeout_s: float) -> Any:
        said = super().next(timeout_s)
        here = isinstance(said, dict) and said["event"] == self.moment and self.victim in said.get("cell", "")
        here = here and self.after in self.said
        self.said = (*self.said, said["event"]) if isinstance(said, dict) else self.said
        if here and self.job.block == self.block and self.job.control == self.control and not type(self).killed:
            type(self).killed = self.process.pid
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return said


def test_a_worker_that_is_killed_loses_its_cell_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dying, "killed", 0, raising=False)
    monkeypatch.setattr(Dying, "victim", "/predict/batch8")
    monkeypatch.setattr(blocks, "WorkerProcess", Dying)
    cells = cells_of("numpy")
    records = execute(cells, epochs=1)
    assert Dying.killed
    (lost,) = outcomes(records)
    assert "/predict/batch8" in lost.cell.id
    assert lost.status == "failed"
    assert lost.reason == "the worker was lost: its process ended with signal 9"
    assert timed(records) == {cell.id for cell in cells} - {lost.cell.id}
    assert [r for r in records if isinstance(r, LearningRecord)]


@pytest.mark.parametrize(
    ("block", "after"), [(0, ""), (0, "called"), (1, "")], ids=["first calls", "first proofs", "later proofs"]
)
def test_a_worker_that_is_killed_while_it_prepares_loses_one_cell(
    monkeypatch: pytest.MonkeyPatch, block: int, after: str
) -> None:
    monkeypatch.setattr(Dying, "killed", 0, raising=False)
    monkeypatch.setattr(Dying, "moment", "preparing")
    monkeypatch.setattr(Dying, "after", after)
    monkeypatch.setattr(Dying, "block", block)
    monkeypatch.setattr(blocks, "WorkerProcess", Dying)
    cells = cells_of("numpy", modes=("plain", "tuned"))  # a worker each
    records = execute(cells, blocks=2)
    assert Dying.killed
    (lost,) = outcomes(records)
    assert (lost.block, lost.status) == (block, "failed")
    assert timed(records, block=1 - block) == {cell.id for cell in cells}
    assert timed(records, block=block) == {cell.id for cell in cells} - {lost.cell.id}


@pytest.mark.parametrize(("left_s", "measured"), [(0.0, [0]), (600.0, [0, 1, 2])])
def test_a_budget_ends_by_the_clock_and_the_first_block_is_measured_in_any_case(
    left_s: float, measured: list[int]
) -> None:
    records: list[Record] = []
    said: list[str] = []
    end_s = monotonic() + left_s
    Runner(
        networks(), cells_of("numpy", phases=("predict",)), TINY, 3, 0, records.append, said.append, end_s=end_s
    ).execute()
    assert [r.block for r in records if isinstance(r, BlockRecord)] == measured
    assert any("the budget is over before block 2 of 3" in line for line in said) == (left_s == 0)


def test_further_blocks_follow_the_planned_ones_while_there_is_time() -> None:
    records: list[Record] = []
    cells = cells_of("numpy", phases=("predict",))
    run = Runner(networks(), cells, TINY, 1, 0, records.append, more_until_s=monotonic() + 600)

    def sink(record: Record) -> None:
        records.append(record)
        if len(blocks_of(records)) == 3:
            run.more_until_s = 0.0

    run.sink = sink
    run.execute()
    assert blocks_of(records) == [0, 1, 2]
    assert timed(records, block=2) == {cell.id for cell in cells}


def blocks_of(records: list[Record]) -> list[int]:
    return [record.block for record in records if isinstance(record, BlockRecord)]


def test_a_null_control_that_is_killed_leaves_no_hole_in_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dying, "killed", 0, raising=False)
    monkeypatch.setattr(Dying, "control", True)
    monkeypatch.setattr(blocks, "WorkerProcess", Dying)
    cells = cells_of("numpy")
    records = execute(cells, blocks=2)
    assert Dying.killed
    assert not outcomes(records)
    results = [r for r in records if isinstance(r, TimingRecord) and not r.control]
    assert {(r.cell.id, r.block) for r in results} == {(cell.id, block) for cell in cells for block in (0, 1)}
    assert {r.block for r in records if isinstance(r, TimingRecord) and r.control} == {1}


def test_an_interpreter_that_cannot_start_fails_all_its_cells_with_its_last_lines(tmp_path: Path) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\necho this is no Python >&2\nexit 7\n", encoding="utf-8")
    interpreter.chmod(0o755)
    cells = cells_of("numpy")
    records: list[Record] = []
    Runner(networks(), cells, TINY, 1, 0, records.append, pythons={"numpy": str(interpreter)}).execute()
    assert {outcome.cell.id for outcome in outcomes(records)} == {cell.id for cell in cells}
    for outcome in outcomes(records):
        assert "exit code 7" in outcome.reason
        assert outcome.last_lines == ["this is no Python"]


def test_a_worker_that_says_nothing_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    interpreter.chmod(0o755)
    monkeypatch.setattr(worker_process, "START_TIMEOUT_S", 0.2)
    cells = cells_of("numpy")
    records: list[Record] = []
    Runner(networks(), cells, TINY, 1, 0, records.append, pythons={"numpy": str(interpreter)}).execute()
    assert len(outcomes(records)) == len(cells)
    assert all("nothing was heard of it" in outcome.reason for outcome in outcomes(records))


def test_an_interpreter_that_is_gone_fails_its_cells_and_the_others_are_measured(tmp_path: Path) -> None:
    cells = cells_of("numpy", "torch", phases=("predict",))
    records: list[Record] = []
    run = Runner(networks(2), cells, TINY, 1, 0, records.append, pythons={"torch": str(tmp_path / "gone")})
    run.execute()
    for lost in outcomes(records):
        assert "could not be started" in lost.reason
        assert f"{tmp_path / 'gone'}: No such file or directory" in lost.reason
    assert {lost.cell.id for lost in outcomes(records)} == {of.id for of in cells if of.who.framework == "torch"}
    assert timed(records) == {of.id for of in cells if of.who.framework == "numpy"}
    assert [r.who.framework for r in records if isinstance(r, UntrainedRecord)] == ["torch"]


class LostWhileLearning(WorkerProcess):
    """Is killed at its first sign of life while it trains, if it may be."""

    may_be = True

    def next(self, timeout_s: float) -> Any:
        said = super().next(timeout_s)
        if self.may_be and isinstance(said, dict) and said.get("cell") == LEARNING and said["event"] == "preparing":
            self.process.kill()
            self.process.wait()
            while self.lines.get() is not None:
                pass
            self.lines.put(None)
            return super().next(timeout_s)
        return said


def test_a_training_that_is_lost_is_a_record_and_is_made_again_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "WorkerProcess", LostWhileLearning)
    cells = cells_of("numpy", phases=("predict",))
    records = execute(cells, epochs=2)
    assert (timed(records), outcomes(records)) == ({of.id for of in cells}, [])
    (lost,) = [record for record in records if isinstance(record, UntrainedRecord)]
    assert (lost.who, lost.block, lost.seed) == (cells[0].who, 0, TINY.trainings - 1)
    assert lost.reason == "the worker was lost: its process ended with signal 9"
    monkeypatch.setattr(LostWhileLearning, "may_be", False)
    again: list[Record] = []
    Runner(networks(2), cells, TINY, 1, 0, again.append, left={0: []}, untrained={lost.who}).execute()
    assert [record.seed for record in again if isinstance(record, LearningRecord)] == list(range(TINY.trainings))
    assert {type(record) for record in again} == {WorkerRecord, LearningRecord}
    assert lost not in records_file.standing([*records, *again])
