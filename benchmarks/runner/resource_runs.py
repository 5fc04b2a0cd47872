"""What is measured once per run, after its blocks, in processes of its own: imports, sizes on disk, memory, energy.

The processes start side by side, and look up how large their installations are. Then each has its turn alone: an import
and a counter of energy would be disturbed by neighbours, and although memory would not, it takes longer side by side,
because thread pools that wait keep each other from the cores. Nothing here is repeated when a run goes on, and a process
that is lost leaves its reason, not a failed run.
"""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
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
from benchmarks.runner.worker_process import Sink, Worker, WorkerLost
from benchmarks.worker.protocol import Job

if TYPE_CHECKING:
    from benchmarks.runner.blocks import Run

PROGRAM = "benchmarks.worker.resource_worker"


def measure(run: "Run", records: Sequence[Record]) -> None:
    """Measure what is missing among the records, into the run's sink."""
    left = remaining.costs(run.cells, records) if run.profile.costs else {}
    if not left:
        return
    run.say(f"imports, memory and energy: {', '.join(dict.fromkeys(who.framework for who in left))}")
    ledger = Ledger(records, run.sink)
    with tempfile.TemporaryDirectory(prefix="samenet-") as folder:
        own = replace(run, program=PROGRAM, sink=ledger.keep)
        jobs = [_job(run, who, cells) for who, cells in left.items()]
        _execute([own.spawn(job, Path(folder)) for job in jobs], ledger)


class Ledger:
    """Passes on what is not known yet."""

    def __init__(self, records: Iterable[Record], sink: Sink) -> None:
        self.have, self.sink = {remaining.key(found) for found in records}, sink

    def keep(self, found: Record) -> None:
        """To the results, once."""
        if remaining.key(found) not in self.have:
            self.have.add(remaining.key(found))
            self.sink(found)

    def hole(self, job: Job, reason: str) -> None:
        """A reason for everything that a process left open: the first of its sizes was the one it was lost at."""
        self.keep(StartRecord(who=job.who, reason=reason))
        self.keep(InstalledRecord(framework=job.who.framework, reason=reason))
        for cell in job.cells:
            if remaining.of_resources(cell.who, cell.axes) not in self.have:
                peak, energy = Peak(reason=reason), Energy(reason=reason)
                self.keep(ResourceRecord(who=cell.who, axes=cell.axes, host=peak, device=peak, energy=energy))
                if not reason.startswith("not reached"):
                    reason = f"not reached, because at a size before {reason}"


def _execute(workers: list[Worker], ledger: Ledger) -> None:
    """They start together; then each imports and measures while the others stand still. Nobody is left behind."""
    lost: list[Worker] = []
    try:
        for step in (Worker.listen, Worker.proceed):
            for worker in (worker for worker in workers if worker not in lost):
                try:
                    step(worker)
                except WorkerLost as problem:
                    lost.append(worker)
                    last = "".join(f" ({line.strip()})" for line in worker.last_lines()[-1:])
                    ledger.hole(worker.job, f"the process was lost: {problem}{last}"[:500])
        for worker in workers:
            ledger.hole(worker.job, "the process did not say")
    finally:
        for worker in workers:
            worker.stop()


def _job(run: "Run", who: Configuration, cells: list[Cell]) -> Job:
    return Job(who=who, block=0, seed=run.seed, spec=run.spec.model_dump(mode="json"), dataset="", cells=cells)
