"""What a new process is asked to do where one was lost, without a process."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from benchmarks.runner import losses
from benchmarks.runner.worker_process import WorkerProcess
from benchmarks.worker.protocol import Job, Part, Task
from tests.support.synthetic import cell

A, B, C, D = (cell("numpy").model_copy(update={"axes": {"batch": batch}}) for batch in (1, 2, 3, 4))


def lost(at: Any, visits: tuple[int, ...], finished: tuple[Any, ...]) -> WorkerProcess:
    """A worker of A, B and C, visited four times, and of D behind them; lost at one of these."""
    parts = [Part(cells=[A, B, C], visits=4), Part(cells=[D], visits=4)]
    job = Job(tasks=[Task(who=A.who, spec={}, dataset="")], block=1, seed=0, parts=parts)
    begun = Counter({of.id: times for of, times in zip((A, B, C, D), visits, strict=True)})
    done = {of.id for of in finished}
    return cast(WorkerProcess, SimpleNamespace(job=job, in_progress=at.id, visits=begun, finished=done))


@pytest.mark.parametrize(
    ("at", "visits", "finished", "left"),
    [
        (B, (0, 0, 0, 0), (), [([A, C], 4), ([D], 4)]),
        (B, (1, 1, 0, 0), (), [([C, A], 4), ([D], 4)]),
        (B, (3, 3, 2, 0), (), [([C, A], 4), ([D], 4)]),
        (B, (4, 4, 3, 0), (A,), [([C], 4), ([D], 4)]),
        (C, (2, 1, 2, 0), (B,), [([A], 4), ([D], 4)]),
        (D, (4, 4, 4, 2), (A, B, C), []),
    ],
    ids=["proving", "first visit", "third visit", "last visit", "beside a cell that failed", "last part"],
)
def test_what_was_not_passed_comes_first(at: Any, visits: Any, finished: Any, left: list[Any]) -> None:
    job = losses.job_left(lost(at, visits, finished))
    assert ([(part.cells, part.visits) for part in job.parts] if job else []) == left
    assert job is None or job.proves_each
