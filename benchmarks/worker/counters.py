"""Counters of memory and energy: what the operating system, a framework's allocator and the driver can tell.

No framework is imported, and nothing is timed: memory and energy are read in runs of their own. What cannot be counted
has a reason. Every path and module that is read here may be exchanged by a test.
"""

import ctypes
import gc
import importlib
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from benchmarks.records.record import Peak

PROCESS = Path("/proc/self")
POWERCAP = Path("/sys/class/powercap")
RESET_PEAK = "5"
"""What resets the peak when it is written to clear_refs (Linux's proc(5))."""


class NotCounted(RuntimeError):
    """There is no counter for this here; the message says why."""


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
            lines = (self.process / "status").read_text(encoding="utf-8").splitlines()
            found = dict(line.split(":", 1) for line in lines if ":" in line)
            return _kib(found["VmRSS"]), _kib(found["VmHWM"])
        except (OSError, KeyError):
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


class Watch:
    """The peak of what is done between `begin` and `end`, and what was held before that."""

    def __init__(self, make: Callable[[], Meter]) -> None:
        """`make` may raise NotCounted: the reason is then what every reading says."""
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


class EnergyCounter(Protocol):
    """Joules that were used since some moment in the past."""

    counter: str

    def joules(self) -> float:
        """They only ever grow."""


class Rapl:
    """The processors' packages by Linux's powercap: everything that runs on them is in it."""

    counter = "RAPL: the processors' packages with all that ran on them"

    def __init__(self, folder: Path = POWERCAP) -> None:
        """Raises NotCounted."""
        zones = [zone for zone in sorted(folder.glob("intel-rapl:*")) if _text(zone / "name").startswith("package")]
        if not zones:
            raise NotCounted(f"the processor's energy counter is not there ({folder} shows no package)")
        try:
            self.last = {zone: int((zone / "energy_uj").read_text(encoding="ascii")) for zone in zones}
        except OSError as problem:
            raise NotCounted(f"the processor's energy counter cannot be read ({problem.strerror})") from None
        self.used_uj = 0

    def joules(self) -> float:
        """Since this counter was made; a register that has run over starts again at 0."""
        for zone, last in self.last.items():
            now = int((zone / "energy_uj").read_text(encoding="ascii"))
            self.used_uj += now - last if now >= last else now - last + int(_text(zone / "max_energy_range_uj"))
            self.last[zone] = now
        return self.used_uj / 1e6


class Nvml:
    """A whole NVIDIA GPU by its driver, which counts millijoules from when it was loaded."""

    counter = "NVML: the whole GPU, not the host"

    def __init__(self, uuid: str) -> None:
        """Raises NotCounted."""
        try:
            self.nvml: Any = importlib.import_module("pynvml")
        except ImportError:
            raise NotCounted("pynvml is not installed (pip install nvidia-ml-py)") from None
        try:
            self.nvml.nvmlInit()
            self.handle = self.nvml.nvmlDeviceGetHandleByUUID(uuid)
            self.joules()
        except self.nvml.NVMLError as problem:
            raise NotCounted(f"the GPU's energy counter cannot be read ({problem})") from None

    def joules(self) -> float:
        """Since the driver was loaded."""
        return float(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle)) / 1e3


def energy_counter(device: str, uuid: str) -> EnergyCounter:
    """The counter of the processors, or of the GPU with this UUID. Raises NotCounted."""
    return Nvml(uuid) if device.startswith("cuda") else Rapl()


def reason_of(problem: Exception) -> str:
    """One line for a record."""
    name = "" if isinstance(problem, NotCounted) else f"{type(problem).__name__}: "
    return f"{name}{problem}".splitlines()[0][:500]


def _kib(text: str) -> int:
    """ "  123 kB" in bytes."""
    return int(text.split()[0]) * 1024


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
