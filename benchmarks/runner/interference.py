"""What else had the processors while a block ran: the host, other programs, a quota. Counters of Linux, read twice.

Nothing is timed here and nothing corrected: a reader may see in which block the machine was not the run's alone.
"""

import os
import resource
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks import processors, reading
from benchmarks.records.record import Interference

STAT = Path("/proc/stat")
STEAL, BUSY = 8, (1, 2, 3, 6, 7)
"""Columns of "cpu" in proc(5)'s stat: time that a virtual machine was ready to run and its host ran something else; time that
programs and the kernel worked."""


def begin() -> Callable[[], Interference]:
    """Start counting; call what it returns at the end. What the system does not count is None."""
    begin = _counted()

    def end() -> Interference:
        now = _counted()
        grown = {name: now[name] - start for name, start in begin.items() if name in now}
        return Interference(
            cores=os.cpu_count() or 1,
            stolen_s=grown.get("stolen_s"),
            others_s=max(0.0, grown["busy_s"] - grown["own_s"]) if "busy_s" in grown else None,
            usable=len(processors.usable()),
            throttled_s=grown.get("throttled_s"),
        )

    return end


def _counted() -> dict[str, float]:
    """Since the machine, or the group of processes, was started.

    What the run's own processes used, the kernel counts when they have ended and were waited for, as all workers of a block are.
    """
    counters = {
        "own_s": sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    }
    usable = {f"cpu{number}" for number in processors.usable()}
    seen: set[str] = set()
    for line in reading.lines(STAT):
        name, *numbers = line.split() or [""]
        if name == "cpu" and len(numbers) >= STEAL:
            counters["stolen_s"] = _seconds(numbers, [STEAL])
        elif name in usable and len(numbers) >= STEAL:
            counters["busy_s"] = counters.get("busy_s", 0.0) + _seconds(numbers, BUSY)
            seen.add(name)
    if usable - seen:  # a container may number its processors otherwise
        counters.pop("busy_s", None)
    if (throttled_s := processors.throttled_s()) is not None:
        counters["throttled_s"] = throttled_s
    return counters


def _seconds(numbers: Sequence[str], columns: Iterable[int]) -> float:
    return sum(int(numbers[column - 1]) for column in columns) / os.sysconf("SC_CLK_TCK")
