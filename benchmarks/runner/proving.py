"""Workers that only prove: what `verify` asks."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

from benchmarks.records.record import ProofRecord, Record
from benchmarks.runner.blocks import Runner
from benchmarks.runner.progress import Place, Say
from benchmarks.runner.worker_process import Sink, WorkerLost
from benchmarks.worker.protocol import Job, Says


def prove(run: Runner, jobs: Sequence[Job], folder: Path) -> list[tuple[Job, str]]:
    """One worker after the other; their proofs go to the run's sink. Returns the jobs that were lost, with the reasons."""
    lost, total = [], sum(len(job.prove) for job in jobs)
    for number, job in enumerate(jobs):
        network = f"the {job.who.model} with " if len(run.networks) > 1 else ""
        what = f"proving {network}{job.who.framework} on {job.who.device} in {job.who.precision} ({number + 1} of {len(jobs)})"
        before = sum(len(earlier.prove) for earlier in jobs[:number])
        run.say(Place(what, done=before / total, is_block=True))
        worker = run.spawn(job, folder)
        worker.sink = _telling(worker.sink, run.say, what, before, total)
        try:
            worker.listen()
            while not worker.ended:
                worker.proceed()
            if worker.event["event"] == Says.UNAVAILABLE:
                lost.append((job, f"{worker.event['reason']} {worker.event['fix']}"))
        except WorkerLost as problem:
            lost.append((job, str(problem)))
        except KeyboardInterrupt:
            run.say(f"stopped while proving {job.who.framework}{worker.where()}")
            raise
        finally:
            worker.stop()
    return lost


def _telling(keep: Sink, say: Say, what: str, before: int, total: int) -> Sink:
    """A sink that says of each proof how many are made."""
    made = count(before + 1)

    def kept(record: Record) -> None:
        keep(record)
        if isinstance(record, ProofRecord):
            done = next(made)
            say(Place(f"{what}, {done} of {total} proofs made", done=done / total))

    return kept
