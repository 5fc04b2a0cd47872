"""Runs whose workers die, cannot start or say nothing: what is recorded of them, and that nothing else is lost."""

import os
import signal
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from benchmarks.plan import schedule
from benchmarks.plan.schedule import VISITS
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
from benchmarks.runner.blocks import Block, Runner
from benchmarks.runner.worker_process import WorkerLost, WorkerProcess
from benchmarks.worker.protocol import PROFILING, Job, Task
from tests.support.fresh_process import interpreter_that
from tests.support.instant_worker import InstantWorker
from tests.support.lost_training import LostWhileTraining
from tests.support.strangers import offered
from tests.support.tiny_runs import TINY, cells_of, execute, networks, outcomes, timed


class Dying(WorkerProcess):
    """A worker that is killed when it says that it is at a certain point for the first time."""

    moment, after, block, victim, control, visit = "turn", "", 0, "", False, 0
    killed: int
    said: tuple[str, ...] = ("",)

    def next(self, timeout_s: float) -> Any:
        said = super().next(timeout_s)
        here = isinstance(said, dict) and said["event"] == self.moment and self.victim in said.get("cell", "")
        here = here and self.after in self.said and self.visit in (0, self.visits[str(self.in_progress)])
        self.said = (*self.said, said["event"]) if isinstance(said, dict) else self.said
        if here and self.job.block == self.block and self.job.control == self.control and not type(self).killed:
            type(self).killed = self.process.pid
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return said


@pytest.mark.parametrize(("visit", "groups"), [(1, 16), (5, 16), (VISITS, 16), (VISITS, 1)])
def test_a_worker_that_is_killed_loses_its_cell_and_no_other(
    monkeypatch: pytest.MonkeyPatch, visit: int, groups: int
) -> None:
    monkeypatch.setattr(schedule, "GROUPS", groups)
    monkeypatch.setattr(Dying, "killed", 0, raising=False)
    monkeypatch.setattr(Dying, "victim", "/predict/batch8")
    monkeypatch.setattr(Dying, "visit", visit)
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
    records = execute(cells, blocks=2, null_control=False)
    assert Dying.killed
    (lost,) = outcomes(records)
    assert (lost.block, lost.status) == (block, "failed")
    assert timed(records, block=1 - block) == {cell.id for cell in cells}
    assert timed(records, block=block) == {cell.id for cell in cells} - {lost.cell.id}


@pytest.mark.parametrize(("left_s", "measured"), [(0.0, [0]), (600.0, [0, 1, 2])])
def test_a_budget_ends_by_the_clock_and_the_first_block_is_measured_in_any_case(
    monkeypatch: pytest.MonkeyPatch, left_s: float, measured: list[int]
) -> None:
    monkeypatch.setattr(blocks, "WorkerProcess", InstantWorker)
    records: list[Record] = []
    said: list[str] = []
    end_s = monotonic() + left_s
    Runner(
        networks(), cells_of("numpy", phases=("predict",)), TINY, 3, 0, records.append, said.append,
        null_control=False, end_s=end_s,
    ).execute()  # fmt: skip
    assert [r.block for r in records if isinstance(r, BlockRecord)] == measured
    assert any("the budget is over before block 2 of 3" in line for line in said) == (left_s == 0)


def test_further_blocks_follow_the_planned_ones_while_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "WorkerProcess", InstantWorker)
    records: list[Record] = []
    cells = cells_of("numpy", phases=("predict",))
    until_s = monotonic() + 600
    run = Runner(networks(), cells, TINY, 1, 0, records.append, null_control=False, more_until_s=until_s)

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
    interpreter = interpreter_that(tmp_path, "echo this is no Python >&2\nexit 7")
    cells = cells_of("numpy")
    records: list[Record] = []
    Runner(networks(), cells, TINY, 1, 0, records.append, pythons={"numpy": str(interpreter)}).execute()
    assert {outcome.cell.id for outcome in outcomes(records)} == {cell.id for cell in cells}
    for outcome in outcomes(records):
        assert outcome.reason == "the worker was lost: its process ended with exit code 7: this is no Python"
        assert outcome.last_lines == ["this is no Python"]


def test_a_worker_that_says_nothing_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = interpreter_that(tmp_path, "exec sleep 60")
    monkeypatch.setattr(worker_process, "START_TIMEOUT_S", 0.2)
    cells = cells_of("numpy")
    records: list[Record] = []
    Runner(networks(), cells, TINY, 1, 0, records.append, pythons={"numpy": str(interpreter)}).execute()
    assert len(outcomes(records)) == len(cells)
    assert all("nothing was heard of it" in outcome.reason for outcome in outcomes(records))


def test_an_interpreter_that_is_gone_after_the_first_block_fails_its_cells_and_no_other(tmp_path: Path) -> None:
    interpreter = interpreter_that(tmp_path, f'exec {sys.executable} "$@"')
    cells = cells_of("numpy", "numpy@next", phases=("predict",), pythons={"numpy@next": str(interpreter)})
    records: list[Record] = []

    def sink(record: Record) -> None:
        records.append(record)
        if isinstance(record, BlockRecord):
            interpreter.unlink(missing_ok=True)

    Runner(networks(), cells, TINY, 2, 0, sink, pythons={"numpy@next": str(interpreter)}, null_control=False).execute()
    of_next = {cell.id for cell in cells if cell.who.framework == "numpy@next"}
    assert timed(records, block=0) == {cell.id for cell in cells}
    assert timed(records, block=1) == {cell.id for cell in cells} - of_next
    assert {(outcome.cell.id, outcome.block) for outcome in outcomes(records)} == {(name, 1) for name in of_next}
    for outcome in outcomes(records):
        assert outcome.status == "failed"
        assert "its process ended with exit code 127: sh: " in outcome.reason
        assert str(interpreter) in outcome.reason


def test_an_interpreter_that_was_never_there_trains_nothing_and_that_is_a_record(tmp_path: Path) -> None:
    cells = cells_of("numpy", "torch", phases=("predict",))
    records: list[Record] = []
    pythons = {"torch": str(tmp_path / "gone")}
    Runner(networks(2), cells, TINY, 1, 0, records.append, pythons=pythons).execute()
    assert timed(records) == {of.id for of in cells if of.who.framework == "numpy"}
    assert [r.who.framework for r in records if isinstance(r, UntrainedRecord)] == ["torch"]


ERRORS = {
    "Traceback (most recent call last):\n  File \"a\", line 1\n    import b\nModuleNotFoundError: No module named 'b'\n":
        "ModuleNotFoundError: No module named 'b'",
    "Traceback (most recent call last):\n  File \"a\"\nKeyError: 1\n\nDuring handling of the above exception, another exception "
    "occurred:\n\nTraceback (most recent call last):\n  File \"b\"\nOSError: x.so: no such file\nits second line\n":
        "OSError: x.so: no such file",
    "Traceback (most recent call last):\n  File \"a\"\nImportError: \n\nIMPORTANT: PLEASE READ THIS\n\nmore\n":
        "ImportError: IMPORTANT: PLEASE READ THIS",
    "a warning\n\nthe last line\n\n": "the last line",
    "": "",
}  # fmt: skip


@pytest.mark.parametrize(("written", "error"), ERRORS.items())
def test_what_ended_a_process_is_said_in_one_line(written: str, error: str) -> None:
    assert worker_process.last_error(written) == error
    assert worker_process.ending(1, written) == f"exit code 1: {error}".removesuffix(": ")
    assert worker_process.ending(-9, written) == "signal 9"


def test_a_worker_does_not_tell_the_error_of_the_one_before_it(tmp_path: Path) -> None:
    """Both write to the same file."""
    log, job = tmp_path / "log", Job(tasks=[Task(who=cells_of("numpy")[0].who, spec={}, dataset="")], block=0, seed=0)
    log.write_text("Traceback (most recent call last):\nOSError: of the first\n", encoding="utf-8")
    worker = WorkerProcess(job, str(interpreter_that(tmp_path, "exit 3")), log, lambda record: None)
    with pytest.raises(WorkerLost, match=r"its process ended with exit code 3$"):
        worker.listen()
    worker.stop()
    assert worker.last_lines() == []


def test_a_worker_that_cannot_run_says_why_in_the_terminal_too(tmp_path: Path) -> None:
    models = "from implementations.mlp.mlp_numpy import MLP as blind\n"
    records: list[Record] = []
    said: list[str] = []
    with offered(tmp_path, models, {"blind": "def devices():\n    return []"}):
        cells = cells_of("blind", phases=("predict",))
        Runner(networks(), cells, TINY, 2, 0, records.append, said.append).execute()
    assert [outcome.status for outcome in outcomes(records)] == ["skipped"] * 2 * len(cells)
    told = [line for line in said if "blind cannot run: blind cannot use cpu here; it sees no device. " in line]
    assert len(told) == 2  # in each block, and not of the null control


def test_a_worker_that_is_killed_while_its_steps_are_profiled_still_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dying, "killed", 0, raising=False)
    monkeypatch.setattr(Dying, "moment", "start")
    monkeypatch.setattr(Dying, "victim", PROFILING)
    monkeypatch.setattr(blocks, "WorkerProcess", Dying)
    cells = cells_of("numpy", phases=("train_step",))
    records = execute(cells, epochs=1)
    assert Dying.killed
    assert (timed(records), outcomes(records)) == ({cell.id for cell in cells}, [])
    assert [r.seed for r in records if isinstance(r, LearningRecord)] == list(range(TINY.trainings))


def test_a_training_that_is_lost_is_a_record_and_is_made_again_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "WorkerProcess", LostWhileTraining)
    cells = cells_of("numpy", phases=("predict",))
    records = execute(cells, epochs=2)
    assert (timed(records), outcomes(records)) == ({of.id for of in cells}, [])
    (lost,) = [record for record in records if isinstance(record, UntrainedRecord)]
    assert (lost.who, lost.block, lost.seed) == (cells[0].who, 0, TINY.trainings - 1)
    assert lost.reason == "the worker was lost: its process ended with signal 9"
    monkeypatch.setattr(LostWhileTraining, "may_be", False)
    again: list[Record] = []
    Runner(networks(2), cells, TINY, 1, 0, again.append, left={0: []}, untrained={lost.who}).execute()
    assert [record.seed for record in again if isinstance(record, LearningRecord)] == list(range(TINY.trainings))
    assert {type(record) for record in again} == {WorkerRecord, LearningRecord}
    assert lost not in records_file.standing([*records, *again])


def test_where_some_cells_are_tried_again_each_is_proved_after_its_rounds(tmp_path: Path) -> None:
    cells = cells_of("numpy")
    records: list[Record] = []
    run = Runner(networks(), cells, TINY, 1, 0, records.append)
    for some, each in ((cells, False), (cells[:1], True)):
        assert {job.proves_each for job in Block(run, 0, some, tmp_path)._jobs()} == {each}
