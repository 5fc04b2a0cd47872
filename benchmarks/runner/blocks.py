"""Runs a plan: blocks of fresh worker processes, heat by heat, and what is written when a worker dies.

A block is one process per framework, device and thread count, and a second copy of one of them as null control. They
start side by side, because importing and proving are slow and are not measured (except in the first block, where the
first calls are), and then race: see `benchmarks.plan.schedule` for whose turn it is.
"""

import json
import math
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from benchmarks import system
from benchmarks.plan import schedule as turns
from benchmarks.plan.profiles import PROFILES, Profile
from benchmarks.records.record import BlockRecord, Cell, Configuration, OutcomeRecord, Record, TimingRecord
from benchmarks.runner import interference
from benchmarks.runner.worker_process import PROGRAM, Sink, Worker, WorkerLost
from benchmarks.worker.protocol import WATCHING, Job, Says
from implementations import registry

DATASET = "dataset.npz"

Say = Callable[[str], None]


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
    rounds: dict[tuple[str, ...], int] = field(default_factory=dict)
    restless: set[tuple[str, ...]] = field(default_factory=set)
    """Heats whose waiting workers were not still: from then on whole workers take turns there."""

    left: Mapping[int, list[Cell]] | None = None
    """What is to be measured, by block, where some of it is there already."""

    program: str = PROGRAM
    """The module that a worker runs."""

    null_control: bool = True

    end_s: float = math.inf
    """When blocks should end, by the monotonic clock: one begins only where half of it fits; the first in any case."""

    def execute(self) -> None:
        """All blocks, or those that are left."""
        left = self.left if self.left is not None else dict.fromkeys(range(self.blocks), self.cells)
        typical = 0.0
        with scratch(self.data) as folder:
            for number, cells in left.items():
                begin, interfered = monotonic(), interference.watch()
                if typical and begin + typical / 2 > self.end_s:
                    self.say(f"the budget is over before block {number + 1} of {self.blocks}; the same command goes on")
                    return
                Block(self, number, cells, folder).execute()
                took = monotonic() - begin
                typical = min(typical or took, took)
                self.sink(BlockRecord(block=number, wall_s=took, interference=interfered()))

    def keep(self, result: Record) -> None:
        """A record of a worker's, on its way to the results."""
        if isinstance(result, TimingRecord) and turns.restless(result):
            self.restless.add(result.cell.heat)
        self.sink(result)

    def keep_of_control(self, result: Record) -> None:
        """A hole in the null control is no hole in the results."""
        if not isinstance(result, OutcomeRecord):
            self.keep(result)

    def spawn(self, job: Job, folder: Path) -> Worker:
        """Start a worker."""
        copy = "-control" if job.control else ""
        name = f"{job.block}-{job.who.framework}-{job.who.mode}-{job.who.device}-{job.who.threads}{copy}.log".replace(
            ":", ""
        )
        python = self.pythons.get(job.who.framework, system.python())
        return Worker(job, python, folder / name, self.keep_of_control if job.control else self.keep, self.program)


class Block:
    """Fresh processes for every group of cells, alive together, and every heat once in a new order."""

    def __init__(self, run: Run, number: int, cells: list[Cell], folder: Path) -> None:
        self.run, self.number, self.cells, self.folder = run, number, cells, folder
        self.order = random.Random(f"{run.seed}-{number}")
        self.heats = turns.heats(cells, self.order)
        self.workers: list[Worker] = []

    def execute(self) -> None:
        """Start, race, learn; nobody is left behind."""
        name = f"block {self.number + 1}/{self.run.blocks}"
        try:
            self.run.say(f"{name}  starting")
            for job in self._jobs():  # one by one: an interruption must find those that were started
                self.workers.append(self.run.spawn(job, self.folder))
            for worker in list(self.workers):
                self._step(worker, worker.listen)
            for worker in [w for w in self.workers if w.event["event"] == Says.READY]:
                self._step(worker)
            self._prove_side_by_side()
            for i, heat in enumerate(self.heats, start=1):
                size = ", ".join(f"{axis} {value}" for axis, value in heat[0].axes.items())
                self.run.say(f"{name}  heat {i}/{len(self.heats)}  {heat[0].phase}, {size}")
                self._heat(heat)
            for worker in list(self.workers):
                while worker in self.workers and not worker.ended:  # profiles and learning are left
                    self._step(worker)
        finally:
            for worker in self.workers:
                worker.stop()

    def _prove_side_by_side(self) -> None:
        """Those who have made their first calls alone go on together, to their first cell."""
        called = [worker for worker in self.workers if worker.event["event"] == Says.CALLED]
        for worker in called:
            worker.wake()
        for worker in called:
            self._step(worker, worker.listen)

    def _jobs(self) -> list[Job]:
        order = [cell for heat in self.heats for cell in heat]
        jobs = [self._job(who, cells) for who, cells in turns.grouped(order).items()]
        if self.run.null_control and self.run.blocks > 1:
            peers = {cell.who.framework for cell in self.cells if registry.is_peer(cell.who.framework)}
            control = turns.control(self.cells, self.number, peers)
            jobs += [self._job(who, [c for c in order if c in control], True) for who in turns.grouped(control)]
        self.order.shuffle(jobs)
        return jobs

    def _job(self, who: Configuration, cells: list[Cell], control: bool = False) -> Job:
        learns = self.number == 0 and not control and not registry.is_peer(who.framework)
        return Job(
            who=who,
            block=self.number,
            seed=self.run.seed,
            spec=self.run.spec.model_dump(mode="json"),
            dataset=str(self.folder / DATASET),
            cells=cells,
            loops={cell.id: self.run.loops[cell.id] for cell in cells if cell.id in self.run.loops},
            round_s=self.run.profile.round_s,
            epochs=self.run.epochs if learns else 0,
            trainings=self.run.profile.trainings,
            watch=not control and any(cell.phase == "train_step" for cell in cells),
            prepare_early=self.number > 0,
            control=control,
        )

    def _heat(self, heat: list[Cell]) -> None:
        """Everybody who has a cell here gets ready in turn, then the rounds, then some rounds alone."""
        ids, key = {cell.id for cell in heat}, heat[0].heat
        seats = [w for w in self.workers if w.event["event"] == Says.START and w.in_progress in ids]
        for seat in self.order.sample(seats, len(seats)):
            self._step(seat)
        seats = [w for w in self.workers if w.event["event"] == Says.PREPARED]
        if not seats:
            return
        longest = max(seat.event["round_s"] for seat in seats)
        rounds = self.run.rounds.setdefault(key, turns.rounds_for(longest, self.run.profile.rounds))
        schedule: turns.Schedule = "workers" if key in self.run.restless else "rounds"
        for seat in seats:
            loops = self.run.loops.setdefault(str(seat.in_progress), seat.event["loops"])
            answer = {"rounds": rounds, "alone": turns.ALONE, "loops": loops, "schedule": schedule}
            self._step(seat, partial(seat.proceed, json.dumps(answer)))
        racing = [w for w in self.workers if w.event["event"] == Says.TURN]
        for seat in (*turns.sequence(racing, rounds, schedule, self.order), *turns.alone(racing, self.order)):
            if seat in self.workers and seat.event["event"] == Says.TURN:
                self._step(seat)

    def _step(self, worker: Worker, step: Callable[[], None] | None = None) -> None:
        """Let a worker go on until it waits again; one that is lost gives way to a new one for the rest of its cells."""
        if worker.ended:
            return
        try:
            (step or worker.proceed)()
        except WorkerLost as problem:
            worker.stop()
            self._replace(worker, str(problem))

    def _replace(self, worker: Worker, reason: str) -> None:
        """Record what was lost; go on in a new process where there is something left that can be done."""
        at = self.workers.index(worker)
        self.workers.remove(worker)
        job = self._after_loss(worker, reason)
        if job is None:
            return
        successor = self.run.spawn(job, self.folder)
        self.workers.insert(at, successor)
        self._step(successor, successor.listen)
        if successor in self.workers:
            self._step(successor)

    def _after_loss(self, worker: Worker, reason: str) -> Job | None:
        """Record the cell that was lost; the job that is left, or None where nothing more can be done."""
        job = worker.job
        left = [cell for cell in job.cells if cell.id not in worker.finished]
        lost = [cell for cell in left if cell.id == worker.in_progress]
        rest = [cell for cell in left if cell not in lost]
        for cell in lost if worker.in_progress else job.cells:
            worker.sink(
                OutcomeRecord(cell=cell, block=job.block, status="failed", reason=f"the worker was lost: {reason}",
                              last_lines=worker.last_lines())
            )  # fmt: skip
        self.run.say(f"  {job.who.framework} was lost: {reason}")
        if not worker.in_progress or not (rest or job.epochs) or worker.in_progress == "learning":
            return None
        watch = job.watch and worker.in_progress != WATCHING
        # Others may be at work beside it, so its first calls would say nothing.
        return job.model_copy(update={"cells": rest, "watch": watch, "prepare_early": True})


def verify(run: Run, jobs: Iterable[Job], folder: Path) -> list[tuple[Job, str]]:
    """Workers that only prove, one after the other; their proofs go to the run's sink. Returns those that were lost."""
    lost = []
    for job in jobs:
        run.say(f"proving {job.who.framework} on {job.who.device} in {job.who.precision}")
        worker = run.spawn(job, folder)
        try:
            worker.listen()
            while not worker.ended:
                worker.proceed()
        except WorkerLost as problem:
            lost.append((job, f"{problem}: {' / '.join(worker.last_lines()[-3:])}"))
        except KeyboardInterrupt:
            run.say(f"stopped while proving {job.who.framework}{worker.where()}")
            raise
        finally:
            worker.stop()
    return lost


def measure_one(cell: Cell) -> TimingRecord:
    """One cell in one worker, for plain `pytest benchmarks/`. Raises RuntimeError where it has no time."""
    from implementations import data

    found: list[Record] = []
    spec = registry.part(cell.who.model, "spec").Spec.preset("digits")
    Run(spec, data.digits().arrays(), [cell], PROFILES["smoke"], blocks=1, seed=0, sink=found.append).execute()
    for result in found:
        if isinstance(result, TimingRecord):
            return result
    reasons = [result.reason for result in found if isinstance(result, OutcomeRecord)]
    raise RuntimeError(f"{cell.id} was not timed: {'; '.join(reasons)}")


@contextmanager
def scratch(data: Mapping[str, np.ndarray]) -> Iterator[Path]:
    """A folder for what workers read and log, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="samenet-") as name:
        arrays: dict[str, Any] = dict(data)  # savez has keywords of other types too, which these names are not
        np.savez(Path(name) / DATASET, **arrays)
        yield Path(name)


if sys.platform == "win32":
    raise ImportError("samenet runs on Linux and macOS; on Windows use WSL2 (see the README).")
