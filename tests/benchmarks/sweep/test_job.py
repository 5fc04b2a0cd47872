"""What a job does with its run, in place of which a program of ours runs here."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.sweep import job
from benchmarks.sweep.job import Job


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setattr("benchmarks.sweep.job.sleep", seconds.append)
    return seconds


def runs(program: str, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The commands that were given, in whose place the program runs."""
    given: list[Sequence[str]] = []
    start = subprocess.Popen

    def started(command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
        given.append(command)
        return start([sys.executable, "-c", program], **options)

    monkeypatch.setattr("benchmarks.sweep.job.Popen", started)
    return given


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_it_writes_down_what_its_run_ended_with(
    tmp_path: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    given = runs(f"raise SystemExit({code})", monkeypatch)
    assert Job("a-1", ["--profile", "smoke"], str(tmp_path / "a-1_%j.exit_code"))() == code
    assert given == [[sys.executable, "-m", "benchmarks", "run", "--into", "a-1", "--profile", "smoke"]]
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a-1_12.exit_code", f"{code}\n")]
    assert slept == []


@pytest.mark.parametrize("end", ["raise SystemExit(143)", "import os; os.kill(os.getpid(), 15)"])
def test_of_a_run_that_was_stopped_it_waits_for_its_own_end_and_writes_nothing(
    tmp_path: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    runs(end, monkeypatch)
    Job("a-1", [], str(tmp_path / "a-1_%j.exit_code"))()
    assert slept == [job.LONGEST_GRACE_S]
    assert list(tmp_path.iterdir()) == []


def test_the_notice_that_the_time_is_nearly_over_does_not_end_the_run(
    tmp_path: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs("import os, signal; os.kill(os.getpid(), signal.SIGUSR2)", monkeypatch)
    assert Job("a-1", [], str(tmp_path / "%j"))() == 0


def test_where_submitit_leaves_the_run_is_ended_in_good_order(
    tmp_path: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """submitit's handler of that notice asks for a requeue, and raises SystemExit."""
    ended = tmp_path / "ended"
    runs(
        "import pathlib, signal, sys, os\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(ended)!r}).touch(), sys.exit(143)))\n"
        "os.kill(os.getppid(), signal.SIGUSR1)\nsignal.pause()",
        monkeypatch,
    )
    before = signal.signal(signal.SIGUSR1, lambda *_: sys.exit(-1))
    try:
        with pytest.raises(SystemExit):
            Job("a-1", [], str(tmp_path / "%j"))()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert ended.exists()
