"""A worker whose calls last a virtual time, for runs that must come out the same twice.

It stands in for `benchmarks.worker` (`virtual_worker` is its program) and begins, takes its turns and measures as that
does. But no framework is imported, and what a call costs follows from seed, cell, block and turn alone.
"""

import importlib
import os
import random

import numpy as np

from benchmarks.records.record import Cell
from benchmarks.worker import __main__ as worker
from benchmarks.worker import protocol, timing
from benchmarks.worker.protocol import Says
from benchmarks.worker.workloads import Work
from tests.support import synthetic

CALL_S = {
    ("numpy", "train_step"): 4.0e-4,
    ("torch", "train_step"): 4.4e-4,
    ("numpy", "predict"): 2.0e-4,
    ("torch", "predict"): 2.0e-4,
}
"""In truth, by framework and phase: one difference and one tie."""

STALL: dict[int, float] = {}
"""By block: how many times as long NumPy's calls take before its first turn, where its calls per round are found."""

TICK_S = 2.0**-30
"""Every virtual time is a multiple of this, so that sums and differences of times are exact."""


def call_s(job: protocol.Job, cell: Cell, turn: int) -> float:
    """What a call costs in this turn of this process."""
    process = f"{job.seed} {cell.id} {job.block} {job.control}"
    offset, jitter = random.Random(process).gauss(0, 0.003), random.Random(f"{process} {turn}").gauss(0, 0.02)
    true_s = CALL_S[cell.who.framework, cell.phase]
    if turn == 0 and cell.who.framework == "numpy" and not job.control:
        true_s *= STALL.get(job.block, 1.0)
    return round(true_s * (1 + offset + jitter) / TICK_S) * TICK_S


def clock() -> float:
    """Virtual seconds."""
    return Virtual.now


class Virtual:
    """A device with a clock: a call only asks for work, and the fence waits until it is done."""

    now = pending = 0.0

    def __init__(self, job: protocol.Job, channel: worker.Line) -> None:
        self.job, self.channel = job, channel

    def work(self, cell: Cell) -> Work:
        """The cell's callable, proved. The state is put back once in a turn, so that counts the turns."""
        self.channel.send(synthetic.proof(cell, self.job.block))
        turn = 0

        def call() -> float:
            Virtual.pending += call_s(self.job, cell, turn)
            return 1.0

        def reset() -> None:
            nonlocal turn
            turn += 1

        return Work(
            call, call, self._fence, lambda result: [np.asarray(result)], reset, first_call_s=None, second_call_s=None,
            samples_per_call=1, flops_per_call=1, ranked=True,
        )  # fmt: skip

    def _fence(self, result: object) -> None:
        Virtual.now, Virtual.pending = self.now + self.pending, 0.0


def work_off() -> None:
    """Do one job, then end."""
    channel, job, _ = protocol.begin()
    timing.clock = clock
    os.environ["PYTEST_ADDOPTS"] = f"--benchmark-timer={__name__}.clock"
    importlib.import_module(worker.ENGINE)
    channel.send(synthetic.worker(job.who, job.block))
    channel.ask(Says.READY)
    worker.measure(job, Virtual(job, channel), channel)
    channel.ask(Says.DONE)
