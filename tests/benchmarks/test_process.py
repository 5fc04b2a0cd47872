"""Worker processes from outside: still while they wait, and never left behind, however the run ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from benchmarks import environment, turns
from benchmarks.process import Worker
from benchmarks.record import Record, TimingRecord
from benchmarks.runner import DATASET, scratch
from benchmarks.worker import Job
from tests.benchmarks.tiny_runs import SPEC, cells_of, data

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20


class Waiting(NamedTuple):
    """A worker that has said that it is ready, and what its sink was given."""

    worker: Worker
    found: list[Record]


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    ((who, cells),) = turns.grouped(cells_of("numpy", phases=("train_step",))).items()
    found: list[Record] = []
    with scratch(data()) as folder:
        dataset = str(folder / DATASET)
        job = Job(who=who, block=0, seed=0, spec=SPEC.model_dump(mode="json"), dataset=dataset, cells=cells)
        worker = Worker(job, sys.executable, folder / "log", found.append)
        worker.listen()
        yield Waiting(worker, found)
        worker.stop()


def test_who_waits_is_stopped_and_uses_no_processor(waiting: Waiting) -> None:
    pid = waiting.worker.process.pid
    process, before = psutil.Process(pid), environment.cpu_s(pid)
    time.sleep(0.05)
    assert process.status() == psutil.STATUS_STOPPED
    assert environment.cpu_s(pid) == before > 0


def test_a_workers_waiting_is_in_its_record(waiting: Waiting) -> None:
    worker, found = waiting
    for answer in ("go", "go", '{"rounds": 3, "alone": 1, "loops": 2, "schedule": "workers"}', *["go"] * 4):
        time.sleep(0.01)
        worker.proceed(answer)
    assert worker.ended
    (timing,) = [r for r in found if isinstance(r, TimingRecord)]
    assert (len(timing.elapsed_s), len(timing.alone_s), timing.loops, timing.schedule) == (3, 1, 2, "workers")
    assert timing.waiting_s > 0.04
    assert timing.waiting_cpu_s < 1e-4


def test_the_processor_clock_is_of_the_whole_process_and_of_nobody_that_is_gone() -> None:
    assert environment.cpu_s(os.getpid()) == pytest.approx(time.process_time(), abs=0.05)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert environment.cpu_s(gone.pid) == 0.0


def started(results: Path) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A long run, and its workers once they take turns."""
    choice = ["--profile", "smoke", "--framework", "numpy", "--phase", "train_step", "--blocks", "40"]
    run = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "run", *choice, "--results", str(results)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stderr
    for line in run.stderr:
        if "block 2/40  heat" in line:
            break
    return run, psutil.Process(run.pid).children()


def all_gone(workers: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(workers, timeout=PATIENCE_S)[1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a stopped process whose parent was killed")
def test_a_run_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    run, workers = started(tmp_path)
    assert len(workers) == 2  # the framework and its null control
    run.kill()
    run.communicate()
    assert run.returncode == -signal.SIGKILL
    assert all_gone(workers)


def test_control_c_ends_within_seconds_with_a_partial_report_and_no_process_left(tmp_path: Path) -> None:
    run, workers = started(tmp_path)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 130
    assert all_gone(workers)
    (report,) = tmp_path.glob("*/report.md")
    assert "partial" in report.read_text(encoding="utf-8").splitlines()[0]
