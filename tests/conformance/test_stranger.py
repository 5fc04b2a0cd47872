"""A network of another kind joins: proved in full, timed, trained and reported, without a word about it in ours.

Its package (`tests/support/stranger`) is installed as pip would leave it: a folder on the path with its metadata.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.records import records_file
from benchmarks.records.record import LearningRecord, ProofRecord, SourceRecord, TimingRecord
from tests.support import ROOT
from tests.support.fresh_process import python

SITE = ROOT / "tests" / "support" / "stranger"
GENERIC = [
    "implementations/equivalence",
    "implementations/frameworks",
    "implementations/layers",
    "implementations/training",
    "benchmarks",
]
SMALL = ["--model", "stranger", "--threads", "1", "--set", "batch=16"]
BOTH = [*SMALL, "--framework", "numpy,torch"]


def samenet(site: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return python("-m", "benchmarks", *words, site=site)


def test_it_imports_nothing_of_the_perceptron() -> None:
    for path in SITE.rglob("*.py"):
        assert "mlp" not in path.read_text(encoding="utf-8"), path


def test_nothing_of_ours_knows_it() -> None:
    names = re.compile(r"\b(stranger|vocabulary|maximum1|dense1|norm1|relu1|dropout1|output\.weight)\b")
    for folder in GENERIC:
        for path in (ROOT / folder).rglob("*.py"):
            assert not names.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("missing", ["stranger", "spec.py"])
def test_a_package_that_is_incomplete_is_an_error_with_a_name(tmp_path: Path, missing: str) -> None:
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    shutil.rmtree(site / "stranger") if missing == "stranger" else (site / "stranger" / missing).unlink()
    done = samenet(site, "list", *SMALL)
    assert done.returncode == 2, done.stderr
    assert "the model stranger: its package has no module stranger" in done.stderr
    assert "Traceback" not in done.stderr


def test_its_code_is_in_the_hash_of_a_run(tmp_path: Path) -> None:
    hashes = set()
    for name, text in (("one", ""), ("other", "# changed")):
        shutil.copytree(SITE, tmp_path / name)
        with (tmp_path / name / "stranger" / "stranger_numpy.py").open("a", encoding="utf-8") as page:
            page.write(text)
        code = "from implementations import registry, sources; print(sources.tree_sha256(*registry.from_elsewhere('stranger', ['numpy'])))"
        hashes.add(python("-c", code, site=tmp_path / name).stdout)
    assert len(hashes) == 2


def test_it_is_proved_in_full() -> None:
    done = samenet(SITE, "verify", *BOTH, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    proofs = [proof for line in done.stdout.splitlines() if isinstance(proof := records_file.parse(line), ProofRecord)]
    assert [(proof.who.framework, proof.who.precision) for proof in proofs] == [
        ("numpy", "float32"), ("numpy", "float64"), ("torch", "float32"), ("torch", "float64"),
    ]  # fmt: skip
    for proof in proofs:
        asked = {check.check for check in proof.checks}
        assert {"hot state", "zeroed slots", "one token", "not a number", "manners", "generator", "17 samples"} <= asked


def test_it_is_timed_learns_and_is_reported(tmp_path: Path) -> None:
    done = samenet(
        SITE, "run", *BOTH, "--profile", "smoke", "--phase", "train_step,predict", "--results", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    (folder,) = tmp_path.iterdir()
    records = records_file.read(folder)[0]
    ranked = {record.cell.who.framework: record.ranked for record in records if isinstance(record, TimingRecord)}
    assert ranked == {"numpy": True, "torch": True}
    for training in (record for record in records if isinstance(record, LearningRecord)):
        assert training.points[-1].metric < 2  # log2(11) = 3.5 bits where nothing is learned
    steps = {record.step for record in records if isinstance(record, SourceRecord)}
    assert {"embedding", "maximum", "dense"} <= steps
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "# Stranger benchmark" in text
    assert "Test bits per token by epoch" in text
    assert "accuracy" not in text


@pytest.mark.parametrize(
    ("file", "old", "new", "framework", "group"),
    [
        ("maximum_numpy.py", "dh * (chosen == k)", "dh / width", "torch", "gradients"),
        ("embedding_numpy.py", "de.reshape(x.size, -1)", "de.reshape(x.size, -1) / 2", "torch", "gradients"),
        ("stranger_numpy.py", "spec.dropout_of_units).reshape", "spec.dropout_of_windows).reshape", "numpy", "loss"),
        ("stranger_torch.py", "self.embedding(x).unfold", "self.embedding(x.flip(1)).unfold", "torch", "logits"),
    ],
)
def test_a_mistake_in_it_is_told(tmp_path: Path, file: str, old: str, new: str, framework: str, group: str) -> None:
    """One in NumPy shows in the others: the oracle is made of it."""
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    path = site / "stranger" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    done = samenet(site, "verify", *SMALL, "--framework", framework, "--precision", "float32")
    assert done.returncode == 1, done.stdout + done.stderr
    assert group in done.stdout.partition("Failed:")[2]
