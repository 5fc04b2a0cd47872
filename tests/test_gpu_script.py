"""`.ci/gpu` on the CPU, in its shortest form: what is broken is told with its reason, and everything else comes back."""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from time import sleep

import psutil
import pytest

from benchmarks import report
from benchmarks.records import records_file
from benchmarks.records.record import ProofRecord, RunRecord, TimingRecord
from tests.support import LIGHT, ROOT
from tests.support.strangers import offered

SCRIPT = ROOT / ".ci" / "gpu"
FRAMEWORKS = {"hanging": "import time; time.sleep(600)", "broken": "import no_such_module"}
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason=".ci/gpu is for Linux, where NVIDIA's GPUs are"),
]

RUNS = ("run-plain", "run-tuned", "run-coarse", "run-zoo", "run-transformer", "run-costs")
MODELS = {"run-zoo": ("cnn", "rnn"), "run-transformer": ("transformer",)}
"""What is not the perceptron's."""


@cache
def settings() -> dict[str, str]:
    """NumPy, and two frameworks that are no good, in a folder of their own."""
    folder = Path(tempfile.mkdtemp(prefix="samenet-test-"))
    (folder / "site").mkdir()
    with offered(folder / "site", "from implementations.mlp.mlp_numpy import MLP\n", FRAMEWORKS):
        path = os.pathsep.join([os.environ["PYTHONPATH"], str(LIGHT)])
    return {
        "DEVICE": "cpu", "BUDGET": "4s", "VERIFY": "30", "GRACE": "120", "FRAMEWORKS": ",".join(["numpy", *FRAMEWORKS]),
        "PYTHON": sys.executable, "PYTHONPATH": path, "OUT": str(folder / "out"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def ran() -> subprocess.CompletedProcess[str]:
    """On one processor: threads that wait for one another would cost the tests beside them more than all that it does."""
    one = str(min(os.sched_getaffinity(0)))
    return subprocess.run(
        ["taskset", "-c", one, SCRIPT],
        env=os.environ | settings(), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def unpacked(ran: subprocess.CompletedProcess[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    packed = sorted(Path(settings()["OUT"]).iterdir())
    assert [file.name for file in packed] == ["logs.tgz", "proofs.tgz", "results.tgz", "summary.txt"]
    for file in packed[:3]:
        with tarfile.open(file) as archive:
            archive.extractall(folder, filter="data")
    return folder


def test_the_summary_is_short_and_says_what_failed_and_why(ran: subprocess.CompletedProcess[str]) -> None:
    lines = ran.stdout.splitlines()
    assert len(lines) <= 46, ran.stdout
    summary = {match[1]: line for line in lines if (match := re.search(r"\d+ s  ([a-z][\w-]*)", line))}
    for name in ("doctor", "verify-numpy-plain", "verify-numpy-tuned", *RUNS):
        assert summary[name].startswith("ok "), ran.stdout
    assert summary["verify-hanging-plain"].startswith("NO END within 30 s"), ran.stdout
    assert "stopped while importing hanging; it was at File" in summary["verify-hanging-plain"]
    assert "strangers/hanging.py" in summary["verify-hanging-plain"]
    assert summary["verify-broken-plain"].startswith("FAILED (2)")
    assert "no_such_module is not installed, which broken needs" in summary["verify-broken-plain"]
    for name in FRAMEWORKS:  # what cannot be imported is not waited for again
        why = f"verify-{name}-tuned: its plain mode did not come to the end of its proof"
        assert [line for line in lines if line.startswith("NOT RUN") and why in line], ran.stdout
    assert ran.returncode == 1
    assert lines[-1].startswith("4 parts failed; ")  # each of the two, in each of the modes


def test_proofs_come_back_as_records(unpacked: Path) -> None:
    for mode in ("plain", "tuned"):
        (line,) = (unpacked / "proofs" / f"numpy-{mode}.jsonl").read_text(encoding="utf-8").splitlines()
        proof = records_file.parse(line)
        assert isinstance(proof, ProofRecord)
        assert (proof.who.mode, proof.passed) == (mode, True)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", RUNS)
def test_every_run_comes_back_and_its_report_can_be_made_elsewhere(unpacked: Path, name: str) -> None:
    (folder,) = (unpacked / "results" / name).iterdir()
    assert {file.name for file in folder.iterdir()} == {"records.jsonl", "environment.json", "report.md"}
    records, problems = records_file.read(folder)
    assert not problems
    run = next(r for r in records if isinstance(r, RunRecord))
    timed = {r.cell.id for r in records if isinstance(r, TimingRecord)}
    assert timed == {cell.id for cell in run.cells}
    assert {cell.who.framework for cell in run.cells} == {"numpy"}
    proofs = {(r.who.model, r.passed) for r in records if isinstance(r, ProofRecord)}
    assert proofs == {(model, True) for model in MODELS.get(name, ("mlp",))}
    assert folder / "report.html" in report.write(folder)


def test_where_nothing_runs_and_nothing_can_be_written_the_summary_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nothing = tmp_path / "python"
    nothing.write_text("#!/bin/sh\necho this is no Python >&2\nexit 7\n", encoding="utf-8")
    nothing.chmod(0o755)
    given = {"DEVICE": "cpu", "PYTHON": str(nothing), "OUT": str(tmp_path / "file" / "out"), "TMPDIR": str(tmp_path)}
    done = subprocess.run([SCRIPT], env=os.environ | given, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "FAILED (7)" in done.stdout
    assert "doctor: this is no Python" in done.stdout
    for name in RUNS:
        assert f"NOT RUN          {name}: no framework came to the end of its proof" in done.stdout
    assert "file/out" in done.stderr
    kept = Path(done.stdout.splitlines()[-1].rpartition(" kept in ")[2])
    assert {file.name for file in kept.iterdir()} >= {"summary.txt", "logs.tgz", "results.tgz"}


@pytest.mark.parametrize("limit", ["", "3"], ids=["by a signal", "by its own limit"])
def test_stopped_early_it_packs_what_there_is_and_leaves_nothing_running(tmp_path: Path, limit: str) -> None:
    slow = tmp_path / "python"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\necho working >&2\nexec sleep 60\n", encoding="utf-8")
    slow.chmod(0o755)
    given = {"DEVICE": "cpu", "PYTHON": str(slow), "OUT": str(tmp_path / "out"), "LIMIT": limit}
    with subprocess.Popen([SCRIPT], env=os.environ | given, stdout=subprocess.PIPE, text=True) as script:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text(encoding="utf-8"):
            sleep(0.05)
        sleep(0.5)
        if not limit:
            script.terminate()
        summary, _ = script.communicate(timeout=60)
    assert script.returncode == 1
    assert {file.name for file in (tmp_path / "out").iterdir()} >= {"summary.txt", "logs.tgz"}
    assert "parts failed" in summary
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "settings",
    [
        {"BUDGET": "abc"},
        {"BUDGET": "08s"},
        {"BUDGET": "0"},
        {"VERIFY": "2m"},
        {"PROOFS": "150s"},
        {"GRACE": "0"},
        {"LIMIT": "9m"},
    ],
)
def test_a_setting_that_means_nothing_is_refused_at_once(tmp_path: Path, settings: dict[str, str]) -> None:
    given = settings | {"OUT": str(tmp_path / "out")}
    done = subprocess.run([SCRIPT], env=os.environ | given, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    ((name, value),) = settings.items()
    assert f"{name}={value}" in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_a_place_for_temporary_files_nothing_is_touched(tmp_path: Path) -> None:
    given = {"TMPDIR": str(tmp_path / "none"), "OUT": str(tmp_path / "out")}
    done = subprocess.run([SCRIPT], env=os.environ | given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "set TMPDIR" in done.stderr
