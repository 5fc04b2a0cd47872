"""Whole runs, small ones: real worker processes, and what becomes of them when something goes wrong.

The frameworks that misbehave come from a package of their own, through the entry points that any package may use.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import process, record, runner
from benchmarks.__main__ import main
from benchmarks.plan import Profile, Request, plan
from benchmarks.process import Worker
from benchmarks.record import (
    Cell,
    LearningRecord,
    OutcomeRecord,
    ProofRecord,
    Record,
    RunRecord,
    SourceRecord,
    TimingRecord,
    WorkerRecord,
)
from benchmarks.runner import Run
from benchmarks.turns import ALONE
from implementations import registry
from implementations.mlp.spec import MLPSpec

ROOT = Path(__file__).parents[2]
NO_JAX = registry.missing("keras-jax")
ROUNDS = 3
TINY = Profile("tiny", ("numpy",), 1, ROUNDS, 1e-4, ({"batch": 8},), ("train_step", "predict", "products"), 0)
SPEC = MLPSpec(features=6, hidden=(8,), classes=3, batch=8)

PACKAGE = {
    "misbehaving-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n",
    "misbehaving-1.0.dist-info/entry_points.txt": (
        "[samenet.frameworks]\nchatty = misbehaving.chatty\nraising = misbehaving.raising\nwrong = misbehaving.wrong\n"
    ),
    "misbehaving/__init__.py": "",
    "misbehaving/chatty.py": (
        'import os\nfrom implementations.frameworks.numpy_adapter import *\nMODELS = {"mlp": "misbehaving.models:Chatty"}\n'
        'print("garbage while it is imported")\nos.write(1, b"{garbage from below Python")\n'
    ),
    "misbehaving/raising.py": (
        'from implementations.frameworks.numpy_adapter import *\nMODELS = {"mlp": "misbehaving.models:Raising"}\n'
    ),
    "misbehaving/wrong.py": (
        'from implementations.frameworks.numpy_adapter import *\nMODELS = {"mlp": "misbehaving.models:Wrong"}\n'
    ),
    "misbehaving/models.py": (
        "from implementations.mlp.mlp_numpy import MLP\n\n"
        "class Chatty(MLP):\n"
        "    def train_step(self, x, y):\n"
        '        print("garbage in a step", flush=True)\n'
        "        return super().train_step(x, y)\n\n"
        "class Raising(MLP):\n"
        "    def __init__(self, spec, device):\n"
        "        super().__init__(spec, device)\n"
        "        if spec.batch == 16:\n"
        '            raise FloatingPointError("sixteen is too much for me")\n\n'
        "class Wrong(MLP):\n"
        "    def train_step(self, x, y):\n"
        "        loss = super().train_step(x, y)\n"
        "        state = self.state()\n"
        '        state["output.bias"] *= 1.001\n'
        "        self.load_state(state)\n"
        "        return loss\n"
    ),
}


def cells_of(*frameworks: str, **options: Any) -> list[Cell]:
    request = Request(TINY, frameworks=frameworks, threads=(1,), **options)
    return plan("mlp", SPEC, request, gpus=[]).cells


def data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 6)).astype(np.float32), rng.integers(0, 3, size=32)
    return {"x_train": x, "y_train": y, "x_test": x, "y_test": y}


def execute(cells: list[Cell], blocks: int = 1, epochs: int = 0) -> list[Record]:
    found: list[Record] = []
    Run(SPEC, data(), cells, TINY, blocks, seed=0, sink=found.append, epochs=epochs).execute()
    return found


def timed(records: list[Record], block: int | None = None) -> set[str]:
    return {r.cell.id for r in records if isinstance(r, TimingRecord) and block in (None, r.block)}


def outcomes(records: list[Record]) -> list[OutcomeRecord]:
    return [r for r in records if isinstance(r, OutcomeRecord)]


# A good run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run by the command line. Read only."""
    results = tmp_path_factory.mktemp("results")
    choice = ["--profile", "smoke", "--framework", "numpy", "--phase", "train_step", "--set", "batch=8"]
    done = CliRunner().invoke(main, ["run", *choice, "--results", str(results), "--json"])
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert (summary["planned"], summary["timed"], summary["exit_code"]) == (1, 1, 0)
    assert "block 1/1" in done.stderr
    assert [str(path) for path in results.iterdir()] == [summary["folder"]]
    return Path(summary["folder"])


def of_kind(folder: Path, kind: type[Any]) -> list[Any]:
    records, problems = record.read(folder)
    assert problems == []
    return [found for found in records if isinstance(found, kind)]


def test_a_run_leaves_readable_records_the_machine_and_its_reports(folder: Path) -> None:
    (run,) = of_kind(folder, RunRecord)
    assert [cell.id.rpartition("/")[2] for cell in run.cells] == ["batch8-width128"]
    assert run.dataset["name"] == "digits"
    assert len(run.code["sha256"]) == len(run.spec_sha256) == 64
    assert json.loads((folder / "environment.json").read_text(encoding="utf-8"))["usable_cores"] >= 1
    assert "# " in (folder / "report.md").read_text(encoding="utf-8")
    assert "</html>" in (folder / "report.html").read_text(encoding="utf-8")


def test_every_sample_is_kept(folder: Path) -> None:
    (timing,) = of_kind(folder, TimingRecord)
    assert (len(timing.elapsed_s), len(timing.alone_s), len(timing.started_at_s)) == (6, ALONE, 6 + ALONE)
    assert timing.schedule == "rounds"
    assert all(elapsed > 0 for elapsed in timing.elapsed_s)
    assert timing.started_at_s == sorted(timing.started_at_s)
    assert 0 < timing.warmup_rounds <= 3
    assert timing.samples_per_call == 8
    assert timing.flops_per_call == MLPSpec(batch=8).flops("train_step")


def test_the_proof_stands_before_the_time_and_speaks_of_the_same_network(folder: Path) -> None:
    kinds = [found.kind for found in of_kind(folder, object)]
    assert kinds.index("worker") < kinds.index("proof") < kinds.index("timing")
    (proof,), (timing,) = of_kind(folder, ProofRecord), of_kind(folder, TimingRecord)
    assert proof.passed
    assert (proof.who, proof.axes) == (timing.cell.who, timing.cell.axes)
    assert {"gradients", "slots", "statistics", "logits", "loss"} <= {check.group for check in proof.checks}


def test_the_code_of_every_step_is_stored_with_its_hash(folder: Path) -> None:
    stored = of_kind(folder, SourceRecord)
    steps = [step.name for step in registry.part("mlp", "steps").STEPS]
    assert [source.step for source in stored] == [*steps, "the model"]
    for source in stored:
        assert source.sha256 == hashlib.sha256(source.code.encode()).hexdigest()
        assert source.code in (ROOT / source.file).read_text(encoding="utf-8")


def test_the_worker_says_what_it_was_and_what_it_learned(folder: Path) -> None:
    (worker,), (learning,) = of_kind(folder, WorkerRecord), of_kind(folder, LearningRecord)
    assert worker.versions["numpy"] == np.__version__
    assert worker.pid != os.getpid()
    assert worker.effective_precision == {"matrix product": "23 bits"}
    assert [point.epoch for point in learning.points] == [1, 2, 3]
    assert learning.points[-1].test_accuracy > 0.5


def test_the_report_can_be_made_again_byte_for_byte(folder: Path) -> None:
    before = (folder / "report.md").read_bytes(), (folder / "records.jsonl").read_bytes()
    assert CliRunner().invoke(main, ["report", str(folder)]).exit_code == 0
    assert ((folder / "report.md").read_bytes(), (folder / "records.jsonl").read_bytes()) == before


# Frameworks that misbehave


@pytest.fixture(scope="module")
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Record]]:
    """The records of one run of all three."""
    site = tmp_path_factory.mktemp("site")
    for name, text in PACKAGE.items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        patch.setenv("PYTHONPATH", str(site))
        registry._entry_points.cache_clear()
        cells = cells_of("chatty", "raising", "wrong", sets={"batch": [8, 16]}, phases=("train_step",))
        yield execute(cells)
    registry._entry_points.cache_clear()


def cells_in(records: list[Record], framework: str) -> dict[int, Record]:
    """What came of each of a framework's cells, by batch."""
    return {
        found.cell.axes["batch"]: found
        for found in records
        if isinstance(found, TimingRecord | OutcomeRecord) and found.cell.who.framework == framework
    }


def test_what_a_framework_prints_does_not_disturb_the_records(misbehaving: list[Record]) -> None:
    found = cells_in(misbehaving, "chatty")
    assert found.keys() == {8, 16}
    for timing in found.values():
        assert isinstance(timing, TimingRecord), timing
        assert len(timing.elapsed_s) == ROUNDS


def test_an_error_belongs_to_its_cell_and_the_others_are_measured(misbehaving: list[Record]) -> None:
    found = cells_in(misbehaving, "raising")
    assert isinstance(found[8], TimingRecord)
    failed = found[16]
    assert isinstance(failed, OutcomeRecord)
    assert failed.status == "failed"
    assert failed.reason == "FloatingPointError: sixteen is too much for me"
    assert any("misbehaving/models.py" in line.replace(os.sep, "/") for line in failed.last_lines)


def test_an_implementation_that_is_not_equal_is_not_timed(misbehaving: list[Record]) -> None:
    found = cells_in(misbehaving, "wrong")
    assert found.keys() == {8, 16}
    for outcome in found.values():
        assert isinstance(outcome, OutcomeRecord), outcome
        assert outcome.status == "unequal"
        assert "parameters: output.bias is off by" in outcome.reason
        assert "allowed" in outcome.reason
    proofs = [r for r in misbehaving if isinstance(r, ProofRecord) and r.who.framework == "wrong"]
    assert proofs
    assert not any(proof.passed for proof in proofs)


# Two installations of one framework


def test_two_installations_take_turns_and_are_told_apart(tmp_path: Path) -> None:
    choice = ["--profile", "smoke", "--framework", "numpy", "--phase", "train_step", "--results", str(tmp_path)]
    other = f"numpy@next={sys.executable}"
    done = CliRunner().invoke(main, ["run", *choice, "--blocks", "2", "--python", other, "--json"])
    assert done.exit_code == 0, done.output
    folder = Path(json.loads(done.stdout)["folder"])
    timings = [timing for timing in of_kind(folder, TimingRecord) if not timing.control]
    assert {(t.cell.who.framework, t.block) for t in timings} == {
        (n, b) for n in ("numpy", "numpy@next") for b in (0, 1)
    }
    first, second = (t for t in timings if t.block == 1)
    assert first.cell.heat == second.cell.heat
    assert max(first.started_at_s[0], second.started_at_s[0]) < min(first.started_at_s[1], second.started_at_s[1])
    assert {proof.who.framework for proof in of_kind(folder, ProofRecord)} == {"numpy", "numpy@next"}
    assert {source.framework for source in of_kind(folder, SourceRecord)} == {"numpy"}
    assert "NumPy (next)" in (folder / "report.md").read_text(encoding="utf-8")
    (run,) = of_kind(folder, RunRecord)
    assert run.pythons == {"numpy@next": sys.executable}


# Workers that die


class Dying(Worker):
    """A worker that is killed when it says that it is at a certain point for the first time."""

    moment, block, victim, control = "turn", 0, "", False
    killed: int

    def next(self, timeout_s: float) -> Any:
        said = super().next(timeout_s)
        here = isinstance(said, dict) and said["event"] == self.moment and self.victim in said.get("cell", "")
        if here and self.job.block == self.block and self.job.control == self.control and not type(self).killed:
            type(self).killed = self.process.pid
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return said


@pytest.mark.skipif(NO_JAX is not None, reason=f"keras-jax: {NO_JAX}")
def test_keras_is_not_timed_in_a_precision_it_has_to_be_patched_for() -> None:
    records = execute(cells_of("keras-jax", precisions=("float64",), variants=("spec",)))
    assert not timed(records)
    assert {outcome.status for outcome in outcomes(records)} == {"skipped"}
    assert "float64" in outcomes(records)[0].reason


def test_a_worker_that_is_killed_loses_its_cell_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dying, "killed", 0, raising=False)
    monkeypatch.setattr(Dying, "victim", "/predict/batch8")
    monkeypatch.setattr(runner, "Worker", Dying)
    cells = cells_of("numpy")
    found = execute(cells, epochs=1)
    assert Dying.killed
    (lost,) = outcomes(found)
    assert "/predict/batch8" in lost.cell.id
    assert lost.status == "failed"
    assert lost.reason == "the worker was lost: its process ended with signal 9"
    assert timed(found) == {cell.id for cell in cells} - {lost.cell.id}
    assert [r for r in found if isinstance(r, LearningRecord)]


def test_a_worker_that_is_killed_while_it_prepares_a_later_block_loses_one_cell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Dying, "killed", 0, raising=False)
    monkeypatch.setattr(Dying, "moment", "proving")
    monkeypatch.setattr(Dying, "block", 1)
    monkeypatch.setattr(runner, "Worker", Dying)
    cells = cells_of("numpy")
    found = execute(cells, blocks=2)
    assert Dying.killed
    (lost,) = outcomes(found)
    assert (lost.block, lost.status) == (1, "failed")
    assert timed(found, block=0) == {cell.id for cell in cells}
    assert timed(found, block=1) == {cell.id for cell in cells} - {lost.cell.id}


def test_a_null_control_that_is_killed_leaves_no_hole_in_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dying, "killed", 0, raising=False)
    monkeypatch.setattr(Dying, "control", True)
    monkeypatch.setattr(runner, "Worker", Dying)
    cells = cells_of("numpy")
    found = execute(cells, blocks=2)
    assert Dying.killed
    assert not outcomes(found)
    results = [r for r in found if isinstance(r, TimingRecord) and not r.control]
    assert {(r.cell.id, r.block) for r in results} == {(cell.id, block) for cell in cells for block in (0, 1)}
    assert {r.block for r in found if isinstance(r, TimingRecord) and r.control} == {1}


def test_an_interpreter_that_cannot_start_fails_all_its_cells_with_its_last_lines(tmp_path: Path) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\necho this is no Python >&2\nexit 7\n", encoding="utf-8")
    interpreter.chmod(0o755)
    cells, found = cells_of("numpy"), []
    Run(SPEC, data(), cells, TINY, 1, 0, found.append, pythons={"numpy": str(interpreter)}).execute()
    assert {outcome.cell.id for outcome in outcomes(found)} == {cell.id for cell in cells}
    for outcome in outcomes(found):
        assert "exit code 7" in outcome.reason
        assert outcome.last_lines == ["this is no Python"]


def test_a_worker_that_says_nothing_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    interpreter.chmod(0o755)
    monkeypatch.setattr(process, "START_TIMEOUT_S", 0.2)
    cells, found = cells_of("numpy"), []
    Run(SPEC, data(), cells, TINY, 1, 0, found.append, pythons={"numpy": str(interpreter)}).execute()
    assert len(outcomes(found)) == len(cells)
    assert all("nothing was heard of it" in outcome.reason for outcome in outcomes(found))


def test_an_interrupted_run_keeps_what_it_has_and_writes_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(run: Run) -> None:
        cell = run.cells[0]
        run.sink(
            TimingRecord(
                cell=cell, block=0, order=1, schedule="rounds", loops=1, warmup_rounds=0, elapsed_s=[1e-3] * 4, started_at_s=[0.0] * 4,
                first_call_s=None, second_call_s=None, samples_per_call=8, flops_per_call=8,
            )
        )  # fmt: skip
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "execute", interrupted)
    done = CliRunner().invoke(
        main, ["run", "--profile", "smoke", "--framework", "numpy", "--results", str(tmp_path), "--json"]
    )
    assert done.exit_code == 130
    summary = json.loads(done.stdout)
    assert (summary["timed"], summary["exit_code"]) == (1, 130)
    assert "interrupted" in done.stderr
    records, problems = record.read(Path(summary["folder"]))
    assert problems == []
    assert len([r for r in records if isinstance(r, TimingRecord)]) == 1
    assert "the run ended before its turn" in (Path(summary["folder"]) / "report.md").read_text(encoding="utf-8")


# Plain pytest


def test_plain_pytest_tabulates_a_cell(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    arguments = ["benchmarks/", "-k", "numpy and products", f"--benchmark-json={table}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = json.loads(table.read_text(encoding="utf-8"))["benchmarks"]
    assert row["extra_info"]["cell"].startswith("mlp/numpy/spec/cpu/")
    assert row["stats"]["min"] > 0
    assert row["stats"]["rounds"] >= 3
