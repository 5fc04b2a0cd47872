"""A worker whose process was lost: what is recorded of it, and what is left of its job."""

from typing import Any

from benchmarks.records.record import OutcomeRecord, Record, UntrainedRecord
from benchmarks.runner.worker_process import WorkerProcess
from benchmarks.worker.protocol import PROFILING, Job, Part


def records(worker: WorkerProcess, reason: str) -> list[Record]:
    """The cell or the training that it was at, with the reason; of a worker that had begun none, all of them."""
    job, at = worker.job, worker.in_progress
    why: dict[str, Any] = {"reason": f"the worker was lost: {reason}", "last_lines": worker.last_lines()}
    cells = [cell for cell in job.cells if at in (None, cell.id) and cell.id not in worker.finished]
    trained = [task for task in job.trained if at in (None, task.training)]
    untrained = [UntrainedRecord(who=task.who, block=job.block, seed=job.trainings - 1, **why) for task in trained]
    return [*(OutcomeRecord(cell=cell, block=job.block, status="failed", **why) for cell in cells), *untrained]


def job_left(worker: WorkerProcess) -> Job | None:
    """What a new process can still do; None where that is nothing."""
    job, at = worker.job, worker.in_progress
    if at is None:
        return None
    parts = [part_left(part, worker, at) for part in job.parts]
    untrained = [task for task in job.trained if task.training == at]
    tasks = job.after(untrained[0]) if untrained else job.tasks
    if not any(part.cells for part in parts) and not any(task.epochs for task in tasks):
        return None
    profile_steps = job.profile_steps and at != PROFILING and not untrained
    # Others may be at work beside it, so its first calls would say nothing.
    how = {
        "proves_each": True,
        "parts": [part for part in parts if part.cells],
        "profile_steps": profile_steps,
        "prepare_early": True,
    }
    return job.model_copy(update={"tasks": tasks, **how})


def part_left(part: Part, worker: WorkerProcess, at: str) -> Part:
    """Its cells of which nothing was said yet, without the one `at` which the worker was lost: the new process begins them anew.

    Those come first to which this visit comes later: it goes round and round, and stops at each in this order.
    """
    left = [cell for cell in part.cells if cell.id not in worker.finished and cell.id != at]
    begun = worker.visits[at] if at in {cell.id for cell in part.cells} else 0
    behind = [cell for cell in left if begun and worker.visits[cell.id] == begun]
    ahead = [cell for cell in left if cell not in behind]
    return part.model_copy(update={"cells": ahead + behind})
