"""Counters of memory and energy, on made-up files and a made-up driver: what is counted, and the reason where nothing is."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.worker import counters
from benchmarks.worker.counters import DeviceMemory, HostMemory, NotCounted, Nvml, Rapl, Watch

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
    def peak_of(count: int) -> int:
        watch = Watch(HostMemory)
        watch.begin()
        del_me = b"x" * count
        del del_me
        found = watch.end()
        assert found.peak_bytes is not None, found.reason
        assert found.before_bytes is not None
        return found.peak_bytes - found.before_bytes

    assert 45_000_000 < peak_of(50_000_000) < 60_000_000  # the kernel counts resident pages in batches
    assert peak_of(1000) < 10_000_000


class Fixed:
    """A meter whose readings were written down before."""

    counter = "a list"

    def __init__(self, *readings: tuple[int, int], resets: bool = True) -> None:
        self.readings, self.resets = list(readings), resets

    def reset(self) -> bool:
        return self.resets

    def read(self) -> tuple[int, int]:
        return self.readings.pop(0)


def watched(meter: Any) -> Any:
    watch = Watch(lambda: meter)
    watch.begin()
    return watch.end()


def test_a_watch_gives_what_was_held_before_and_the_peak() -> None:
    peak = watched(Fixed((7, 90), (10, 10), (12, 40)))
    assert (peak.before_bytes, peak.peak_bytes, peak.counter, peak.reason) == (10, 40, "a list", "")


def test_a_peak_that_cannot_be_reset_counts_only_where_it_rose() -> None:
    assert watched(Fixed((7, 90), (10, 90), (12, 95), resets=False)).peak_bytes == 95
    hidden = watched(Fixed((7, 90), (10, 90), (12, 90), resets=False))
    assert hidden.peak_bytes is None
    assert "cannot be reset" in hidden.reason


def test_a_counter_that_fails_is_a_hole_with_its_reason() -> None:
    watch = Watch(lambda: Fixed())
    watch.begin()
    assert watch.end().reason == "IndexError: pop from empty list"


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


# Energy


def zone(folder: Path, name: str, kind: str, used_uj: int, most_uj: int = 1000) -> Path:
    """One of powercap's folders."""
    path = folder / name
    path.mkdir()
    for file, value in {"name": kind, "energy_uj": used_uj, "max_energy_range_uj": most_uj}.items():
        (path / file).write_text(f"{value}\n", encoding="ascii")
    return path


def test_packages_are_added_up_and_nothing_is_counted_twice(tmp_path: Path) -> None:
    first, second = zone(tmp_path, "intel-rapl:0", "package-0", 100), zone(tmp_path, "intel-rapl:1", "package-1", 900)
    zone(tmp_path, "intel-rapl:0:0", "core", 50)
    whole = zone(tmp_path, "intel-rapl:2", "psys", 1000)
    counter = Rapl(tmp_path)
    assert counter.joules() == 0
    for path, value in ((first, 400), (second, 100), (whole, 2000)):  # the second ran over
        (path / "energy_uj").write_text(str(value), encoding="ascii")
    assert counter.joules() == pytest.approx((300 + 200) / 1e6)
    (first / "energy_uj").write_text("500", encoding="ascii")
    assert counter.joules() == pytest.approx((400 + 200) / 1e6)


def test_a_processor_without_a_readable_counter_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotCounted, match="shows no package"):
        Rapl(tmp_path)
    path = zone(tmp_path, "intel-rapl:0", "package-0", 0)
    (path / "energy_uj").unlink()
    with pytest.raises(NotCounted, match="cannot be read"):
        Rapl(tmp_path)


class Driver:
    """As pynvml, with a GPU that uses 250 mJ between two readings."""

    class NVMLError(Exception):
        pass

    def __init__(self, broken: bool = False) -> None:
        self.used_mj, self.broken, self.asked = 1000, broken, ""

    def nvmlInit(self) -> None:
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:
        self.asked = uuid
        return 3

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:
        if self.broken:
            raise self.NVMLError("Not Supported")
        self.used_mj += 250
        return self.used_mj


def test_the_gpu_is_asked_by_its_uuid_and_millijoules_become_joules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driver = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    counter = counters.energy_counter("cuda:3", "GPU-1")
    assert isinstance(counter, Nvml)
    assert driver.asked == "GPU-1"
    before = counter.joules()
    assert counter.joules() - before == 0.25


def test_a_gpu_without_a_counter_or_without_the_package_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Driver(broken=True))
    with pytest.raises(NotCounted, match="Not Supported"):
        Nvml("GPU-1")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(NotCounted, match="pip install nvidia-ml-py"):
        Nvml("GPU-1")
