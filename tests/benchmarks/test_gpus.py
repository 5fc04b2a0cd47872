"""GPUs as they were given: what CUDA_VISIBLE_DEVICES hides is never planned and never handed to a worker."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpus, system
from benchmarks.analysis import machine_facts as facts
from benchmarks.analysis.comparability import software
from benchmarks.analysis.results import gather
from benchmarks.cli import doctor
from benchmarks.plan.cells import plan
from benchmarks.plan.profiles import PROFILES
from benchmarks.plan.request import Request
from benchmarks.records.record import Configuration, Record
from benchmarks.runner import worker_process
from implementations import registry
from implementations.errors import Unavailable
from implementations.mlp.spec import MLPSpec
from tests.support import synthetic

FIRST, SECOND, THIRD = "GPU-1111-aaaa", "GPU-2222-bbbb", "GPU-2233-cccc"
SMALL, LARGE = "MIG-5555-dddd", "MIG-6666-eeee"
H100 = "NVIDIA H100 80GB HBM3, 580.95.05, 81559 MiB, {}, 1980 MHz, 2619 MHz, 700.00 W, Enabled"
A10 = "NVIDIA A10, 580.95.05, 23028 MiB, {}, 1695 MHz, 6251 MHz, 150.00 W, [N/A]"
THREE = [H100.format(FIRST), H100.format(SECOND), H100.format(THIRD)]
MIG = [
    f"GPU 0: NVIDIA H100 80GB HBM3 (UUID: {FIRST})",
    f"  MIG 1g.10gb     Device  0: (UUID: {SMALL})",
    f"  MIG 3g.40gb     Device  1: (UUID: {LARGE})",
    f"GPU 1: NVIDIA H100 80GB HBM3 (UUID: {SECOND})",
]


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A stand-in for nvidia-smi that knows these cards; the variables are not set."""
    for name in (gpus.VARIABLE, gpus.ORDER):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def answers(query: list[str], listed: list[str] | None = None, code: int = 0) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(
            f"#!{sys.executable}\nimport sys\n"
            f"print(*({listed or []!r} if sys.argv[1] == '-L' else {query!r}), sep=chr(10))\nsys.exit({code})\n"
        )
        program.chmod(0o755)
        gpus._cards.cache_clear()

    yield answers
    gpus._cards.cache_clear()


def uuids() -> list[str]:
    return [gpu.uuid for gpu in gpus.visible()]


@pytest.mark.parametrize(
    ("variable", "seen"),
    [
        (None, [FIRST, SECOND, THIRD]),
        ("1", [SECOND]),
        ("2,0", [THIRD, FIRST]),
        (SECOND, [SECOND]),
        (f"{THIRD},{FIRST}", [THIRD, FIRST]),
        ("GPU-11", [FIRST]),  # the beginning of a UUID will do
        ("GPU-22", []),  # unless it is that of two
        ("", []),
        ("-1", []),
        ("0,7,1", [FIRST]),  # what follows the first that names nothing is ignored
        ("NoDevFiles", []),
        ("1,1", []),
        (" 1 , 2 ", [SECOND, THIRD]),
    ],
)
def test_only_what_the_variable_names_is_there_in_its_order(
    driver: Any, monkeypatch: pytest.MonkeyPatch, variable: str | None, seen: list[str]
) -> None:
    driver(THREE)
    if variable is not None:
        monkeypatch.setenv(gpus.VARIABLE, variable)
    assert uuids() == seen


@pytest.mark.parametrize(
    ("variable", "seen"),
    [
        (None, [SMALL, LARGE, SECOND]),
        (LARGE, [LARGE]),
        ("MIG-5", [SMALL]),
        ("0", [SMALL]),
        ("1", [SECOND]),
        (FIRST, []),  # a card that is cut into instances cannot be used whole
    ],
)
def test_a_card_cut_into_instances_is_its_instances(
    driver: Any, monkeypatch: pytest.MonkeyPatch, variable: str | None, seen: list[str]
) -> None:
    driver(THREE[:2], MIG)
    if variable is not None:
        monkeypatch.setenv(gpus.VARIABLE, variable)
    assert uuids() == seen
    instance = [(gpu.name, gpu.mig, gpu.memory) for gpu in gpus.visible() if gpu.uuid == LARGE]
    assert instance == [("NVIDIA H100 80GB HBM3 MIG 3g.40gb", "3g.40gb", "")] * (LARGE in seen)


def test_numbers_that_only_cuda_understands_name_nothing(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    driver([H100.format(FIRST), A10.format(SECOND)])
    assert uuids() == [FIRST, SECOND]
    monkeypatch.setenv(gpus.VARIABLE, "1")
    assert uuids() == []
    assert "CUDA_VISIBLE_DEVICES=1: which are meant?" in gpus.why_no_gpu()
    assert "Set CUDA_DEVICE_ORDER=PCI_BUS_ID" in doctor.render(doctor.examine())
    monkeypatch.setenv(gpus.ORDER, "PCI_BUS_ID")
    assert uuids() == [SECOND]
    monkeypatch.delenv(gpus.ORDER)
    monkeypatch.setenv(gpus.VARIABLE, SECOND)
    assert uuids() == [SECOND]


def test_odd_answers_lose_no_card(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = [
        line.replace("NVIDIA H100", name)
        for line, name in zip(THREE, ("NVIDIA, H100", "\udcff", "NVIDIA"), strict=True)
    ]
    driver(odd, MIG[3:])  # and it lists one of three, whose UUID tells which
    assert uuids() == [FIRST, SECOND, THIRD]
    driver(THREE[:2], [MIG[3], *MIG[:3]])
    assert uuids() == [SMALL, LARGE, SECOND]


@pytest.mark.parametrize("broken", [{"query": ["no devices were found"]}, {"query": THREE, "code": 9}, {"query": []}])
def test_a_driver_that_does_not_answer_has_no_gpus(driver: Any, broken: dict[str, Any]) -> None:
    driver(**broken)
    assert uuids() == []
    assert gpus.why_no_gpu() == "no NVIDIA driver"


def test_the_plan_and_the_workers_know_no_other_card_than_the_given(
    driver: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver(THREE)
    monkeypatch.setenv(gpus.VARIABLE, f"{THIRD},{FIRST}")
    request = Request(PROFILES["smoke"], frameworks=("torch",), threads=(1,), devices=("cuda",))
    devices = {cell.who.device for cell in plan({"mlp": MLPSpec.preset("digits")}, request, gpus.visible()).cells}
    given = {
        d: worker_process.environment(_who(d), tmp_path)[gpus.VARIABLE] for d in ("cpu", *sorted(devices), "cuda:2")
    }
    assert given == {"cpu": "", "cuda:0": THIRD, "cuda:1": FIRST, "cuda:2": ""}


def test_hiding_all_is_told_as_the_reason(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    driver(THREE)
    monkeypatch.setenv(gpus.VARIABLE, "9")
    monkeypatch.setitem(registry.PACKAGES, "cupy", ("numpy",))
    reason = "CUDA_VISIBLE_DEVICES=9 names no GPU of this machine"
    smoke = Request(PROFILES["smoke"], threads=(1,))
    for request in (replace(smoke, devices=("cuda",)), replace(smoke, frameworks=("cupy",))):
        with pytest.raises(Unavailable, match=reason):
            plan({"mlp": MLPSpec.preset("digits")}, request, gpus.visible())
    assert reason in doctor.render(doctor.examine())


def test_card_clocks_power_limit_and_error_correction_are_recorded_and_told(driver: Any) -> None:
    driver([*THREE[:1], A10.format(SECOND)])
    machine = system.machine()
    assert machine["gpus"][0] == {
        "name": "NVIDIA H100 80GB HBM3", "driver": "580.95.05", "memory": "81559 MiB", "uuid": FIRST,
        "sm_clock_max": "1980 MHz", "memory_clock_max": "2619 MHz", "power_limit": "700.00 W", "ecc": "Enabled",
    }  # fmt: skip
    assert facts.gpus(machine) == [
        ["NVIDIA H100 80GB HBM3", "580.95.05", "81559 MiB"],
        ["NVIDIA A10", "580.95.05", "23028 MiB"],
    ]
    assert ("GPU power limit", "150.00 W") in facts.gpu_settings(machine)
    told = doctor.render(doctor.examine())
    assert f"GPU cuda:0: NVIDIA H100 80GB HBM3, 81559 MiB, driver 580.95.05, power limit 700.00 W, SM clock up to 1980 MHz, ECC Enabled, {FIRST}" in told  # fmt: skip


def test_another_power_limit_is_a_difference_in_software_that_compare_tells(driver: Any) -> None:
    driver(THREE[:1])
    records: list[Record] = [synthetic.run([synthetic.cell("numpy", "predict", batch=1)])]
    assert software(gather(records, [], system.machine()))["system", "GPU power limit"] == "700.00 W"


def _who(device: str) -> Configuration:
    return Configuration(model="mlp", framework="torch", device=device, threads=1)
