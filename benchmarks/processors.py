"""The processors of this machine: their name, which of them this process may use, which are fast, how much of them a quota leaves."""

import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks import reading

CPUINFO = Path("/proc/cpuinfo")
TOPOLOGY = Path("/sys/devices/system/cpu")
GROUPS = Path("/proc/self/cgroup")
MOUNTED = Path("/sys/fs/cgroup")
PER_SECOND = {"throttled_usec": 1e6, "throttled_time": 1e9}
"""What a group's cpu.stat calls the time for which a quota stopped it, in version 2 and in version 1, and in which unit it is."""


def usable() -> list[int]:
    """The numbers of those that this process may use: by its affinity where the system has one (Linux), else all."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def in_order_of_use(numbers: Sequence[int]) -> list[int]:
    """One of every core before a second of the same, fast cores first, then those with high numbers, which others use least."""
    cores: dict[tuple[str, str], list[int]] = {}
    for number in sorted(numbers, reverse=True):
        core = _text(number, "topology/physical_package_id"), _text(number, "topology/core_id")
        cores.setdefault(core if all(core) else ("", str(number)), []).append(number)
    rank = {number: k for siblings in cores.values() for k, number in enumerate(siblings)}
    return sorted(numbers, key=lambda number: (rank[number], -_speed(number), -number))


def _speed(number: int) -> float:
    """Linux's measure of what a core can do (on ARM), or its highest clock rate; 0 where neither is told."""
    return float(_text(number, "cpu_capacity") or _text(number, "cpufreq/cpuinfo_max_freq") or 0)


def _text(number: int, name: str) -> str:
    return reading.line(TOPOLOGY / f"cpu{number}" / name)


def quota() -> float | None:
    """How many processors' time the control groups of this process leave it, the tightest of them; None where none limits it."""
    limits = [limit for folder in _groups() if (limit := _limit(folder)) is not None]
    return min(limits, default=None)


def granted() -> int | None:
    """How many Slurm granted to each task of this job, where it was asked for a number (`--cpus-per-task`)."""
    words = os.environ.get("SLURM_CPUS_PER_TASK", "")
    return int(words) if words.isascii() and words.isdecimal() and int(words) else None


def throttled_s() -> float | None:
    """How long quotas have stopped these groups so far, in seconds, all of them together; None where it is not counted."""
    lines = (line.split() for folder in _groups() for line in reading.lines(folder / "cpu.stat"))
    counted = [int(words[1]) / PER_SECOND[words[0]] for words in lines if words and words[0] in PER_SECOND]
    return sum(counted) if counted else None


def _groups() -> Iterator[Path]:
    """The folder of every control group that this process is in, and of those around it; of version 2 and of version 1."""
    for line in reading.lines(GROUPS):
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = MOUNTED if not controllers else MOUNTED / controllers
        root = root if os.path.isdir(root) else MOUNTED / "cpu"  # under one of its names, in whatever order they stand
        for folder in (inner := root / path.strip("/"), *inner.parents):
            yield folder
            if folder == root:
                break


def _limit(folder: Path) -> float | None:
    """In processors."""
    with suppress(ValueError):
        allowed, period = reading.line(folder / "cpu.max").split()
        return None if allowed == "max" else int(allowed) / int(period)
    with suppress(ValueError):
        allowed_us, period_us = (int(reading.line(folder / f"cpu.cfs_{name}_us")) for name in ("quota", "period"))
        return None if allowed_us < 0 else allowed_us / period_us
    return None


def model() -> str:
    """The name of the processor, so that two kinds have two names: on ARM, where Linux knows none, maker and part."""
    told: dict[str, dict[str, None]] = {}
    for line in reading.lines(CPUINFO):
        name, _, value = line.partition(":")
        told.setdefault(name.strip(), {})[value.strip()] = None
    if "model name" in told:
        return next(iter(told["model name"]))
    if "CPU part" in told:
        makers, parts = ("/".join(sorted(told.get(f"CPU {name}", {}))) for name in ("implementer", "part"))
        return f"{platform.machine()}, implementer {makers}, part {parts}"
    return _brand_of_apple() or platform.processor() or platform.machine()


def _brand_of_apple() -> str:
    with suppress(OSError, subprocess.TimeoutExpired):
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        if platform.system() == "Darwin":
            return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    return ""
