"""Somebody else's framework is found, proved in full, timed and ranked, without a line of ours changed.

Their package (`tests/support/outsider`) is installed as pip would leave it: a folder on the path with its metadata.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.records import records_file
from benchmarks.records.record import ProofRecord, TimingRecord
from tests.support import ROOT
from tests.support.command import save_split_npz
from tests.support.fresh_process import python

SITE = ROOT / "tests" / "support" / "outsider"
SMALL = ["--threads", "1", "--set", "batch=16", "--set", "width=24"]


def samenet(place: Path, verb: str, *words: str, site: Path = SITE) -> "subprocess.CompletedProcess[str]":
    return python("-m", "benchmarks", verb, *words, *SMALL, "--data", save_split_npz(place / "data.npz"), site=site)


def test_their_code_imports_nothing_of_ours() -> None:
    for path in SITE.rglob("*.py"):
        assert "implementations import" not in path.read_text(encoding="utf-8")


def test_it_is_proved_in_full(tmp_path: Path) -> None:
    done = samenet(tmp_path, "verify", "--framework", "outsider", "--variant", "spec", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    proofs = [records_file.parse(line) for line in done.stdout.splitlines()]
    assert [proof.who.precision for proof in proofs if isinstance(proof, ProofRecord)] == ["float32", "float64"]
    asked = {check.check for proof in proofs if isinstance(proof, ProofRecord) for check in proof.checks}
    assert {"hot state", "zeroed slots", "features far from zero", "manners", "generator", "free run"} <= asked


def test_it_is_timed_and_ranked_beside_ours(tmp_path: Path) -> None:
    choice = ["--profile", "smoke", "--framework", "outsider,numpy", "--phase", "train_step"]
    done = samenet(tmp_path, "run", *choice, "--results", str(tmp_path / "results"))
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "results").iterdir()
    timed = [record for record in records_file.read(folder)[0] if isinstance(record, TimingRecord)]
    assert {record.cell.who.framework: record.ranked for record in timed} == {"outsider": True, "numpy": True}
    assert "outsider" in (folder / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("len(z) / (len(z) - 1)", "1", "statistics"),
        (">= self.spec.dropout", ">= 0.9 * self.spec.dropout", "keep rate"),
    ],
)
def test_their_fault_is_told_and_not_timed(tmp_path: Path, old: str, new: str, message: str) -> None:
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    model = site / "outsider" / "model.py"
    text = model.read_text(encoding="utf-8")
    assert text.count(old) == 1
    model.write_text(text.replace(old, new), encoding="utf-8")
    done = samenet(tmp_path, "verify", "--framework", "outsider", "--precision", "float32", site=site)
    assert done.returncode == 1, done.stderr
    assert "UNEQUAL" in done.stdout
    failed = done.stdout.partition("Failed:")[2]
    assert message in failed
    assert "A proof ends with the part that fails: nothing longer was asked." in failed
    assert "restarted run" not in failed
