"""The stored result: one JSON object per line in `records.jsonl`, validated, with every sample kept.

Schema history
    1  first version
    2  a run's networks are a list
    3  without what nothing read: restoring and turning times, a cell's order, a worker's import, context switches, clock rate
Runs of versions 1 and 2, from before the first release, are not read.

Knows no framework and no model: a cell's sizes are named axes, a step's text comes with the run.
Records are append-only; nothing here computes a statistic.
"""

from typing import Annotated, Literal

from pydantic import Field

from benchmarks.records.configuration import Axes as Axes
from benchmarks.records.configuration import Cell as Cell
from benchmarks.records.configuration import Configuration as Configuration
from benchmarks.records.configuration import Strict
from benchmarks.records.proof_record import Check as Check
from benchmarks.records.proof_record import ProofRecord as ProofRecord
from benchmarks.records.resource_records import DeviceClocks as DeviceClocks
from benchmarks.records.resource_records import Energy as Energy
from benchmarks.records.resource_records import InstalledRecord as InstalledRecord
from benchmarks.records.resource_records import Interference as Interference
from benchmarks.records.resource_records import Peak as Peak
from benchmarks.records.resource_records import ResourceRecord as ResourceRecord
from benchmarks.records.resource_records import StartRecord as StartRecord
from benchmarks.records.run_record import MetricText
from benchmarks.records.run_record import RunRecord as RunRecord

PRODUCTS, PEAK, COPY = FLOORS = ("products", "peak", "copy")
"""Floors, which are no phases of the model: the matrix products of a training step alone; and, once per implementation,
one large product and one large copy, in that framework's own library."""


class ThreadPool(Strict):
    """A pool of threads that a library keeps in the process."""

    user_api: str | None = None
    internal_api: str | None = None
    version: str | None = None
    num_threads: int | None = None
    architecture: str | None = None
    """For which processors its routines were chosen, where it says so."""

    threading_layer: str | None = None


class WorkerRecord(Strict):
    """One process: versions, flags as measured, threads really used, the machine's load."""

    kind: Literal["worker"] = "worker"
    who: Configuration
    block: int
    pid: int
    versions: dict[str, str]
    flags: dict[str, str]
    effective_precision: dict[str, str]
    thread_pools: list[ThreadPool]
    affinity: list[int]
    load_average: list[float]


MOST = 10**24
"""Of calls and operations: what is beyond is damage."""

SHORTEST_S, LONGEST_S = 1e-12, 1e9
"""Of a call: what is beyond is damage. Between them no interval of two blocks is too large for a number."""

Seconds = Annotated[float, Field(gt=0, lt=LONGEST_S)]


class TimingRecord(Strict):
    """All rounds of one cell in one block. A round is `loops` calls between two device fences.

    `elapsed_s[i]` is the whole round's time; the first `warmup_rounds` are kept and marked by their number.
    `schedule` says whose turn it was: "rounds" in turn with the rest of the group, or whole "workers" in turn, there and
    back. `alone_s` are further rounds, taken in a row. While it waited for its turns, `waiting_s` long, the process
    used `waiting_cpu_s` of processor time. `started_at_s` is of the machine's one monotonic clock: the executed order.
    First and second call are there where the worker had the machine to itself when it made them.
    `control` marks the null control: a second copy, measured beside the first. `ranked` is false for floors and peers, which are shown beside the ranking and never in it.
    """

    kind: Literal["timing"] = "timing"
    cell: Cell
    block: int
    schedule: Literal["rounds", "workers"]
    loops: int = Field(le=MOST)
    warmup_rounds: int
    elapsed_s: list[float]
    alone_s: list[Seconds] = Field(default_factory=list)
    started_at_s: list[float]
    cpu_s: list[float] = Field(default_factory=list)
    """Processor time of each round in `elapsed_s`, user and system, of all threads, those that spin included."""

    waiting_s: float = 0.0
    waiting_cpu_s: float = 0.0
    first_call_s: float | None
    second_call_s: float | None
    samples_per_call: int
    tokens_per_call: int = 0
    """That are read; 0 where the inputs are real numbers."""

    flops_per_call: int = Field(le=MOST)
    least_flops_per_call: int | None = None
    """Those that no way to compute a call avoids: a convolution may take fewer than its products. None: all."""

    bytes_per_call: int = 0
    """That must be moved at least, in whatever order a call computes."""

    device_clocks: DeviceClocks | None = None
    """On a GPU only."""

    kernels: dict[str, str] = Field(default_factory=dict)
    """By step of the network: what the framework chose to compute it with, where it chose and can tell."""

    ranked: bool = True
    control: bool = False

    @property
    def per_call(self) -> list[float]:
        """Seconds per call of the rounds after the warm-up; nothing where the numbers cannot be times."""
        rounds = self.elapsed_s[max(self.warmup_rounds, 0) :]
        if self.loops <= 0 or self.warmup_rounds < 0:
            return []
        calls = [seconds / self.loops for seconds in rounds]
        return calls if all(SHORTEST_S < seconds < LONGEST_S for seconds in calls) else []

    @property
    def cpu_per_call(self) -> list[float]:
        """Processor seconds per call of the same rounds; nothing where they were not counted."""
        counted = len(self.cpu_s) == len(self.elapsed_s) and self.per_call
        return [seconds / self.loops for seconds in self.cpu_s[self.warmup_rounds :]] if counted else []


class StepsRecord(Strict):
    """Where a training step of one implementation spent its time, watched from outside after all timing in its process.

    Seconds per call, medians over the passes: `whole_s` of the training step as it is, `watched_s` of the watched one, which
    watching slows down, `steps_s` of each step of the network within it. Never ranked.
    """

    kind: Literal["steps"] = "steps"
    who: Configuration
    axes: Axes
    block: int
    passes: int
    whole_s: Seconds
    watched_s: Seconds
    steps_s: dict[str, Seconds]


class OutcomeRecord(Strict):
    """A cell that has no time, and why. A hole is never a zero."""

    kind: Literal["outcome"] = "outcome"
    cell: Cell
    block: int
    status: Literal["failed", "skipped", "unequal"]
    reason: str
    fix: str = ""
    last_lines: list[str] = Field(default_factory=list)


class BlockRecord(Strict):
    """A block that was measured to its end: what comes after it is not repeated when the run goes on."""

    kind: Literal["block"] = "block"
    block: int
    wall_s: Seconds
    """From the start of its first process to the end of its last."""

    node: str = ""
    """The machine that measured it, by Slurm's name or a hash: a run may go on on another of its kind."""

    interference: Interference | None = None

    @property
    def others_share(self) -> float | None:
        """Which part of the usable processors' time other programs had, from 0 to 1; None where it was not counted."""
        counted = self.interference
        if counted is None or counted.others_s is None or not counted.usable:
            return None
        return counted.others_s / (self.wall_s * counted.usable)


class ChangedRecord(Strict):
    """The code was changed while a run went on: what it recorded since the last whole block does not count."""

    kind: Literal["changed"] = "changed"
    code_sha256: str


class LearningPoint(Strict):
    """After one epoch: time spent training so far (evaluation excluded), the model's metric on the test set, mean loss."""

    epoch: int
    elapsed_s: Seconds
    metric: float
    train_loss: float


class LearningRecord(Strict):
    """One training on real data, from the initial state of its seed, until the metric's target was reached or the epochs were over.

    `prepare_s` is what came before the first of a process's trainings: building, the first step and prediction, and with
    them compiling.
    """

    kind: Literal["learning"] = "learning"
    who: Configuration
    block: int
    dropout: float
    batch: int
    points: list[LearningPoint]
    predictions_sha256: str
    seed: int = 0
    prepare_s: float | None = None

    def first_at(self, target: MetricText) -> LearningPoint | None:
        """The first point as good as the target."""
        return next((point for point in self.points if target.reached(point.metric)), None)


class UntrainedRecord(Strict):
    """The trainings of an implementation were lost, that of this seed the last of them, and why."""

    kind: Literal["untrained"] = "untrained"
    who: Configuration
    block: int
    seed: int
    reason: str
    last_lines: list[str] = Field(default_factory=list)


class SourceRecord(Strict):
    """The code of one step of one implementation, as this run used it."""

    kind: Literal["source"] = "source"
    model: str
    framework: str
    file: str
    step: str
    code: str
    sha256: str


Record = Annotated[
    RunRecord
    | WorkerRecord
    | ProofRecord
    | TimingRecord
    | StepsRecord
    | OutcomeRecord
    | BlockRecord
    | ChangedRecord
    | LearningRecord
    | UntrainedRecord
    | StartRecord
    | InstalledRecord
    | ResourceRecord
    | SourceRecord,
    Field(discriminator="kind"),
]
