"""`check`: whether a run may be sent in."""

import shlex
import subprocess
import tarfile
from pathlib import Path

import pytest

from benchmarks.records import record
from benchmarks.records.record import Record
from tests.support import synthetic
from tests.support.command import invoke
from tests.support.synthetic import cell, measured


def whole(blocks: int = 6, planned: int = 6, dirty: bool = False) -> list[Record]:
    first, *others = measured([(cell("numpy"), 1e-4), (cell("torch"), 1.5e-4)])
    assert isinstance(first, record.RunRecord)
    code = first.code.model_copy(update={"dirty": dirty})
    ended = [record.BlockRecord(block=number, wall_s=10) for number in range(blocks)]
    return [first.model_copy(update={"blocks": planned, "code": code}), *others, *ended]


def test_a_whole_run_is_told_with_the_command_that_packs_it(tmp_path: Path) -> None:
    folder = synthetic.save(tmp_path / "my run", whole(), synthetic.ENVIRONMENT)
    done = invoke("check", folder)
    assert done.exit_code == 0, done.output
    assert "AMD EPYC 7B13, 2 cores, no GPU, 2026-01-02, profile quick, 6 blocks." in done.stdout
    assert "Training the MLP at batch 256, width 128: NumPy is fastest" in done.stdout
    command = done.stdout.splitlines()[-1]
    subprocess.run(shlex.split(command), cwd=tmp_path, check=True)
    with tarfile.open(tmp_path / "my run.tgz") as packed:
        assert packed.getnames() == ["my run/records.jsonl", "my run/environment.json"]


@pytest.mark.parametrize(
    ("records", "environment", "told"),
    [
        (whole(blocks=4), synthetic.ENVIRONMENT, "4 of 6 blocks are there: give the same command again"),
        (whole(planned=1), synthetic.ENVIRONMENT, "it has 1 block, and a verdict needs 6: measure with --blocks 6"),
        (whole(dirty=True), synthetic.ENVIRONMENT, "the code had been changed"),
        (whole(), {}, "environment.json, which says what machine it is, is missing"),
    ],
)
def test_what_stands_against_it_is_told(
    tmp_path: Path, records: list[Record], environment: dict[str, object], told: str
) -> None:
    done = invoke("check", synthetic.save(tmp_path / "run", records, environment))
    assert done.exit_code == 3
    assert f"It cannot be shown: {told}" in done.stdout
    assert "tar " not in done.stdout


def test_names_of_machines_are_told_before_they_are_sent(tmp_path: Path) -> None:
    named = [r.model_copy(update={"node": "gpu017"}) if r.kind == "block" else r for r in whole()]
    done = invoke("check", synthetic.save(tmp_path / "run", named, synthetic.ENVIRONMENT | {"host": "0a1b"}))
    assert "The records name the machine: gpu017." in done.stdout
    hashed = [r.model_copy(update={"node": "0a1b"}) if r.kind == "block" else r for r in whole()]
    done = invoke("check", synthetic.save(tmp_path / "other", hashed, synthetic.ENVIRONMENT | {"host": "0a1b"}))
    assert "name the machine" not in done.stdout


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    assert invoke("check", tmp_path).exit_code == 2
