"""What is timed, as the timing sees it: an opaque callable with its fence. Knows no framework and no implementation."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from benchmarks.records.record import Cell, DeviceClocks
from benchmarks.worker import timing
from benchmarks.worker.memory import HostMemory, Meter

LEFT_OVER = 0.2
"""The share of a round that may seem unfinished when its clock stops: jitter reaches some percent, a fence that does not
wait leaves nearly all."""

WARM_SHARE = 1 / 8
"""Of a round, which the warm-up before it takes in work, or one call where that is longer. Calls are as fast as they get after 0.1 ms.
More does harm: on busy cores the system lets a process that slept run for some milliseconds, and a turn should be over by
then: with a whole round's work before each, memory-bound equals had intervals of 4 to 22% to each side, with one call 1%."""

CHECKED_S, CHECKED_CALLS = 2e-3, 8
"""A fence is put to the test on calls that fill this time, but on few: each leaves all its work behind where nobody waits for it."""

NOT_BEGUN = 0.5
"""The share of a call that may seem to be done only when its result is copied: jitter reaches some percent, a promise leaves nearly all."""


REMEMBERED, TRIES = 3.0, 3
"""How many times as long a call on a new batch may take: new memory reaches some ten percent, a result that was remembered 20 and more.
Refused is what takes longer in each of so many tries.
"""


class Untimeable(RuntimeError):
    """Its times, in whatever block, would be those of something else than the work."""


@dataclass
class Work:
    """One cell's opaque callable with everything the timing needs."""

    call: Callable[[], Any]
    warm: Callable[[], Any]
    """A call, or a short part of one, that leaves the caches as calls leave them."""

    fence: Callable[[Any], None]
    to_host: Callable[[Any], Sequence[np.ndarray]]
    """The arrays of a result; waits for the device."""

    reset: Callable[[], object]
    """Before each round."""

    first_call_s: float | None
    second_call_s: float | None
    samples_per_call: int
    flops_per_call: int
    ranked: bool
    least_flops_per_call: int | None = None
    bytes_per_call: int = 0
    tokens_per_call: int = 0
    on_gpu: bool = False
    device_s: Callable[[Callable[[], object]], float] | None = None
    """Seconds that the device says a callable took; None where there is no such clock."""

    begin: Callable[[], object] = bool
    """Before the rounds of each visit: what other cells have changed is as it was."""

    finished_like: Callable[[Sequence[np.ndarray]], Any] = list
    """Arrays of these shapes on the device, for which nothing has to be computed."""

    call_unseen: Callable[[], Any] | None = None
    """The same on a batch that was never seen before, for TRIES times `unseen` calls; None where that says nothing."""

    unseen: int = 0

    afterwards: Callable[[], str] = str
    """Proves, after the rounds and from where they ended, what was timed; returns what is wrong, or nothing."""

    kernels: Callable[[], Mapping[str, str]] = dict
    """By step of the network, what the framework chose to compute it with; asked after the rounds."""

    memory: Meter = field(default_factory=HostMemory)
    """Where the calls' new memory shows."""

    fastest_warm_s: float = math.inf
    """Seconds of the fastest call of `warm` so far."""

    def pilot(self) -> float:
        """Seconds of the fastest call, after calls that have touched all their memory."""
        call_s = timing.pilot(self.call, self.fence, lambda: self.memory.read()[0])
        is_whole = self.warm is self.call
        self.fastest_warm_s = call_s if is_whole else timing.warm_up(self.warm, self.fence, timing.STRETCH_S, fewest=2)
        return call_s

    def restore(self, round_s: float) -> None:
        """Before each round, untimed: the first state again, work that warms the caches (putting a state back empties them,
        and so do the others' turns), the device idle."""
        self.reset()
        self.fastest_warm_s = timing.warm_up(self.warm, self.fence, WARM_SHARE * round_s, self.fastest_warm_s)

    def check(self) -> None:
        """After the rounds: raises FloatingPointError where what was timed gives no numbers any more."""
        result = self.call()
        self.fence(result)
        if not all(np.isfinite(array).all() for array in self.to_host(result)):
            raise FloatingPointError("what was timed gives infinities or NaN after its rounds")

    def check_fence(self) -> None:
        """Before the pilot, which would ask for a heap of work: raises Untimeable where the clock stops before the device
        has finished, or before the work was begun. Some 20 calls: of an epoch, its steps, which end with the same fence."""
        call_s = timing.warm_up(self.warm, self.fence, work_s=0.0, fewest=2)
        loops = min(CHECKED_CALLS, timing.calls_filling(CHECKED_S, call_s))
        if (share := timing.left_over(self.warm, self.fence, self.to_host, loops)) > LEFT_OVER:
            raise Untimeable(
                f"the clock stopped before the work was done: {share:.0%} of a round was left. "
                "The adapter's `synchronise` does not wait for it."
            )
        if (share := timing.not_begun(self.warm, self.fence, self.to_host, self.finished_like)) > NOT_BEGUN:
            raise Untimeable(
                f"the clock stopped before the work had begun: {share:.0%} of a call was done when its result was copied. "
                "A result must be computed, or on its way, when the call returns."
            )

    def check_nothing_is_remembered(self) -> None:
        """Raises Untimeable where a call is quick only on batches that it has seen before, again and again."""
        if self.call_unseen is None:
            return
        for _ in range(TRIES):  # beside busy programs it may look so once
            times = timing.unseen_over_seen(self.call, self.call_unseen, self.fence, self.reset, self.unseen)
            if times <= REMEMBERED:
                break
        else:
            raise Untimeable(
                f"a call takes {times:.0f} times as long on a batch that it has not seen before: results are remembered. "
                "Every call must compute its result."
            )

    def device_clocks(self, loops: int) -> DeviceClocks | None:
        """One call by three clocks, on a GPU: the host's for one and for one more, the device's own."""
        if not self.on_gpu:
            return None

        def calls() -> None:
            for _ in range(loops):
                self.call()

        events_s = self.device_s(calls) / loops if self.device_s else None
        latency_s = timing.latency(self.call, self.fence)
        return DeviceClocks(latency_s=latency_s, slope_s=timing.slope(self.call, self.fence, loops), events_s=events_s)


class Bench(Protocol):
    """Where a worker gets its callables from: the worker's models, or whatever stands in for it."""

    def work(self, cell: Cell) -> Work | None:
        """The cell's callable; None (and a record that says why) where it must not be timed."""
