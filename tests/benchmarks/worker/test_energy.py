"""Energy, on made-up files and a made-up driver: what is counted, and the reason where nothing is."""

import sys
from pathlib import Path

import pytest

from benchmarks.worker import energy, timing
from benchmarks.worker.energy import Nvml, Rapl
from benchmarks.worker.not_counted import NotCounted


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
    counter = energy.energy_counter("cuda:3", "GPU-1")
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


def test_energy_is_of_as_many_steps_as_fill_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counter:
        counter = "three watts"

        def joules(self) -> float:
            return 3 * now

    now = 0.0
    monkeypatch.setattr(timing, "clock", lambda: now)

    def step() -> None:
        nonlocal now
        now += 0.25

    found = energy.energy_of(Counter(), step, lambda result: None, samples=32)
    assert (found.joules, found.samples, found.elapsed_s, found.counter) == (3.0, 4 * 32, 1.0, "three watts")


def test_a_counter_that_stands_still_is_a_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    class Still:
        counter = "nothing"

        def joules(self) -> float:
            return 7.0

    monkeypatch.setattr(energy, "ENERGY_S", 1e-3)
    with pytest.raises(NotCounted, match="stood still for"):
        energy.energy_of(Still(), lambda: None, lambda result: None, samples=32)
