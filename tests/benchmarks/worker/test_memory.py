"""Peaks of memory, on made-up files: what is counted, and the reason where nothing is."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.worker.memory import DeviceMemory, HostMemory, PeakMeter
from benchmarks.worker.not_counted import NotCounted

KIB = 1024


def status(folder: Path, held: int, peak: int) -> None:
    """As /proc/self/status, in KiB."""
    text = f"Name:\tpython\nVmHWM:\t{peak:8} kB\nVmRSS:\t{held:8} kB\nnonvoluntary_ctxt_switches:\t1\n"
    (folder / "status").write_text(text, encoding="utf-8")


def test_the_host_tells_what_is_held_and_its_peak_and_forgets_the_peak(tmp_path: Path) -> None:
    status(tmp_path, 100, 300)
    (tmp_path / "clear_refs").touch()
    memory = HostMemory(tmp_path)
    assert memory.read() == (100 * KIB, 300 * KIB)
    assert memory.reset()
    assert (tmp_path / "clear_refs").read_text(encoding="ascii") == "5"


def test_without_such_files_the_peak_is_of_the_whole_process_and_cannot_be_reset(tmp_path: Path) -> None:
    memory = HostMemory(tmp_path / "none")
    held, peak = memory.read()
    assert all(2**20 < count < 2**40 for count in (held, peak))
    assert not memory.reset()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset the peak")
def test_a_real_peak_is_seen_and_forgotten() -> None:
    def growth(count: int) -> int:
        meter = PeakMeter(HostMemory)
        meter.begin()
        del_me = b"x" * count
        del del_me
        found = meter.end()
        assert found.peak_bytes is not None, found.reason
        assert found.before_bytes is not None
        return found.peak_bytes - found.before_bytes

    assert 45_000_000 < growth(50_000_000) < 60_000_000  # the kernel counts resident pages in batches
    assert growth(1000) < 10_000_000


class Fixed:
    """A meter whose readings were written down before."""

    counter = "a list"

    def __init__(self, *readings: tuple[int, int], resets: bool = True) -> None:
        self.readings, self.resets = list(readings), resets

    def reset(self) -> bool:
        return self.resets

    def read(self) -> tuple[int, int]:
        return self.readings.pop(0)


def peak_of(counter: Any) -> Any:
    meter = PeakMeter(lambda: counter)
    meter.begin()
    return meter.end()


def test_a_meter_gives_what_was_held_before_and_the_peak() -> None:
    peak = peak_of(Fixed((7, 90), (10, 10), (12, 40)))
    assert (peak.before_bytes, peak.peak_bytes, peak.counter, peak.reason) == (10, 40, "a list", "")


def test_a_peak_that_cannot_be_reset_counts_only_where_it_rose() -> None:
    assert peak_of(Fixed((7, 90), (10, 90), (12, 95), resets=False)).peak_bytes == 95
    hidden = peak_of(Fixed((7, 90), (10, 90), (12, 90), resets=False))
    assert hidden.peak_bytes is None
    assert "cannot be reset" in hidden.reason


def test_a_counter_that_fails_is_a_hole_with_its_reason() -> None:
    meter = PeakMeter(lambda: Fixed())
    meter.begin()
    assert meter.end().reason == "IndexError: pop from empty list"


def test_the_cpu_has_no_device_memory_and_an_adapter_may_have_no_counter() -> None:
    with pytest.raises(NotCounted, match="on the CPU a model uses"):
        DeviceMemory(SimpleNamespace(), "cpu")
    with pytest.raises(NotCounted, match="offers no counter"):
        DeviceMemory(SimpleNamespace(), "cuda:0")


def test_device_memory_is_what_the_adapter_tells() -> None:
    told: list[str] = []
    adapter = SimpleNamespace(
        MEMORY_COUNTER="tensors", reset_peak=lambda device: told.append(device), memory_bytes=lambda device: (3, 5)
    )
    memory = DeviceMemory(adapter, "cuda:0")
    assert (memory.read(), memory.counter) == ((3, 5), "tensors")
    assert not memory.reset()
    assert told == ["cuda:0"]
