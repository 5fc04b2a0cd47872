"""`.ci/gpu` on the CPU, in its shortest form: what is broken is told with its reason, and everything else comes back."""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks import record, report
from benchmarks.record import ProofRecord, RunRecord, TimingRecord
from tests import background
from tests.benchmarks.strangers import offered

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / ".ci" / "gpu"
FRAMEWORKS = {"hanging": "import time; time.sleep(600)", "broken": "import no_such_module"}
RUNS = ("run-plain", "run-tuned", "run-coarse", "run-costs")


@cache
def settings() -> dict[str, str]:
    """NumPy, and two frameworks that are no good, in a folder of their own."""
    folder = Path(tempfile.mkdtemp(prefix="samenet-test-"))
    (folder / "site").mkdir()
    with offered(folder / "site", "from implementations.mlp.mlp_numpy import MLP\n", FRAMEWORKS):
        path = os.environ["PYTHONPATH"]
    return {
        "DEVICE": "cpu", "BUDGET": "20s", "VERIFY": "12", "FRAMEWORKS": ",".join(["numpy", *FRAMEWORKS]),
        "PYTHON": sys.executable, "PYTHONPATH": path, "OUT": str(folder / "out"),
    }  # fmt: skip


def begin() -> Any:
    return background.python("-c", f"import os; os.execvp('bash', ['bash', {str(SCRIPT)!r}])", **settings())


def begin_processes(parameters: Sequence[dict[str, Any]]) -> None:
    begin()


@pytest.fixture(scope="module")
def ran() -> subprocess.CompletedProcess[str]:
    found: subprocess.CompletedProcess[str] = begin().result()
    return found


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
    assert len(lines) <= 41, ran.stdout
    told = {found[1]: line for line in lines if (found := re.search(r"\d+ s  ([\w-]+)", line))}
    for name in ("doctor", "verify-numpy-plain", "verify-numpy-tuned", *RUNS):
        assert told[name].startswith("ok "), ran.stdout
    assert told["verify-hanging-plain"].startswith("NO END within 12 s"), ran.stdout
    assert "stopped while proving hanging; it was at File" in told["verify-hanging-plain"]
    assert "strangers/hanging.py" in told["verify-hanging-plain"]
    assert told["verify-broken-plain"].startswith("FAILED (4)")
    assert "ModuleNotFoundError: No module named 'no_such_module'" in told["verify-broken-plain"]
    assert "hanging has no tuned mode" in told["verify-hanging-tuned"]
    assert ran.returncode == 1
    assert lines[-1].startswith("4 parts failed; ")  # each of the two, in each of the modes


def test_proofs_come_back_as_records(unpacked: Path) -> None:
    for mode in ("plain", "tuned"):
        (line,) = (unpacked / "proofs" / f"numpy-{mode}.jsonl").read_text(encoding="utf-8").splitlines()
        proof = record.parse(line)
        assert isinstance(proof, ProofRecord)
        assert (proof.who.mode, proof.passed) == (mode, True)


@pytest.mark.parametrize("name", RUNS)
def test_every_run_comes_back_and_its_report_can_be_made_elsewhere(unpacked: Path, name: str) -> None:
    (folder,) = (unpacked / "results" / name).iterdir()
    assert {file.name for file in folder.iterdir()} == {"records.jsonl", "environment.json", "report.md"}
    records, problems = record.read(folder)
    assert not problems
    run = next(r for r in records if isinstance(r, RunRecord))
    timed = {r.cell.id for r in records if isinstance(r, TimingRecord)}
    assert timed == {cell.id for cell in run.cells}
    assert {cell.who.framework for cell in run.cells} == {"numpy"}
    assert folder / "report.html" in report.write(folder)


def test_where_nothing_runs_and_nothing_can_be_written_the_summary_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nothing = tmp_path / "python"
    nothing.write_text("#!/bin/sh\necho this is no Python >&2\nexit 7\n", encoding="utf-8")
    nothing.chmod(0o755)
    given = {"DEVICE": "cpu", "PYTHON": str(nothing), "OUT": str(tmp_path / "file" / "out")}
    found = subprocess.run([SCRIPT], env=os.environ | given, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "FAILED (7)" in found.stdout
    assert "doctor: this is no Python" in found.stdout
    for name in RUNS:
        assert f"NOT RUN          {name}: no framework came to the end of its proof" in found.stdout
    assert found.stderr.count("file/out") == 4
