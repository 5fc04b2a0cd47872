"""Between the options and the exit code: the specification that own data make, and what a run came to."""

import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import prepare, run
from benchmarks.cli.outcome import Outcome
from benchmarks.records import records_file
from benchmarks.records.record import (
    BlockRecord,
    Cell,
    ChangedRecord,
    Check,
    Configuration,
    OutcomeRecord,
    ProofRecord,
    Record,
    TimingRecord,
    UntrainedRecord,
)
from benchmarks.runner import blocks, proving
from benchmarks.worker.protocol import Job
from tests.support import synthetic
from tests.support.command import NOT_GIVEN, SMALL, invoke, save_npz
from tests.support.instant_worker import InstantWorker

CELL = Cell(who=Configuration(model="mlp", framework="numpy", threads=1), phase="train_step", axes={"batch": 8})
TIMED = TimingRecord(
    cell=CELL, block=0, schedule="rounds", loops=1, warmup_rounds=0, elapsed_s=[1.0], started_at_s=[0.0],
    first_call_s=None, second_call_s=None, samples_per_call=8, flops_per_call=8,
)  # fmt: skip
FAILED = OutcomeRecord(cell=CELL, block=0, status="failed", reason="it broke")
UNTRAINED = UntrainedRecord(who=CELL.who, block=0, seed=0, reason="lost")
UNEQUAL = OutcomeRecord(cell=CELL, block=0, status="unequal", reason="it is another")
SKIPPED = OutcomeRecord(cell=CELL, block=0, status="skipped", reason="it is not there")


def proof(passed: bool, limit: str = "", error: float = 1.0) -> ProofRecord:
    check = Check(check="hot state", group="loss", tensor="loss", error=error, budget=2.0, passed=passed, limit=limit)
    return ProofRecord(who=CELL.who, axes=CELL.axes, block=0, checks=[check])


@pytest.mark.parametrize(
    ("records", "interrupted", "code"),
    [
        ([proof(True), TIMED], 0, 0),
        ([proof(True), TIMED, SKIPPED], 0, 0),
        ([proof(False), TIMED], 0, 1),
        ([proof(False), FAILED], 0, 1),
        ([proof(False, limit="keras_adam"), UNEQUAL, TIMED], 0, 0),
        ([proof(False, limit="keras_adam"), proof(False), UNEQUAL, TIMED], 0, 1),
        ([ProofRecord(who=CELL.who, axes=CELL.axes, block=0, checks=[]), TIMED], 0, 1),
        ([proof(False, error=math.nan), TIMED], 0, 1),
        ([proof(True), UNEQUAL, TIMED.model_copy(update={"block": 1})], 0, 1),
        ([proof(True), TIMED, FAILED], 0, 3),
        ([FAILED], 0, 3),
        ([proof(True), TIMED, UNTRAINED], 0, 3),
        ([proof(True), TIMED, UNTRAINED, synthetic.learning("numpy", threads=1, seed=0)], 0, 0),
        ([SKIPPED], 0, 4),
        ([], 0, 4),
        ([proof(False), TIMED], 130, 130),
        ([proof(True), TIMED], 143, 143),
    ],
)
def test_the_exit_code_says_what_a_run_came_to(
    tmp_path: Path, records: list[Record], interrupted: int, code: int
) -> None:
    outcome = Outcome(tmp_path, planned=1, blocks=1, records=records, interrupted=interrupted)
    assert outcome.exit_code == code
    assert outcome.summary()["exit_code"] == code


def test_own_data_are_listed_under_their_own_sizes(tmp_path: Path) -> None:
    data = save_npz(tmp_path / "mine.npz")
    found = invoke("list", "--data", data, "--framework", "numpy", "--set", "batch=8", "--phase", "train_step")
    assert found.exit_code == 0
    assert found.stdout.splitlines()[0].endswith("train_step/batch8-width128")
    prepared: Any = prepare.prepare(**NOT_GIVEN | {"data": str(data)})
    spec = prepared.networks["mlp"].spec
    assert (spec.features, spec.classes) == (5, 4)


def test_the_run_record_tells_the_limits_of_the_planned_frameworks() -> None:
    prepared = prepare.prepare(load_data=False, **NOT_GIVEN | {"frameworks": "numpy"})
    told = run.run_record(prepared, blocks=1, seed=0).limits
    assert {framework for limit in told for framework in limit.frameworks} == {"numpy"}
    assert all(limit.statement for limit in told)


def test_verify_proves_each_precision_that_is_asked_for_once_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A precision that a device does not offer is a hole; planned for another framework, it stays one."""
    asked: list[tuple[str, str, str]] = []

    def asks(work: Any, jobs: list[Job], folder: Path) -> list[Any]:
        asked.extend((job.who.framework, job.who.device, job.who.precision) for job in jobs)
        return []

    monkeypatch.setattr(proving, "prove", asks)
    invoke("verify", "--framework", "numpy,torch", "--precision", "float32,bfloat16", "--set", "batch=8",
           "--set", "width=8", "--phase", "predict", "--device", "cpu")  # fmt: skip
    assert sorted(asked) == [("numpy", "cpu", "float32"), ("torch", "cpu", "bfloat16"), ("torch", "cpu", "float32")]


@pytest.mark.usefixtures("undrawn")
def test_a_network_without_data_that_fits_runs_as_it_is_listed_and_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("features = 17\nclasses = 3\nhidden = [8]\nbatch = 4\n", encoding="utf-8")
    asked = ("--framework", "numpy", "--spec", tmp_path / "own.toml", "--profile", "smoke", "-k", "batch4-")
    listed = invoke("list", *asked).stdout.splitlines()
    assert listed
    assert not any("epoch" in line for line in listed)
    done = invoke("run", *asked, "--into", tmp_path / "run")
    assert done.exit_code == 0, done.stderr
    assert "no epochs and no learning curves of the MLP: give data that fits this network with --data" in done.stderr
    title = (tmp_path / "run" / "report.md").read_text(encoding="utf-8").partition("\n")[0]
    assert title == "# MLP benchmark"
    by_name = invoke("run", *asked, "--phase", "predict,epoch")
    assert by_name.exit_code == 2
    assert "--phase epoch: no data fits the model mlp. Give some with --data" in by_name.stderr


@pytest.mark.usefixtures("undrawn")
def test_a_block_in_which_the_code_was_changed_does_not_count_and_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, now = [*SMALL, "--phase", "train_step", "--blocks", "3", "--into", str(tmp_path / "run")], ["a", "a", "b"]
    monkeypatch.setattr(run, "_code", lambda prepared: now.pop(0))
    monkeypatch.setattr(blocks, "WorkerProcess", InstantWorker)
    done = invoke("run", *asked)
    assert done.exit_code == 2, done.output
    assert (
        "the code was changed while the run went on: what was recorded since the last whole block does not count"
        in done.stderr
    )
    records = records_file.read(tmp_path / "run")[0]
    assert {r.block for r in records if isinstance(r, TimingRecord)} == {0, 1}
    assert [r.block for r in records if isinstance(r, BlockRecord)] == [0]
    assert [r.code_sha256 for r in records if isinstance(r, ChangedRecord)] == ["b"]
    assert {r.block for r in records_file.standing(records) if isinstance(r, TimingRecord | ProofRecord)} == {0}
    text = (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert (
        "the code was changed while the run went on; what was recorded after the last whole block is left out." in text
    )
    assert "1 of 3 blocks" in text
    monkeypatch.setattr(run, "_code", lambda prepared: "a")
    done = invoke("run", *asked)
    assert done.exit_code == 0, done.output
    lost: list[Record] = [ChangedRecord(code_sha256="b"), BlockRecord(block=1, wall_s=1.0), proof(True), TIMED]
    assert Outcome(tmp_path, planned=1, blocks=1, records=[proof(False), *lost]).exit_code == 0
    standing = records_file.standing(records_file.read(tmp_path / "run")[0])
    assert {r.block for r in standing if isinstance(r, TimingRecord)} == {0, 1, 2}
    assert {r.block for r in standing if isinstance(r, ProofRecord)} == {0, 1, 2}
