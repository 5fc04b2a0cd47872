"""Peaks of memory: what the operating system tells of the host's, and a framework's allocator of the device's.

No framework is imported, and nothing is timed: memory is read in a process of its own. Tests replace PROCESS.
"""

import ctypes
import gc
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from benchmarks import reading
from benchmarks.records.record import Peak
from benchmarks.worker.not_counted import NotCounted, reason_of

PROCESS = Path("/proc/self")
RESET_PEAK = "5"
"""What resets the peak when it is written to clear_refs (Linux's proc(5))."""


class Meter(Protocol):
    """Bytes of one kind of memory."""

    counter: str
    """What counts, in words."""

    def reset(self) -> bool:
        """Begin a new peak; False where that cannot be done."""

    def read(self) -> tuple[int, int]:
        """Bytes held now, and the peak since it was last reset."""


class HostMemory:
    """What this process holds of the machine's memory: its resident set, shared libraries included."""

    def __init__(self, process: Path = PROCESS) -> None:
        self.process = process
        self.counter = "resident set of the process"

    def reset(self) -> bool:
        """Give back what the allocator keeps for later, then forget the peak, where the system can (Linux)."""
        gc.collect()
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)  # glibc
        try:
            (self.process / "clear_refs").write_text(RESET_PEAK, encoding="ascii")
        except OSError:
            return False
        return True

    def read(self) -> tuple[int, int]:
        """From Linux's status file; elsewhere psutil and getrusage, whose peak is of the whole process."""
        try:
            lines = reading.lines(self.process / "status")
            fields = dict(line.split(":", 1) for line in lines if ":" in line)
            return _kib(fields["VmRSS"]), _kib(fields["VmHWM"])
        except KeyError:
            import psutil

            unit = 1 if sys.platform == "darwin" else 1024
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
            return psutil.Process().memory_info().rss, peak


class DeviceMemory:
    """What a framework's own allocator holds on a GPU, as its adapter tells it."""

    def __init__(self, adapter: Any, device: str) -> None:
        """Raises NotCounted."""
        if not device.startswith("cuda"):
            raise NotCounted("on the CPU a model uses the host's memory and has no device memory of its own")
        if not hasattr(adapter, "memory_bytes"):
            raise NotCounted("its adapter offers no counter of device memory")
        self.adapter, self.device = adapter, device
        self.counter: str = adapter.MEMORY_COUNTER

    def reset(self) -> bool:
        """Begin a new peak, where the allocator can."""
        return bool(self.adapter.reset_peak(self.device))

    def read(self) -> tuple[int, int]:
        """Bytes held now, and the peak."""
        held, peak = self.adapter.memory_bytes(self.device)
        return int(held), int(peak)


class PeakMeter:
    """The peak of what is done between `begin` and `end`, and what was held before that."""

    def __init__(self, make: Callable[[], Meter]) -> None:
        """`make` may raise NotCounted: every reading then holds its reason."""
        self.meter: Meter | None = None
        self.reason, self.before, self.earlier, self.fresh = "", 0, 0, True
        try:
            self.meter = make()
            self.meter.read()
        except Exception as problem:  # a counter that fails is a hole, whatever it raises
            self.meter, self.reason = None, reason_of(problem)

    def begin(self) -> None:
        """Forget earlier peaks where possible, else remember them."""
        if self.meter:
            self.fresh = self.meter.reset()
            self.before, self.earlier = self.meter.read()

    def end(self) -> Peak:
        """The peak since `begin`, or the reason why it is not known: an earlier one that cannot be reset hides it."""
        if self.meter is None:
            return Peak(reason=self.reason)
        peak = self.meter.read()[1]
        if not self.fresh and peak <= self.earlier:
            return Peak(reason="the process held more before, and that peak cannot be reset here")
        return Peak(before_bytes=self.before, peak_bytes=peak, counter=self.meter.counter)


def _kib(text: str) -> int:
    """ "  123 kB" in bytes."""
    return int(text.split()[0]) * 1024
