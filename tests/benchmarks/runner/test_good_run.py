"""Whole runs by the command line, small ones: what they leave, two installations in turns, and an interrupt."""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from benchmarks.plan.schedule import ALONE
from benchmarks.records import records_file
from benchmarks.records.record import LearningRecord, ProofRecord, RunRecord, SourceRecord, TimingRecord, WorkerRecord
from benchmarks.report import charts
from benchmarks.runner.blocks import Runner
from implementations import registry, sources
from implementations.mlp.spec import MLPSpec
from tests.support import ROOT
from tests.support.command import SMALL, invoke

# A good run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run by the command line, without charts. Read only."""
    results = tmp_path_factory.mktemp("results")
    choice = ["--profile", "smoke", "--framework", "numpy", "--phase", "train_step", "--set", "batch=8"]
    with mock.patch.object(charts, "draw", return_value={}):
        done = invoke("run", *choice, "--results", results, "--json")
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert (summary["planned"], summary["timed"], summary["exit_code"]) == (1, 1, 0)
    assert "block 1/1" in done.stderr
    assert [str(path) for path in results.iterdir()] == [summary["folder"]]
    return Path(summary["folder"])


def of_kind(folder: Path, kind: type[Any]) -> list[Any]:
    records, problems = records_file.read(folder)
    assert problems == []
    return [record for record in records if isinstance(record, kind)]


def test_a_run_leaves_readable_records_the_machine_and_its_reports(folder: Path) -> None:
    (run,) = of_kind(folder, RunRecord)
    assert [cell.id.rpartition("/")[2] for cell in run.cells] == ["batch8-width128"]
    assert run.networks[0].dataset.name == "digits"
    assert len(run.code.sha256) == len(run.networks[0].spec_sha256) == 64
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
    kinds = [record.kind for record in of_kind(folder, object)]
    assert kinds.index("worker") < kinds.index("proof") < kinds.index("timing")
    (before, after), (timing,) = of_kind(folder, ProofRecord), of_kind(folder, TimingRecord)
    for proof in (before, after):
        assert proof.passed
        assert (proof.who, proof.axes) == (timing.cell.who, timing.cell.axes)
    assert {"gradients", "slots", "statistics", "logits", "loss"} <= {check.group for check in before.checks}
    assert {check.check for check in after.checks} == {"after the rounds"}
    assert {"slots", "statistics", "logits", "loss", "training moves the state"} <= {c.group for c in after.checks}


def test_the_code_of_every_step_is_stored_with_its_hash(folder: Path) -> None:
    stored = of_kind(folder, SourceRecord)
    steps = [step.name for step in registry.part("mlp", "steps").STEPS]
    assert [source.step for source in stored] == [*steps, sources.TRAINING, sources.MODEL]
    for source in stored:
        assert source.sha256 == hashlib.sha256(source.code.encode()).hexdigest()
        assert source.code in (ROOT / source.file).read_text(encoding="utf-8")


def test_the_worker_says_what_it_was_and_what_it_learned(folder: Path) -> None:
    (worker,), (learning,) = of_kind(folder, WorkerRecord), of_kind(folder, LearningRecord)
    assert worker.versions["numpy"] == np.__version__
    assert worker.pid != os.getpid()
    assert worker.effective_precision == {"matrix product": "23 bits"}
    assert [point.epoch for point in learning.points] == [1, 2, 3]
    assert learning.points[-1].metric > 0.5


@pytest.mark.usefixtures("undrawn")
def test_the_report_can_be_made_again_byte_for_byte(folder: Path) -> None:
    before = (folder / "report.md").read_bytes(), (folder / "records.jsonl").read_bytes()
    assert invoke("report", folder).exit_code == 0
    assert ((folder / "report.md").read_bytes(), (folder / "records.jsonl").read_bytes()) == before


# Two installations of one framework


@pytest.mark.usefixtures("undrawn")
def test_two_installations_take_turns_and_are_told_apart(tmp_path: Path) -> None:
    choice = [*SMALL, "--phase", "train_step", "--results", str(tmp_path)]
    other = f"numpy@next={sys.executable}"
    done = invoke("run", *choice, "--blocks", "1", "--python", other, "--json")
    assert done.exit_code == 0, done.output
    folder = Path(json.loads(done.stdout)["folder"])
    timings = [timing for timing in of_kind(folder, TimingRecord) if not timing.control]
    first, second = sorted(timings, key=lambda timing: timing.cell.who.framework)
    assert (first.cell.who.framework, second.cell.who.framework) == ("numpy", "numpy@next")
    assert first.cell.comparison_group == second.cell.comparison_group
    assert max(first.started_at_s[0], second.started_at_s[0]) < min(first.started_at_s[1], second.started_at_s[1])
    assert {proof.who.framework for proof in of_kind(folder, ProofRecord)} == {"numpy", "numpy@next"}
    assert {source.framework for source in of_kind(folder, SourceRecord)} == {"numpy"}
    assert "NumPy (next)" in (folder / "report.md").read_text(encoding="utf-8")
    (run,) = of_kind(folder, RunRecord)
    assert run.pythons == {"numpy@next": sys.executable}


# An interrupt


@pytest.mark.usefixtures("undrawn")
def test_an_interrupted_run_keeps_what_it_has_and_writes_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(run: Runner) -> None:
        cell = run.cells[0]
        run.sink(
            TimingRecord(
                cell=cell, block=0, schedule="rounds", loops=1, warmup_rounds=0, elapsed_s=[1e-3] * 4, started_at_s=[0.0] * 4,
                first_call_s=None, second_call_s=None, samples_per_call=8, flops_per_call=8,
            )
        )  # fmt: skip
        raise KeyboardInterrupt

    monkeypatch.setattr(Runner, "execute", interrupted)
    done = invoke("run", "--profile", "smoke", "--framework", "numpy", "--results", tmp_path, "--json")
    assert done.exit_code == 130
    summary = json.loads(done.stdout)
    assert (summary["timed"], summary["exit_code"]) == (1, 130)
    assert "interrupted" in done.stderr
    records, problems = records_file.read(Path(summary["folder"]))
    assert problems == []
    assert len([r for r in records if isinstance(r, TimingRecord)]) == 1
    assert "the run ended before its turn" in (Path(summary["folder"]) / "report.md").read_text(encoding="utf-8")
