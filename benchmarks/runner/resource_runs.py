"""What is measured once per run, after its blocks, in processes of its own: imports, sizes on disk, memory, energy.

The processes start side by side, and look up how large their installations are. Then each has its turn alone: an import
and a counter of energy would be disturbed by neighbours, and although memory would not, it takes longer side by side,
because thread pools that wait keep each other from the cores. Nothing here is repeated when a run goes on, and a process
that is lost leaves its reason, not a failed run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import methodcaller
from typing import TYPE_CHECKING

from benchmarks.plan import remaining
from benchmarks.records.record import (
    Cell,
    Configuration,
    Energy,
    InstalledRecord,
    Peak,
    Record,
    ResourceRecord,
    StartRecord,
)
from benchmarks.runner.networks import of_named
from benchmarks.runner.scratch import scratch_folder
from benchmarks.runner.worker_process import Sink, WorkerLost, WorkerProcess
from benchmarks.worker.protocol import Job, Part, Task

if TYPE_CHECKING:
    from benchmarks.runner.blocks import Runner

PROGRAM = "benchmarks.worker.resource_worker"


def measure(run: "Runner", records: Sequence[Record]) -> None:
    """Measure what is missing among the records, into the run's sink."""
    left = remaining.costs(of_named(run.cells, run.networks), records) if run.profile.costs else {}
    if not left:
        return
    run.say(f"imports, memory and energy: {', '.join(dict.fromkeys(who.framework for who in left))}")
    ledger = Ledger(records, run.sink)
    with scratch_folder() as folder:
        resource_runner = replace(run, program=PROGRAM, sink=ledger.keep)
        workers: list[WorkerProcess] = []
        try:
            for who, cells in left.items():
                workers.append(resource_runner.spawn(_job(run, who, cells), folder))
            _execute(workers, ledger)
        finally:
            for worker in workers:
                worker.stop()


class Ledger:
    """Passes on to the results what they do not hold yet."""

    def __init__(self, records: Iterable[Record], sink: Sink) -> None:
        self.recorded, self.sink = {remaining.key(record) for record in records}, sink

    def keep(self, record: Record) -> None:
        """Pass it on, unless the results hold it already."""
        if remaining.key(record) not in self.recorded:
            self.recorded.add(remaining.key(record))
            self.sink(record)

    def hole(self, job: Job, reason: str) -> None:
        """The reason, for everything that a process did not measure; it was lost at the first of these sizes."""
        self.keep(StartRecord(who=job.who, reason=reason))
        self.keep(InstalledRecord(framework=job.who.framework, reason=reason))
        for cell in job.cells:
            if remaining.of_resources(cell.who, cell.axes) not in self.recorded:
                peak, energy = Peak(reason=reason), Energy(reason=reason)
                self.keep(ResourceRecord(who=cell.who, axes=cell.axes, host=peak, device=peak, energy=energy))
                if not reason.startswith("not reached"):
                    reason = f"not reached, because at a size before {reason}"


def _execute(workers: list[WorkerProcess], ledger: Ledger) -> None:
    """They started together; then each imports and measures while the others are stopped."""
    lost: list[WorkerProcess] = []
    for step in (methodcaller("listen"), methodcaller("proceed")):
        for worker in (worker for worker in workers if worker not in lost):
            try:
                step(worker)
            except WorkerLost as problem:
                lost.append(worker)
                ledger.hole(worker.job, f"the process was lost: {problem}"[:500])
    for worker in workers:
        ledger.hole(worker.job, "the process did not say")


def _job(run: "Runner", who: Configuration, cells: list[Cell]) -> Job:
    spec = run.networks[who.model].spec.model_dump(mode="json")
    return Job(tasks=[Task(who=who, spec=spec, dataset="")], block=0, seed=run.seed, parts=[Part(cells=cells)])
