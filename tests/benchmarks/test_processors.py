"""Which processors, by what a system tells of them: names, topology, quotas; each as a file that was written here."""

import os
import platform
from pathlib import Path

import pytest

from benchmarks import processors, reading, system

GRAVITON = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\nprocessor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"
BIG_LITTLE = "CPU implementer\t: 0x41\nCPU part\t: 0xd41\nCPU implementer\t: 0x41\nCPU part\t: 0xd44\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CPUINFO", "TOPOLOGY", "GROUPS", "MOUNTED"):
        monkeypatch.setattr(processors, name, tmp_path / name)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")


def core(folder: Path, number: int, of: int | None, khz: int | None = None, capacity: int | None = None) -> None:
    if of is not None:
        write(folder / f"TOPOLOGY/cpu{number}/topology/physical_package_id", "0\n")
        write(folder / f"TOPOLOGY/cpu{number}/topology/core_id", f"{of}\n")
    if khz:
        write(folder / f"TOPOLOGY/cpu{number}/cpufreq/cpuinfo_max_freq", f"{khz}\n")
    if capacity:
        write(folder / f"TOPOLOGY/cpu{number}/cpu_capacity", f"{capacity}\n")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("model name\t: AMD EPYC\nmodel name\t: AMD EPYC\n", "AMD EPYC"),
        (GRAVITON, "aarch64, implementer 0x41, part 0xd0c"),
        (BIG_LITTLE, "aarch64, implementer 0x41, part 0xd41/0xd44"),
    ],
)
def test_two_kinds_of_processors_have_two_names(
    files: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    write(files / "CPUINFO", text)
    assert processors.model() == name


def test_apples_are_asked_for_their_brand(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setenv("PATH", str(files), prepend=os.pathsep)
    sysctl = files / "sysctl"
    sysctl.write_text('#!/bin/sh\n[ "$*" = "-n machdep.cpu.brand_string" ] && echo "Apple M3"\n', encoding="ascii")
    sysctl.chmod(0o755)
    assert processors.model() == "Apple M3"


def test_of_a_hybrid_the_fast_cores_come_first_and_one_thread_of_each_before_a_second(files: Path) -> None:
    """Two fast cores with two threads each, then two slow ones."""
    for number, of, khz in ((0, 0, 5_000_000), (1, 0, 5_000_000), (2, 1, 5_000_000), (3, 1, 5_000_000)):
        core(files, number, of, khz)
    for number, of in ((4, 2), (5, 3)):
        core(files, number, of, 3_800_000)
    assert processors.in_order_of_use(range(6)) == [3, 1, 5, 4, 2, 0]


def test_on_arm_capacity_tells_which_are_fast(files: Path) -> None:
    for number, capacity in ((0, 1024), (1, 1024), (2, 400), (3, 400)):
        core(files, number, number, 2_000_000, capacity)
    assert processors.in_order_of_use(range(4)) == [1, 0, 3, 2]


def test_where_nothing_is_told_the_last_ones_come_first(files: Path) -> None:
    assert processors.in_order_of_use([0, 2, 5]) == [5, 2, 0]


def test_a_process_is_pinned_to_the_first_in_this_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "usable", lambda: [0, 1, 2, 3])
    monkeypatch.setattr(processors, "in_order_of_use", lambda numbers: [2, 0, 3, 1])
    kept: list[list[int]] = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, numbers: kept.append(list(numbers)))
    assert system.pin(2) == [0, 2]
    assert kept == [[0, 2]]


@pytest.mark.parametrize(
    ("groups", "written", "quota"),
    [
        ("0::/\n", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000"}, None),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "50000 100000", "cpu.max": "200000 100000"}, 0.5),
        ("0::/a/b\n", {}, None),
        ("4:cpu,cpuacct:/a\n3:memory:/z\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "300000", "cpu,cpuacct/a/cpu.cfs_period_us": "100000"}, 3.0),
        ("4:cpu,cpuacct:/a\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "-1", "cpu,cpuacct/a/cpu.cfs_period_us": "100000"}, None),
        ("4:cpuacct,cpu:/a\n", {"cpu/a/cpu.cfs_quota_us": "200000", "cpu/a/cpu.cfs_period_us": "100000"}, 2.0),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
    ],
)  # fmt: skip
def test_the_tightest_quota_of_all_groups_around_a_process_counts(
    files: Path, groups: str, written: dict[str, str], quota: float | None
) -> None:
    write(files / "GROUPS", groups)
    for path, text in written.items():
        write(files / "MOUNTED" / path, text)
    assert processors.quota() == quota


@pytest.mark.parametrize(
    ("groups", "written", "stopped"),
    [
        ("0::/\n", {"cpu.stat": "usage_usec 5\nthrottled_usec 2000000\n"}, 2.0),
        ("0::/a/b\n", {"a/b/cpu.stat": "throttled_usec 250000\n", "a/cpu.stat": "throttled_usec 500000\n", "cpu.stat": "usage_usec 5\n"}, 0.75),
        ("4:cpu,cpuacct:/a\n", {"cpu,cpuacct/a/cpu.stat": "nr_throttled 3\nthrottled_time 1500000000\n"}, 1.5),
        ("0::/a\n", {"a/cpu.stat": "usage_usec 5\n"}, None),
        ("0::/a\n", {}, None),
    ],
)  # fmt: skip
def test_what_quotas_stopped_is_counted_in_all_groups_around_a_process(
    files: Path, groups: str, written: dict[str, str], stopped: float | None
) -> None:
    write(files / "GROUPS", groups)
    for path, text in written.items():
        write(files / "MOUNTED" / path, text)
    assert processors.throttled_s() == stopped


@pytest.mark.parametrize(("quota", "count"), [(None, 8), (2.5, 2), (0.5, 1), (64.0, 8)])
def test_threads_are_no_more_than_a_quota_leaves(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, count: int
) -> None:
    monkeypatch.setattr(processors, "usable", lambda: list(range(8)))
    monkeypatch.setattr(processors, "quota", lambda: quota)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert system.usable_cores() == count


@pytest.mark.parametrize(
    "name",
    ["OPENBLAS_CORETYPE", "ATEN_CPU_CAPABILITY", "TORCHDYNAMO_DISABLE", "PYTORCH_NO_CUDA_MEMORY_CACHING", "CUPY_TF32",
     "GOMP_SPINCOUNT", "GLIBC_TUNABLES", "NUMPY_MADVISE_HUGEPAGE", "KMP_BLOCKTIME", "XLA_FLAGS", "NPY_DISABLE_CPU_FEATURES"],
)  # fmt: skip
def test_what_steers_libraries_is_a_fact_of_the_machine_and_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "other")
    monkeypatch.setenv("MY_PASSWORD", "secret")
    facts = system.machine()
    assert facts["variables"][name] == "other"
    assert "secret" not in str(facts)


def test_no_folder_and_nothing_of_other_programs_stands_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(system.STEERING)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TF_VAR_token", "secret")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/home/ann/rc")
    monkeypatch.setenv("LD_PRELOAD", "/home/ann/libjemalloc.so.2:libm.so")
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/home/ann/dump --xla_cpu_enable_fast_math=true")
    assert system.variables() == {
        "LD_PRELOAD": "libjemalloc.so.2:libm.so",
        "XLA_FLAGS": "--xla_dump_to=dump --xla_cpu_enable_fast_math=true",
    }


def test_a_machine_has_an_identity_that_stays_and_does_not_tell_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert system.host() == system.host()
    monkeypatch.setattr(reading, "line", lambda path: "")
    monkeypatch.setattr(platform, "node", lambda: "node-17.cluster")
    one = system.host()
    monkeypatch.setattr(platform, "node", lambda: "node-18.cluster")
    assert system.host() != one
    assert "node" not in one


def test_of_a_shared_node_only_what_slurm_granted_is_used_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "usable", lambda: list(range(8)))
    monkeypatch.setattr(processors, "quota", lambda: None)
    for granted, cores in (("", 8), ("8", 8), ("12", 8), ("x", 8), ("0", 8), ("3", 3)):
        monkeypatch.setenv("SLURM_CPUS_PER_TASK", granted)
        assert system.usable_cores() == cores
        assert ("granted 3 of 8 processors" in system.shared_processors()) == (granted == "3")


def test_nodes_that_start_from_one_image_are_told_apart_by_slurms_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURMD_NODENAME", raising=False)
    alone = system.host()
    assert system.node() == alone
    monkeypatch.setenv("SLURMD_NODENAME", "gpu017")
    assert system.node() == "gpu017"
    assert system.host() != alone
    assert "gpu017" not in system.host()
