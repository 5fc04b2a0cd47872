"""Runs a plan: blocks of fresh worker processes, whose turn it is, timeouts, and what is written when one dies.

A block is one process per framework, device and thread count. They start side by side, because importing and proving
are slow and are not measured (except in the first block, where the first calls are), and then work one after the other in an order drawn anew for each block. Who may run a round is decided
in `Run.pump` alone: today whoever is at work gets every turn he asks for.
"""

import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from benchmarks import environment, record
from benchmarks.plan import PROFILES, Profile
from benchmarks.record import Cell, OutcomeRecord, Record, TimingRecord, Who
from benchmarks.worker import Job

START_TIMEOUT_S = 300.0
CELL_TIMEOUT_S = 300.0
LAST_LINES = 12
DATASET = "dataset.npz"

Sink = Callable[[Record], None]
Say = Callable[[str], None]


class WorkerLost(RuntimeError):
    """A worker ended or fell silent before it was done; `reason` says which."""


class Worker:
    """A worker process seen from the runner: one job, lines in both directions, standard error in a file."""

    def __init__(self, job: Job, python: str, log: Path) -> None:
        self.job, self.log = job, log
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.in_progress: str | None = None
        self.ended = False
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                [python, "-m", "benchmarks.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=_environment(job.who),
                cwd=environment.ROOT,
            )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.answer(job.model_dump_json())

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as stdout:
            for line in stdout:
                self.lines.put(line)
        self.lines.put(None)

    def answer(self, line: str) -> None:
        """Send a line; a worker that is gone is noticed when its next line is awaited."""
        try:
            if self.process.stdin:
                self.process.stdin.write(line + "\n")
                self.process.stdin.flush()
        except OSError:
            pass

    def next(self, timeout_s: float) -> Record | dict[str, Any]:
        """The next record or event. Raises WorkerLost."""
        try:
            line = self.lines.get(timeout=timeout_s)
        except queue.Empty:
            raise WorkerLost(f"nothing was heard of it for {timeout_s:.0f} s, so it was stopped") from None
        if line is None:
            code = self.process.wait()
            raise WorkerLost(f"its process ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}")
        try:
            return json.loads(line) if line.startswith('{"event"') else record.parse(line)
        except (json.JSONDecodeError, ValidationError):
            raise WorkerLost(f"it sent something unreadable: {line[:200]!r}") from None

    def last_lines(self) -> list[str]:
        """The end of what it wrote to standard error."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]

    def stop(self) -> None:
        """End the process, whatever it is doing, and close what led to it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(timeout=1)
        with suppress(OSError):
            if self.process.stdin:
                self.process.stdin.close()


@dataclass
class Run:
    """Everything a run needs to know, and where its results go."""

    spec: Any
    data: Mapping[str, np.ndarray]
    cells: list[Cell]
    profile: Profile
    blocks: int
    seed: int
    sink: Sink
    say: Say = lambda text: None
    pythons: Mapping[str, str] = field(default_factory=dict)
    epochs: int = 0
    loops: dict[str, int] = field(default_factory=dict)

    def execute(self) -> None:
        """All blocks."""
        with scratch(self.data) as folder:
            for block in range(self.blocks):
                self._block(block, folder)

    def _block(self, block: int, folder: Path) -> None:
        """Fresh processes for every group of cells; then each in its turn, in a new order."""
        order = random.Random(f"{self.seed}-{block}")
        jobs = [self._job(who, cells, block, folder, order) for who, cells in grouped(self.cells).items()]
        order.shuffle(jobs)
        workers = [self.spawn(job, folder) for job in jobs]
        try:
            self.say(f"block {block + 1}/{self.blocks}  starting")
            lost = {worker: reason for worker in workers if (reason := self._wait_until_ready(worker))}
            for worker in workers:
                self.say(f"block {block + 1}/{self.blocks}  {worker.job.who.framework} on {worker.job.who.device}")
                self._work(worker, lost.get(worker), folder)
        finally:
            for worker in workers:
                worker.stop()

    def _job(self, who: Who, cells: list[Cell], block: int, folder: Path, order: random.Random) -> Job:
        return Job(
            who=who,
            block=block,
            seed=self.seed,
            spec=self.spec.model_dump(mode="json"),
            dataset=str(folder / DATASET),
            cells=order.sample(cells, len(cells)),
            loops={cell.id: self.loops[cell.id] for cell in cells if cell.id in self.loops},
            rounds=self.profile.rounds,
            round_s=self.profile.round_s,
            epochs=self.epochs if block == 0 else 0,
            prepare_early=block > 0,
        )

    def spawn(self, job: Job, folder: Path) -> Worker:
        name = f"{job.block}-{job.who.framework}-{job.who.device}-{job.who.threads}.log".replace(":", "")
        return Worker(job, self.pythons.get(job.who.framework, environment.python()), folder / name)

    def _wait_until_ready(self, worker: Worker) -> str | None:
        """Nobody is timed while another still imports: that takes both cores. Returns why a worker was lost, if it was."""
        try:
            self.pump(worker, set(), until="ready")
        except WorkerLost as problem:
            return str(problem)
        return None

    def _work(self, worker: Worker, reason: str | None, folder: Path) -> None:
        """Pump one worker to its end; when it is lost in a cell (or was before, for this `reason`), record that and go on
        with the rest in a new process."""
        while True:
            finished: set[str] = set()
            try:
                if reason is None:
                    worker.answer("go")
                    self.pump(worker, finished)
                    return
            except WorkerLost as problem:
                reason = str(problem)
            finally:
                worker.stop()
            rest = self._after_loss(worker, reason, finished)
            if rest is None:
                return
            worker = self.spawn(rest, folder)
            try:
                reason = self._wait_until_ready(worker)
            except BaseException:
                worker.stop()
                raise

    def pump(self, worker: Worker, finished: set[str], until: str = "done") -> None:
        """Answer the worker's requests and keep its records until it says `until`. Raises WorkerLost."""
        if worker.ended:
            return
        timeout_s = START_TIMEOUT_S
        while True:
            said = worker.next(timeout_s)
            if isinstance(said, dict):
                event = said["event"]
                worker.ended = event in ("done", "unavailable")
                if worker.ended or event == until:
                    return
                if event == "start":
                    worker.in_progress, timeout_s = said["cell"], CELL_TIMEOUT_S
                if event == "turn":
                    worker.answer("go")
                continue
            if isinstance(said, TimingRecord | OutcomeRecord):
                finished.add(said.cell.id)
            if isinstance(said, TimingRecord):
                self.loops[said.cell.id] = said.loops
            self.sink(said)

    def _after_loss(self, worker: Worker, reason: str, finished: set[str]) -> Job | None:
        """Record the cell that was lost; the job that is left, or None where nothing more can be done."""
        job = worker.job
        lost = [cell for cell in job.cells if cell.id == worker.in_progress and cell.id not in finished]
        rest = [cell for cell in job.cells if cell.id not in finished and cell not in lost]
        gone = lost if worker.in_progress else job.cells
        for cell in gone:
            self.sink(
                OutcomeRecord(cell=cell, block=job.block, status="failed", reason=f"the worker was lost: {reason}",
                              last_lines=worker.last_lines())
            )  # fmt: skip
        self.say(f"  {job.who.framework} was lost: {reason}")
        if not worker.in_progress or not (rest or job.epochs) or worker.in_progress == "learning":
            return None
        return job.model_copy(update={"cells": rest})


def verify(run: Run, jobs: Iterable[Job], folder: Path) -> list[tuple[Job, str]]:
    """Workers that only prove, one after the other; their proofs go to the run's sink. Returns those that were lost."""
    lost = []
    for job in jobs:
        run.say(f"proving {job.who.framework} on {job.who.device} in {job.who.precision}")
        worker = run.spawn(job, folder)
        try:
            run.pump(worker, set(), until="ready")
            worker.answer("go")
            run.pump(worker, set())
        except WorkerLost as problem:
            lost.append((job, f"{problem}: {' / '.join(worker.last_lines()[-3:])}"))
        finally:
            worker.stop()
    return lost


def measure_one(cell: Cell) -> TimingRecord:
    """One cell in one worker, for plain `pytest benchmarks/`. Raises RuntimeError where it has no time."""
    from implementations import data, registry

    found: list[Record] = []
    digits = data.digits()
    spec = registry.part(cell.who.model, "spec").Spec.preset("digits")
    arrays = {name: getattr(digits, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    Run(spec, arrays, [cell], PROFILES["smoke"], blocks=1, seed=0, sink=found.append).execute()
    for result in found:
        if isinstance(result, TimingRecord):
            return result
    reasons = [result.reason for result in found if isinstance(result, OutcomeRecord)]
    raise RuntimeError(f"{cell.id} was not timed: {'; '.join(reasons)}")


def grouped(cells: Iterable[Cell]) -> dict[Who, list[Cell]]:
    """Cells by the process they share: variants of a framework run side by side in one."""
    groups: dict[Who, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.who.model_copy(update={"variant": "spec"}), []).append(cell)
    return groups


def _environment(who: Who) -> dict[str, str]:
    """A worker's environment: its threads, its GPU and no other, the harness's own code first on the path.

    pytest is to load what the worker names and nothing else: other plugins and options of the user's cost time there.
    """
    gpu = who.device.partition(":")[2] if who.device.startswith("cuda") else ""
    path = os.pathsep.join(filter(None, [str(environment.ROOT), os.environ.get("PYTHONPATH", "")]))
    settings = {"CUDA_VISIBLE_DEVICES": gpu, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    settings |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}
    if not gpu:
        settings["JAX_PLATFORMS"] = "cpu"
    return os.environ | environment.thread_environment(who.threads) | settings


@contextmanager
def scratch(data: Mapping[str, np.ndarray]) -> Iterator[Path]:
    """A folder for what workers read and log, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="samenet-") as name:
        np.savez(Path(name) / DATASET, **data)  # type: ignore[arg-type]
        yield Path(name)


if sys.platform == "win32":
    raise ImportError("samenet runs on Linux and macOS; on Windows use WSL2 (see the README).")
