"""A worker without a process: at its first turn it has done its job, with made-up proofs and times."""

from pathlib import Path
from typing import Any

from benchmarks import writing
from benchmarks.records.record import Record
from benchmarks.runner import resource_runs
from benchmarks.runner.worker_process import Sink, WorkerProcess
from benchmarks.worker.protocol import Job, Says
from tests.support import synthetic


class InstantWorker(WorkerProcess):
    """It logs where a real one does, and says all that a real one says."""

    def __init__(self, job: Job, python: str, log: Path, sink: Sink, program: str = "") -> None:
        self.job, self.log, self.sink, self.program = job, log, sink, program
        self.event: dict[str, Any] = {"event": Says.STARTING}
        self.in_progress = None
        with writing.telling(log):
            log.open("ab").close()

    def listen(self) -> None:
        for found in self._records():
            self.sink(found)
        self.event = {"event": Says.DONE}

    def proceed(self, answer: str = "go") -> None:
        pass

    def stop(self) -> None:
        pass

    def _records(self) -> list[Record]:
        job, who = self.job, self.job.who
        if self.program == resource_runs.PROGRAM:
            start = synthetic.start(who.framework, threads=who.threads)
            return [start, synthetic.installed(who.framework), *map(synthetic.resources, job.cells)]
        proofs: list[Record] = [
            synthetic.proof(synthetic.cell(who.framework).model_copy(update={"who": of, "axes": axes}), 0)
            for of, axes in job.prove
        ]
        times: list[Record] = [synthetic.timing(of, job.block, 1e-3, control=job.control) for of in job.cells]
        return [
            synthetic.worker(who, job.block),
            *proofs,
            *(synthetic.proof(of, job.block) for of in job.cells),
            *times,
        ]
