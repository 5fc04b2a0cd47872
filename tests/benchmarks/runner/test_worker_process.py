"""Worker processes from outside: still while they wait, and never left behind, however the run ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from benchmarks import system
from benchmarks.plan import schedule
from benchmarks.records import records_file
from benchmarks.records.record import BlockRecord, Configuration, Record, TimingRecord
from benchmarks.runner import blocks, worker_process
from benchmarks.runner.blocks import Runner
from benchmarks.runner.networks import dataset_of, scratch
from benchmarks.runner.worker_process import PROGRAM, WorkerLost, WorkerProcess
from benchmarks.worker.protocol import Job, Part, Task
from tests.support import LIGHT, ROOT
from tests.support.command import SMALL
from tests.support.tiny_runs import SPEC, TINY, cells_of, networks
from tests.support.virtual_run import survivors

PATIENCE_S = 20


PLAN = {"rounds": 3, "alone": 1, "loops": 2, "schedule": "workers", "last": True}


class Waiting(NamedTuple):
    """A worker that has said that it is ready, and what its sink was given."""

    worker: WorkerProcess
    found: list[Record]


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    ((who, cells),) = schedule.by_implementation(cells_of("numpy", phases=("train_step", "predict"))).items()
    found: list[Record] = []
    with scratch(networks()) as folder:
        dataset = str(dataset_of("mlp", folder))
        task = Task(who=who, spec=SPEC.model_dump(mode="json"), dataset=dataset)
        job = Job(tasks=[task], block=0, seed=0, parts=[Part(cells=cells)])
        worker = WorkerProcess(job, sys.executable, folder / "log", found.append)
        worker.listen()
        yield Waiting(worker, found)
        worker.stop()


def test_who_waits_is_stopped_and_uses_no_processor(waiting: Waiting) -> None:
    pid = waiting.worker.process.pid
    process, before = psutil.Process(pid), system.cpu_clock(pid)()
    time.sleep(0.05)
    assert process.status() == psutil.STATUS_STOPPED
    assert system.cpu_clock(pid)() == before > 0


def to_its_end(worker: WorkerProcess) -> None:
    while not worker.ended:
        worker.proceed(json.dumps(PLAN) if worker.event["event"] == "prepared" else "go")


def test_a_worker_that_somebody_else_continues_is_lost(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "STILL_TIMEOUT_S", 0.5)
    pid, done = waiting.worker.process.pid, threading.Event()

    def continue_it() -> None:
        while not done.is_set():
            os.kill(pid, signal.SIGCONT)
            time.sleep(1e-5)

    somebody = threading.Thread(target=continue_it)
    somebody.start()
    try:
        with pytest.raises(WorkerLost, match="did not stand still while it waited"):
            to_its_end(waiting.worker)
    finally:
        done.set()
        somebody.join()


def test_what_a_worker_compiles_is_kept_with_the_run_and_no_longer(waiting: Waiting) -> None:
    environ = psutil.Process(waiting.worker.process.pid).environ()
    for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "CUPY_CACHE_DIR"):
        assert waiting.worker.log.parent in Path(environ[name]).parents


def test_a_workers_waiting_is_in_its_record(waiting: Waiting) -> None:
    worker, found = waiting
    while not worker.ended:
        time.sleep(0.01)
        worker.proceed(json.dumps(PLAN) if worker.event["event"] == "prepared" else "go")
    timing, *others = (r for r in found if isinstance(r, TimingRecord))
    assert others
    assert (len(timing.elapsed_s), len(timing.alone_s), timing.loops, timing.schedule) == (3, 1, 2, "workers")
    assert timing.waiting_s > 0.04
    assert timing.waiting_cpu_s < 1e-4


def test_the_processor_clock_is_of_the_whole_process_and_of_nobody_that_is_gone() -> None:
    assert system.cpu_clock(os.getpid())() == pytest.approx(time.process_time(), abs=0.05)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert system.cpu_clock(gone.pid)() == 0.0


def started(results: Path) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A long run in its second block, and its two workers: the framework's and its null control's."""
    choice = [*SMALL, "--phase", "train_step", "--blocks", "40"]
    run = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "run", *choice, "--results", str(results)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(LIGHT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # where the tests run, it may be ignored
    )
    assert run.stderr
    for line in run.stderr:
        if line.startswith("block 2/40"):
            break
    end = time.monotonic() + PATIENCE_S
    while len(workers := psutil.Process(run.pid).children()) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    return run, workers


def all_gone(workers: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(workers, timeout=PATIENCE_S)[1]


def test_a_worker_whose_run_is_gone_before_it_begins_ends_by_itself() -> None:
    job = Job(tasks=[Task(who=cells_of("numpy")[0].who, spec={}, dataset="there is none")], block=0, seed=0)
    worker = subprocess.Popen(
        [sys.executable, "-m", PROGRAM],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert worker.communicate(job.model_dump_json() + "\n", timeout=PATIENCE_S) == ("", "")
    assert worker.returncode == 1


def test_an_interruption_while_workers_are_started_leaves_none_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[WorkerProcess] = []

    def interrupted_at_the_second(*arguments: Any) -> WorkerProcess:
        if started:
            raise KeyboardInterrupt
        started.append(WorkerProcess(*arguments))
        return started[0]

    monkeypatch.setattr(blocks, "WorkerProcess", interrupted_at_the_second)
    run = Runner(networks(), cells_of("numpy"), TINY, 2, 0, lambda found: None)
    with pytest.raises(KeyboardInterrupt):
        run.execute()
    assert started[0].process.returncode == -signal.SIGKILL


def test_control_c_ends_within_seconds_with_a_partial_report_and_no_process_left(tmp_path: Path) -> None:
    ends_early(
        tmp_path, lambda run: os.killpg(run.pid, signal.SIGINT), 130
    )  # as a terminal does: the workers get it too


@pytest.mark.parametrize("to", ["the run alone", "the workers too"])
def test_so_does_sigterm(tmp_path: Path, to: str) -> None:
    send = os.kill if to == "the run alone" else os.killpg
    ends_early(tmp_path, lambda run: send(run.pid, signal.SIGTERM), 143)


def ends_early(tmp_path: Path, send: Callable[[subprocess.Popen[str]], None], code: int) -> None:
    """Whether its workers run or are stopped."""
    run, workers = started(tmp_path)
    try:
        assert len(workers) == 2
        send(run)
        run.communicate(timeout=PATIENCE_S)
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == code
    assert all_gone(workers)
    assert not survivors(run.pid)
    (folder,) = tmp_path.iterdir()
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "partial" in report.splitlines()[0]
    assert "Partial results: " in report
    records, problems = records_file.read(folder)
    assert problems == []
    assert [r.block for r in records if isinstance(r, BlockRecord)] == [0]  # it was in its second block


def folders_of_what_is_compiled(who: Configuration, scratch: Path, apart: bool = False) -> set[str]:
    settings = worker_process.environment(who, scratch, apart)
    names = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "CUPY_CACHE_DIR", "JAX_COMPILATION_CACHE_DIR")
    return {settings[name] for name in names if name in settings}


def test_what_is_compiled_is_kept_in_the_runs_folder_for_each_implementation_by_itself(tmp_path: Path) -> None:
    """Or else what another one has compiled would shorten its first call."""
    numpy, jax = cells_of("numpy")[0].who, cells_of("jax")[0].who
    others: list[dict[str, Any]] = [
        {"threads": 7},
        {"mode": "tuned"},
        {"precision": "float64"},
        {"framework": "jax@next"},
    ]
    whos = [numpy, jax, *(jax.model_copy(update=other) for other in others)]
    found = [folders_of_what_is_compiled(who, tmp_path) for who in whos]
    found.append(folders_of_what_is_compiled(jax, tmp_path, apart=True))
    assert all(len(folders) == 1 for folders in found)
    assert len(set.union(*found)) == len(found)
    assert all(tmp_path in Path(folder).parents for folder in set.union(*found))
    assert found[1] == folders_of_what_is_compiled(jax.model_copy(update={"model": "cnn"}), tmp_path)


@pytest.mark.parametrize("proves", [True, False])
def test_cublas_is_deterministic_where_nothing_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proves: bool
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    settings = worker_process.environment(cells_of("torch")[0].who, tmp_path, proves=proves)
    assert ("CUBLAS_WORKSPACE_CONFIG" in settings) == proves


def test_on_a_gpu_jax_compiles_in_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tries there which way is quickest: how much processes differ in that belongs to the interval."""
    monkeypatch.setattr(worker_process, "_gpu", lambda device: "GPU-1")
    on_gpu = cells_of("jax")[0].who.model_copy(update={"device": "cuda:0"})
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "/of/the/user")
    assert worker_process.environment(on_gpu, tmp_path)["JAX_ENABLE_COMPILATION_CACHE"] == "false"


def test_jax_finds_again_what_it_has_compiled(tmp_path: Path) -> None:
    settings = worker_process.environment(cells_of("jax")[0].who, tmp_path)
    code = "import jax; jax.config.update('jax_log_compiles', True); jax.jit(lambda x: x + 1)(1.0)"
    told = [
        subprocess.run([sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=True).stderr
        for _ in range(2)
    ]
    assert list(Path(settings["JAX_COMPILATION_CACHE_DIR"]).iterdir())
    assert ["cache hit" in text.lower() for text in told] == [False, True], told
