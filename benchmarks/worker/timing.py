"""Time around an opaque callable: fences, first calls, calibration, warm-up.

Knows no framework: it is handed a `call` that does one unit of work and returns its (perhaps unfinished) result, and a
`fence` that waits until the device has finished that result. Every time here is wall time, in seconds.
"""

import math
import statistics
from collections.abc import Callable
from time import perf_counter, sleep
from typing import Any

Call = Callable[[], Any]
Fence = Callable[[Any], None]

clock = perf_counter
rest = sleep

SHORTEST_S = 1e-7
"""No call counts as shorter: what costs nothing would never fill a time."""

STRETCH_S = 0.01
"""Calls of a pilot between two looks at the memory."""

TOUCH_S = 2.5e-10
"""What touching a new byte of memory costs, at most: 1 microsecond for a page of 4 KiB, which the system has to find and clear."""

TOUCHING = 0.005
"""The share of a call that new memory may cost after the pilot."""

WARM_ROUNDS = 4
"""A third of the rounds is warm-up, so many at least, but no more than half. With three, what only one side has to warm left 0.4% in the ratio, and
simulated intervals held the truth in 90%.
"""

MOST_PILOT_S = 0.5
"""A pilot ends here, even where every call takes new memory for good."""


def once(call: Call, fence: Fence) -> float:
    """One call between two fences."""
    fence(None)
    start = clock()
    fence(call())
    return clock() - start


def latency(call: Call, fence: Fence, tries: int = 9) -> float:
    """One call with its fence, from an idle device: the median of some tries."""
    return statistics.median(once(call, fence) for _ in range(tries))


def slope(call: Call, fence: Fence, loops: int, tries: int = 5) -> float:
    """What one call more costs, whatever a round costs besides: rounds of N and of 2 N calls, the median of some tries."""
    longer = round_of(call, fence, 2 * loops)
    shorter = round_of(call, fence, loops)
    differences = [once(longer, _no_fence) - once(shorter, _no_fence) for _ in range(tries)]
    return statistics.median(differences) / loops


def _no_fence(result: object) -> None:
    """For a round, which ends with a fence already."""


def calls_filling(seconds: float, call_s: float) -> int:
    """How many calls of so many seconds fill a time; one at least."""
    return max(1, math.ceil(seconds / max(call_s, SHORTEST_S)))


def warm_up(call: Call, fence: Fence, work_s: float, fastest_s: float = math.inf, fewest: int = 1) -> float:
    """Calls until their work fills `work_s`; the seconds of the fastest of these and of those before, `fastest_s`.

    Every call counts as the fastest: a stall does no work, and after one as much is done as without it.
    """
    calls = 0
    while calls < max(fewest, calls_filling(work_s, fastest_s)):
        fastest_s = min(fastest_s, once(call, fence))
        calls += 1
    return fastest_s


def pilot(call: Call, fence: Fence, held_bytes: Callable[[], int]) -> float:
    """Calls until they touch no new memory, of which `held_bytes` says how much there is; the fastest call's seconds.

    What touches its memory for the first time is several times slower, over as many calls as it has memory for.
    """
    fastest_s, stretches = math.inf, 0
    while True:
        before = held_bytes()
        fastest_s = warm_up(call, fence, STRETCH_S, fastest_s, fewest=2)
        stretches += 1
        stretch_s = max(STRETCH_S, 2 * fastest_s)
        touching_s = TOUCH_S * (held_bytes() - before)
        if touching_s <= TOUCHING * stretch_s or stretches * stretch_s > MOST_PILOT_S:
            return fastest_s


def round_of(call: Call, fence: Fence, loops: int) -> Call:
    """What is timed: `loops` calls and the fence that ends them. The fence before the clock starts is the caller's."""

    def timed_round() -> None:
        result = None
        for _ in range(loops):
            result = call()
        fence(result)

    return timed_round


def left_over(call: Call, fence: Fence, to_host: Callable[[Any], object], loops: int, tries: int = 3) -> float:
    """How much of a round's work was not done when its clock stopped, as a fraction of the round; 0 where the fence waits.

    Whatever the fence let pass, `to_host(result)` has to wait for; how long it takes on a result that was finished long
    ago is subtracted. The least of some tries, because a stall of the machine is nobody's fault.
    """
    return min(_left_over(call, fence, to_host, loops) for _ in range(tries))


def _left_over(call: Call, fence: Fence, to_host: Callable[[Any], object], loops: int) -> float:
    def calls_and_copy(rest_s: float) -> tuple[float, float]:
        fence(None)
        start, result = clock(), None
        for _ in range(loops):
            result = call()
        fence(result)
        stop = clock()
        rest(rest_s)
        copy = clock()
        to_host(result)
        return stop - start, clock() - copy

    round_s, copy_s = calls_and_copy(rest_s=0.0)
    _, finished_copy_s = calls_and_copy(rest_s=2 * (round_s + copy_s))
    return max(0.0, copy_s - finished_copy_s) / (round_s + copy_s)


def not_begun(
    call: Call, fence: Fence, to_host: Callable[[Any], Any], finished_like: Callable[[Any], Any], tries: int = 5
) -> float:
    """How much of a call is done only when somebody looks at its result, as a fraction of both; 0 where nothing is.

    However long one rests, such a result stays undone. So its copy to the host is held against the copy of something of the same
    shape that was never computed: `finished_like(host)` puts that on the device. The median of some tries: one stall may make work
    seem done, or undone.
    """
    return statistics.median(_not_begun(call, fence, to_host, finished_like) for _ in range(tries))


def _not_begun(call: Call, fence: Fence, to_host: Callable[[Any], Any], finished_like: Callable[[Any], Any]) -> float:
    fence(None)
    start = clock()
    result = call()
    fence(result)
    stop = clock()
    host = to_host(result)
    end = clock()
    finished = finished_like(host)
    fence(finished)
    begin = clock()
    to_host(finished)
    finished_copy_s = clock() - begin
    return max(0.0, end - stop - finished_copy_s) / (end - start) if end > start else 0.0


def unseen_over_seen(call: Call, call_unseen: Call, fence: Fence, reset: Callable[[], object], tries: int) -> float:
    """How many times as long a call takes on a batch that was never seen before: the fastest of some, over the median of as many
    calls on batches that were seen.

    Each begins where a round does, for a whole training can be remembered from there.
    Such a batch is in no cache, which costs a little; what was remembered of the others costs a call nearly all of its time, and
    nearly every call. Beside busy programs one call in ten may find the processors free: the fastest of either would compare luck.
    """

    def once_from_reset(call: Call) -> float:
        reset()
        return once(call, fence)

    for _ in range(tries):  # what can be remembered of a batch from there is remembered now
        once_from_reset(call)
    pairs = [(once_from_reset(call), once_from_reset(call_unseen)) for _ in range(tries)]
    return min(unseen for _, unseen in pairs) / max(statistics.median(seen for seen, _ in pairs), 1e-9)


def warmup_rounds(rounds: int) -> int:
    """How many of them come first and do not count.

    Not until halves of the rest agree: on a noisy machine they never do, and half of all rounds was lost.
    """
    return min(max(rounds // 3, WARM_ROUNDS), rounds // 2)
