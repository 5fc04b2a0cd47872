"""Joules of training steps: what the processor's packages and the driver of a GPU count.

Tests replace POWERCAP and pynvml.
"""

import importlib
from pathlib import Path
from typing import Any, Protocol

from benchmarks import reading
from benchmarks.records.record import Energy
from benchmarks.worker import timing
from benchmarks.worker.not_counted import NotCounted

POWERCAP = Path("/sys/class/powercap")

ENERGY_S = 1.0
"""Counters of energy move some ten times a second."""


class EnergyCounter(Protocol):
    """Joules that were used since some moment in the past."""

    counter: str

    def joules(self) -> float:
        """Never decreasing."""


class Rapl:
    """The processors' packages by Linux's powercap: everything that runs on them is in it."""

    counter = "RAPL: the processors' packages with all that ran on them"

    def __init__(self, folder: Path = POWERCAP) -> None:
        """Raises NotCounted."""
        zones = [
            zone for zone in sorted(folder.glob("intel-rapl:*")) if reading.line(zone / "name").startswith("package")
        ]
        if not zones:
            raise NotCounted(f"the processor's energy counter is not there ({folder} shows no package)")
        try:
            self.last = {zone: int((zone / "energy_uj").read_text(encoding="ascii")) for zone in zones}
        except OSError as problem:
            raise NotCounted(f"the processor's energy counter cannot be read ({problem.strerror})") from None
        self.used_uj = 0

    def joules(self) -> float:
        """Since this counter was made; a register that overflows starts again at 0."""
        for zone, last in self.last.items():
            now = int((zone / "energy_uj").read_text(encoding="ascii"))
            self.used_uj += now - last if now >= last else now - last + int(reading.line(zone / "max_energy_range_uj"))
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


def energy_of(counter: EnergyCounter, call: timing.Call, fence: timing.Fence, samples: int) -> Energy:
    """Joules of calls, each with so many samples, that fill about a second. Raises NotCounted where none were counted."""
    loops = timing.calls_filling(ENERGY_S, timing.warm_up(call, fence, work_s=0.0, fewest=5))
    before = counter.joules()
    elapsed_s = timing.once(timing.round_of(call, fence, loops), fence)
    joules = counter.joules() - before
    if joules == 0:
        raise NotCounted(f"the energy counter stood still for {elapsed_s:.1f} s")
    return Energy(joules=joules, samples=loops * samples, elapsed_s=elapsed_s, counter=counter.counter)
