"""Workers that only prove: what `verify` asks."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.runner.blocks import Runner
from benchmarks.runner.progress import Place
from benchmarks.runner.worker_process import WorkerLost
from benchmarks.worker.protocol import Job, Says


def prove(run: Runner, jobs: Sequence[Job], folder: Path) -> list[tuple[Job, str]]:
    """One worker after the other; their proofs go to the run's sink. Returns the jobs that were lost, with the reasons."""
    lost = []
    for number, job in enumerate(jobs):
        network = f"the {job.who.model} with " if len(run.networks) > 1 else ""
        what = f"proving {network}{job.who.framework} on {job.who.device} in {job.who.precision}"
        run.say(Place(f"{what} ({number + 1} of {len(jobs)})", done=number / len(jobs), is_block=True))
        worker = run.spawn(job, folder)
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
