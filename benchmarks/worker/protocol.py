"""Between the runner and a worker: the job, and lines in both directions.

Light on purpose: where an import is timed, nothing that a framework would import may be there before it.
"""

import faulthandler
import json
import os
import signal
from enum import StrEnum
from typing import Any, Literal, TextIO

from pydantic import BaseModel

from benchmarks import system
from benchmarks.records.record import Axes, Cell, Configuration

PROFILING = "the steps of the training steps"
"""Stands where other messages name a cell."""


WHERE = signal.SIGUSR1
"""The signal on which a worker writes its stack to standard error, even within a library's call."""


class Says(StrEnum):
    """What a worker says to the runner besides records. After all but PREPARING it stands still until it gets an answer."""

    STARTING = "starting"
    """Never sent: the runner's name for a worker that has sent nothing yet."""

    READY = "ready"
    """It has imported its framework (in later blocks it has proved everything too). Answer: go."""

    CALLED = "called"
    """First block: it has made its first calls, alone. Answer: go, to all workers together, for their proofs."""

    PREPARING = "preparing"
    """It builds or proves the cell that it names, or has learned for another epoch; a sign of life, without an answer."""

    START = "start"
    """It comes to the cell that it names, or to what follows the last. Answer, when that is the group's turn: go; a `Visit` where it has been
    there before."""

    PREPARED = "prepared"
    """The cell is proved and warm; with the seconds of its fastest call. Answer: its first `Visit`."""

    TURN = "turn"
    """It asks for its turn. Answer: go, for one round."""

    DONE = "done"
    """Its job is over. No answer: it is ended."""

    UNAVAILABLE = "unavailable"
    """Its framework cannot run here; with the reason. No answer: it is ended."""


ENDS = (Says.DONE, Says.UNAVAILABLE)


class Task(BaseModel):
    """One network of a job."""

    who: Configuration
    spec: dict[str, Any]
    dataset: str
    """The file that holds what it trains on."""

    epochs: int = 0
    """For how many it is trained."""

    first_calls: bool = True
    """Whether its first calls are measured, in a first block."""

    @property
    def training(self) -> str:
        """Stands where other messages name a cell."""
        return f"training of the {self.who.model}"


class Visit(BaseModel):
    """What a cell does until others have theirs: rounds in turn, then some in a row."""

    rounds: int
    alone: int
    loops: int
    """Calls in a round."""

    schedule: Literal["rounds", "workers"]
    last: bool
    """Whether the block comes to this cell no more."""


class Part(BaseModel):
    """Cells that have their turns in the same time: visited one after the other, and again."""

    cells: list[Cell]
    visits: int = 1
    """How often, at most: a cell is over when it is told so."""


class Job(BaseModel):
    """What one worker is to do: everything of the networks of one framework that were asked for in one setting."""

    tasks: list[Task]
    """One at least. Their implementations differ in the network alone."""

    block: int
    seed: int
    parts: list[Part] = []
    round_s: float = 1e-3
    trainings: int = 1
    prepare_early: bool = False
    """Build and prove everything before asking to begin, side by side with the other workers. Otherwise the first calls
    are made in turn, each process alone, and only the proofs side by side."""

    profile_steps: bool = False
    """After all timing, say where the training steps spend their time."""

    control: bool = False
    """The second copy of an implementation, measured beside the first."""

    proves_each: bool = False
    """After its rounds, each cell, whosever block it is: it has not all of a process's cells, by which they have their blocks."""

    prove: list[tuple[Configuration, Axes]] = []
    check_only: bool = False
    """A process that times nothing: it proves all there is to prove, and may patch its framework for float64."""

    @property
    def who(self) -> Configuration:
        """The implementation of its first network: framework, device, threads, precision and mode are those of all."""
        return self.tasks[0].who

    @property
    def cells(self) -> list[Cell]:
        """What it times, or what a process that times nothing is asked about."""
        return [cell for part in self.parts for cell in part.cells]

    @property
    def trained(self) -> list[Task]:
        """The networks that are trained."""
        return [task for task in self.tasks if task.epochs]

    def after(self, trained: Task) -> list[Task]:
        """Its tasks when the training of one of them is over: the later networks are still trained."""
        over = self.tasks.index(trained)
        return [task if k > over else task.model_copy(update={"epochs": 0}) for k, task in enumerate(self.tasks)]


class Channel:
    """Lines to the runner and answers from it. Whatever a library prints goes to standard error instead."""

    def __init__(self) -> None:
        self.out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
        os.dup2(2, 1)
        self.answers: TextIO = os.fdopen(os.dup(0), encoding="utf-8")

    def send(self, record: BaseModel) -> None:
        """A record for the results."""
        self.out.write(record.model_dump_json() + "\n")

    def event(self, name: Says, **values: Any) -> None:
        """A message to the runner that is not a result."""
        self.out.write(json.dumps({"event": name, **values}) + "\n")

    def ask(self, name: Says, **values: Any) -> str:
        """Say where we are, and stand still until the runner wakes us with an answer."""
        self.event(name, **values)
        os.kill(os.getpid(), signal.SIGSTOP)
        return self.receive()

    def receive(self) -> str:
        """The runner's next line. Ends the process where the runner is gone."""
        line = self.answers.readline()
        if not line:
            os._exit(1)
        return line.strip()


def begin() -> tuple[Channel, Job, list[int]]:
    """The line to the runner, the job that came over it, and the cores that are left to this process."""
    system.die_with_parent()
    log = os.dup(2)  # pytest takes what is written to 2 while a cell is timed
    faulthandler.enable(log)
    faulthandler.register(WHERE, log, all_threads=False)
    channel = Channel()
    job = Job.model_validate_json(channel.receive())
    return channel, job, system.pin(job.who.threads)
