"""Where a training step spends its time: each step of the network by itself, and what watching adds to the whole.

A run of its own, after a process has timed everything that is ranked. Knows no framework: it is handed an opaque call, a
fence, and `watch(begins, ends)`, which tells when a step begins and ends.
"""

import math
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks import system
from benchmarks.worker import timing
from benchmarks.worker.timing import Call, Fence

Watch = Callable[[Callable[[str], None], Callable[[str], None]], AbstractContextManager[None]]

PASSES = 15
LEAST_PASSES = 3
SECONDS = 0.1
"""All watched passes together take about this long, within these bounds; each follows an unwatched one."""


class Stopwatch:
    """Adds up the time between a step's beginning and its end; what is called within a step belongs to it.

    On a GPU the fence comes before each look at the clock: a step has ended when the device has.
    """

    def __init__(self, fence: Fence) -> None:
        self.fence = fence
        self.spent_s: dict[str, float] = {}
        self.depth = 0
        self.begun = 0.0

    def begins(self, step: str) -> None:
        """A step begins, or something within one."""
        self.depth += 1
        if self.depth == 1:
            self.fence(None)
            self.begun = timing.clock()

    def ends(self, step: str) -> None:
        """A step ends, or something within one."""
        self.depth -= 1
        if self.depth == 0:
            self.fence(None)
            self.spent_s[step] = self.spent_s.get(step, 0.0) + timing.clock() - self.begun


@dataclass(frozen=True)
class StepProfile:
    """Medians over the passes, in seconds per call: of the call as it is, of the watched call, of each step within."""

    passes: int
    whole_s: float
    watched_s: float
    steps_s: dict[str, float]


@system.without_collecting()
def profile(call: Call, fence: Fence, watch: Watch) -> StepProfile:
    """Watched and unwatched calls in turn, without garbage collection, as everything that is timed."""
    whole: list[float] = []
    watched: list[float] = []
    steps: dict[str, list[float]] = {}
    passes = _passes(call, fence, watch)
    for _ in range(passes):
        whole.append(timing.once(call, fence))
        stopwatch = Stopwatch(fence)
        with watch(stopwatch.begins, stopwatch.ends):
            watched.append(timing.once(call, fence))
        for step, seconds in stopwatch.spent_s.items():
            steps.setdefault(step, []).append(seconds)
    medians = {step: statistics.median(times) for step, times in steps.items()}
    return StepProfile(passes, statistics.median(whole), statistics.median(watched), medians)


def _passes(call: Call, fence: Fence, watch: Watch) -> int:
    """As many as fill the time; a first watched call, which is no measurement, tells how long one takes."""

    def nothing(step: str) -> None: ...

    with watch(nothing, nothing):
        seconds = timing.once(call, fence)
    return max(LEAST_PASSES, min(PASSES, math.ceil(SECONDS / max(seconds, 1e-7))))
