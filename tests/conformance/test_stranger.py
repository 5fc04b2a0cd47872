"""A network of another kind joins: proved in full, timed, trained and reported, without a word about it in ours.

Its package (`tests/support/stranger`) is installed as pip would leave it: a folder on the path with its metadata.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.records import records_file
from benchmarks.records.record import LearningRecord, ProofRecord, SourceRecord, TimingRecord
from implementations import mistakes, registry
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
pytestmark = pytest.mark.long


def samenet(site: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return python("-m", "benchmarks", *words, site=site)


def test_it_imports_nothing_of_the_perceptron() -> None:
    for path in SITE.rglob("*.py"):
        assert "mlp" not in path.read_text(encoding="utf-8"), path


def test_nothing_of_ours_knows_it() -> None:
    names = re.compile(r"\b(stranger|dropout_of_windows|maximum1|dense1|norm1|relu1|dropout1|output\.weight)\b")
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


def test_a_package_that_is_broken_is_an_error_with_its_reason(tmp_path: Path) -> None:
    shutil.copytree(SITE, tmp_path / "site")
    (tmp_path / "site" / "stranger" / "spec.py").write_text("import zzz_not_there\n", encoding="utf-8")
    done = samenet(tmp_path / "site", "list", *SMALL)
    assert (done.returncode, done.stdout) == (2, "")
    why = "stranger.spec cannot be imported: ModuleNotFoundError(\"No module named 'zzz_not_there'\")"
    assert done.stderr == f"Error: the model stranger: {why}. Ask its author, or uninstall it.\n"


def test_its_code_is_in_the_hash_of_a_run(tmp_path: Path) -> None:
    hashes = set()
    for name, text in (("one", ""), ("other", "# changed")):
        shutil.copytree(SITE, tmp_path / name)
        with (tmp_path / name / "stranger" / "stranger_numpy.py").open("a", encoding="utf-8") as page:
            page.write(text)
        code = "from implementations import registry, sources; print(sources.tree_sha256(*registry.from_elsewhere('stranger', ['numpy'])))"
        hashes.add(python("-c", code, site=tmp_path / name).stdout)
    assert len(hashes) == 2


def test_a_precision_that_a_framework_lacks_for_it_is_told() -> None:
    done = samenet(SITE, "list", *SMALL, "--profile", "smoke", "--precision", "bfloat16,float32")
    assert done.returncode == 0, done.stderr
    assert "torch has no stranger in bfloat16: nobody has written it." in done.stderr


def test_it_is_proved_in_full() -> None:
    words = ["--framework", "numpy,torch", "--precision", "float32", "--json"]
    done = samenet(SITE, "verify", *SMALL, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    proofs = [proof for line in done.stdout.splitlines() if isinstance(proof := records_file.parse(line), ProofRecord)]
    assert [proof.who.framework for proof in proofs] == ["numpy", "torch"]
    for proof in proofs:
        asked = {check.check for check in proof.checks}
        assert {"hot state", "zeroed slots", "one token", "not a number", "manners", "generator", "17 samples"} <= asked


def test_it_is_timed_learns_and_is_reported_beside_another_network(tmp_path: Path) -> None:
    """Its optimizer's kind is an axis with words; the other network has no such axis."""
    sizes = ["--set", "batch=16", "--set", "optimizer=sgd,adam"]
    choice = ["--model", "stranger,mlp", "--framework", "numpy,torch", "--profile", "smoke", "--phase", "train_step"]
    done = samenet(SITE, "run", *choice, "--threads", "1", *sizes, "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (folder,) = tmp_path.iterdir()
    records = records_file.read(folder)[0]
    timings = [record for record in records if isinstance(record, TimingRecord)]
    assert {(t.cell.who.model, t.cell.who.framework, t.cell.axes.get("optimizer"), t.ranked) for t in timings} == {
        (model, framework, kind, True)
        for model, kinds in (("stranger", ("sgd", "adam")), ("mlp", (None,)))
        for framework in ("numpy", "torch")
        for kind in kinds
    }
    assert {t.kernels["dense"] for t in timings if t.kernels} <= {"MKL", "without MKL"}
    assert {(t.cell.who.model, t.cell.who.framework) for t in timings if t.kernels} == {("stranger", "torch")}
    learned = [record for record in records if isinstance(record, LearningRecord)]
    assert {training.who.model for training in learned} == {"mlp", "stranger"}
    for training in (training for training in learned if training.who.model == "stranger"):
        assert training.points[-1].metric < 2  # log2(11) = 3.5 bits where nothing is learned
    steps = {record.step for record in records if isinstance(record, SourceRecord) and record.model == "stranger"}
    assert {"embedding", "maximum", "dense"} <= steps
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "# Stranger and MLP benchmark" in text
    assert "Test bits per token by epoch" in text
    assert "Test accuracy by epoch" in text
    assert "kernel, dense" in text
    for figure in ("stranger-bits-per-token-epochs", "mlp-accuracy-epochs"):
        assert list((folder / "figures").glob(f"{figure}*.svg"))


MUST_BE_TOLD = {
    ("the whole window gets the gradient", "numpy"): ("torch", "gradients"),
    ("table's gradient halved", "numpy"): ("torch", "gradients"),
    ("one rate for both dropouts", "numpy"): ("numpy", "loss"),
    ("tokens read backwards", "torch"): ("torch", "logits"),
}
"""Mistake and family in which it is made -> the framework in which it shows, and where. The oracle is made of NumPy's page."""


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stranger as a model among ours, in this process."""
    monkeypatch.syspath_prepend(SITE)
    registry._entry_points.cache_clear()
    yield
    registry._entry_points.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "stranger"]:
        del sys.modules[name]


STEPS = """
import sys
from implementations import registry
from tests.support import adapters
kit = adapters.kit(sys.argv[1], model="stranger")
spec = registry.part("stranger", "spec").Spec().changed(batch=16)
print("Failed:", *(check.group for check in kit.steps(kit.candidate(spec), kit.starts(spec)) if not check.passed))
"""
"""The part of the proof that `verify` begins with."""


@pytest.mark.parametrize(("name", "family"), MUST_BE_TOLD)
def test_a_mistake_in_it_is_told(installed: None, tmp_path: Path, name: str, family: str) -> None:
    framework, group = MUST_BE_TOLD[name, family]
    (mistake,) = (mistake for mistake in mistakes.of_model("stranger") if mistake.name == name)
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    for module, text in mistakes.changed("stranger", family, mistake).items():
        if module.startswith("stranger."):
            (site / f"{module.replace('.', '/')}.py").write_text(text, encoding="utf-8")
    done = python("-c", STEPS, framework, site=site)
    assert group in done.stdout.partition("Failed:")[2].split(), done.stdout + done.stderr


def test_the_loader_plants_its_mistakes_and_those_of_its_layers(installed: None) -> None:
    made = {mistake.name: mistake for mistake in mistakes.of_model("stranger")}
    own = registry.part("stranger", "mistakes").MISTAKES
    assert {mistake.name for mistake in own} == {name for name, _ in MUST_BE_TOLD}
    assert {"leaky ReLU", "TF32 on", "Nesterov"} <= set(made)
    assert "epsilon missing" not in made  # it has no batch norm
    clean = registry.model_class("stranger", "numpy")
    page = mistakes.planted("stranger", "numpy", made["leaky ReLU"])
    assert page.relu.forward(np.float32(-1)) == np.float32(-0.01)
    assert sys.modules[clean.__module__].relu.forward(np.float32(-1)) == 0
    for mistake in own:
        for family in ("numpy", "torch"):
            if isinstance(why := mistake.change(family), str):
                with pytest.raises(ValueError, match=why):
                    mistakes.planted("stranger", family, mistake)
            else:
                assert mistakes.planted("stranger", family, mistake).Stranger is not clean
