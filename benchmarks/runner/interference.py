"""What else had the processors while a block ran: the host, other programs, a quota. Counters of Linux, read twice.

Nothing is timed here and nothing corrected: a reader may see in which block the machine was not the run's alone.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.records.record import Interference

STAT = Path("/proc/stat")
QUOTA = Path("/sys/fs/cgroup/cpu.stat")
CPUINFO = Path("/proc/cpuinfo")
STEAL = 8
"""The column of "cpu" in proc(5)'s stat: time that a virtual machine was ready to run and its host ran something else."""


def begin() -> Callable[[], Interference]:
    """Start counting; call what it returns at the end. What the system does not count is None."""
    begin = _counted()

    def end() -> Interference:
        now = _counted()
        grown = {name: now[name] - start for name, start in begin.items() if name in now}
        switches = grown.get("context_switches")
        return Interference(
            cores=os.cpu_count() or 1,
            stolen_s=grown.get("stolen_s"),
            throttled_s=grown.get("throttled_s"),
            context_switches=None if switches is None else round(switches),
            clock_mhz=_clock_mhz(),
        )

    return end


def _counted() -> dict[str, float]:
    """Since the machine, or the group of processes, was started."""
    counters = {}
    for line in _lines(STAT):
        name, *numbers = line.split()
        if name == "cpu" and len(numbers) >= STEAL:
            counters["stolen_s"] = int(numbers[STEAL - 1]) / os.sysconf("SC_CLK_TCK")
        elif name == "ctxt":
            counters["context_switches"] = float(numbers[0])
    for line in _lines(QUOTA):
        name, *numbers = line.split()
        if name == "throttled_usec":
            counters["throttled_s"] = int(numbers[0]) / 1e6
    return counters


def _clock_mhz() -> float | None:
    """The mean over the processors, now."""
    clocks = [float(line.split(":")[1]) for line in _lines(CPUINFO) if line.startswith("cpu MHz")]
    return sum(clocks) / len(clocks) if clocks else None


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return []
