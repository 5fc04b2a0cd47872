"""A sweep in its folder: what was asked, the numbers of its jobs, a results folder per run, and how far each of them came."""

import fcntl
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from benchmarks import reading, writing
from benchmarks.records import records_file
from benchmarks.records.configuration import Strict
from benchmarks.runner import resume
from benchmarks.sweep import slurm
from benchmarks.sweep.sweep_file import SweepFile
from implementations.errors import BadInput

OVER = ("0", "1", "3")
"""Exit codes of a run that is over, though something may be unequal or may have failed."""

NOTHING = "4"
"""That of a run that could time nothing, though it went through all its blocks."""

ALIVE = ("queued", "running")
AT_WORK = ("RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED")
"""Slurm's words for a job that has its node."""


class Submitted(Strict):
    """What sweep.json holds: the options of all runs, and the numbers of each run's jobs, the latest last."""

    run: list[str] = Field(default_factory=list)
    jobs: dict[str, list[str]] = Field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """Of one run. `word`: new, queued, running, done, failed (its job ended, and measured not all) or lost (its job is gone)."""

    run: str
    word: str
    note: str = ""
    blocks: str = ""
    """How many are measured, of how many."""


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C and other requests to end wait, and programs started here do not get them: a job that Slurm has taken and nobody has
    written down would be lost.
    """
    came, stops = list[int](), (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {stop: signal.signal(stop, lambda number, _: came.append(number)) for stop in stops}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for stop, handler in handlers.items():
            signal.signal(stop, handler)
        for number in came[:1]:
            signal.raise_signal(number)


class Sweep:
    """What is asked for, in its folder. Until something is submitted, nothing is written. Raises BadInput and Unreadable."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.folder, self.asked, self.done = folder.absolute(), SweepFile.load(path), dict[str, State]()
        if set("%\\") & set(str(self.folder)):
            raise BadInput(f"--into {folder}: Slurm reads % and \\ in paths as something else. Give another folder.")
        before = self.submitted()
        if before is None and {entry.name for entry in reading.entries(self.folder)} - {"jobs"}:
            raise BadInput(f"--into {folder}: holds something that is no sweep. Give another folder.")
        if before and before.run != self.asked.run:
            raise BadInput(
                f"--into {folder}: holds a sweep with other options (run = {before.run}). Give another folder."
            )

    def submitted(self) -> Submitted | None:
        """What was submitted so far, by other commands too. Raises BadInput where sweep.json is damaged."""
        if not (path := self.folder / "sweep.json").exists():
            return None
        try:
            return Submitted.model_validate(reading.facts(path))
        except ValidationError as error:
            raise BadInput(
                f"{path}: is damaged ({error.errors()[0]['msg']}). Mend it, or give another folder."
            ) from None

    def states(self) -> list[State]:
        """How far every run came. Done is done: its records are not read again. Raises Unavailable where Slurm does not answer."""
        jobs = (
            self.submitted() or Submitted()
        ).jobs  # before the queue: what is submitted in between is not missed there
        queue = slurm.queue()
        states = [self.done.get(run) or self._state(run, jobs.get(run, []), queue) for run in self.asked.runs()]
        self.done = {state.run: state for state in states if state.word == "done"}
        return states

    def executors(self) -> dict[str, Any]:
        """submitit's for every run; nothing is written. Raises BadInput and Unavailable."""
        runs, jobs = self.asked.runs().items(), self.folder / "jobs"
        return {run: slurm.executor(run, kind, self.asked.slurm, jobs) for run, kind in runs}

    def submit(self, executors: Mapping[str, Any], say: Callable[[str], None]) -> None:
        """Put these runs into Slurm's queue, to begin or to go on. Raises BadInput where some are refused: the others stand."""
        from benchmarks.sweep.job import Job

        refused = []
        for run, executor in executors.items():
            asked = Job(str(self.folder / run), self.asked.run, str(self._exit_code(run, "%j")))
            try:
                with _uninterrupted():
                    job = slurm.submit(run, executor, asked)
                    self._keep(run, job)
                    say(f"{run}: job {job}")
            except BadInput as problem:
                refused.append(str(problem))
        if refused:
            raise BadInput("\n".join(refused))

    def _keep(self, run: str, job: str) -> None:
        before = self.submitted() or Submitted(run=self.asked.run)
        kept = before.model_copy(update={"jobs": {**before.jobs, run: [*before.jobs.get(run, []), job]}})
        writing.text(self.folder / "sweep.json", kept.model_dump_json(indent=2) + "\n")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Whoever else submits there waits meanwhile, where the file system has locks. Raises Unwritable."""
        with writing.telling(jobs := self.folder / "jobs"):
            jobs.mkdir(parents=True, exist_ok=True)
            file = (jobs / "lock").open("wb")  # of a folder itself, NFS tells other machines of no lock
        with file:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _state(self, run: str, jobs: Sequence[str], queue: Mapping[str, tuple[str, str]]) -> State:
        """The records tell, or that the last job ended well; then the queue; then what else the last job ended with."""
        folder, job, progress = self.folder / run, jobs[-1] if jobs else "", None
        code = reading.line(self._exit_code(run, job))
        with suppress(records_file.BadRecords):
            progress = resume.so_far(folder)
        measured = len(progress.finished) if progress else 0
        blocks = f"{measured} of {max(progress.planned, measured)} blocks" if progress else ""
        if progress and code != NOTHING and (progress.is_done or code in OVER):
            return State(run, "done", f"exit code {code}" if code in OVER[1:] else "", blocks)
        for number in reversed(jobs):
            if number in queue:
                state, where = queue[number]
                return State(
                    run, "running" if state in AT_WORK else "queued", f"job {number}: {where}".rstrip(": "), blocks
                )
        if resume.is_held(folder):
            return State(run, "running", "its job is gone, the run is not; nothing else may write there", blocks)
        if not jobs:
            return State(run, "new", blocks=blocks)
        log = self.folder / "jobs" / f"{job}_0_log.err"  # submitit's name for it
        ended = f"job {job} ended with exit code {code}" if code else f"job {job} is gone"
        where = f"; see {os.path.relpath(log)}" if log.exists() else ""
        return State(run, "failed" if code and code not in OVER else "lost", ended + where, blocks)

    def _exit_code(self, run: str, job: str) -> Path:
        """The file in which a job writes down what its run ended with."""
        return self.folder / "jobs" / f"{run}_{job}.exit_code"
