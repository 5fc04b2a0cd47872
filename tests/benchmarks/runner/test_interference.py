"""What else had the processors: the difference of two readings of the system's counters, or nothing where there are none."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import processors
from benchmarks.runner import interference

TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture
def counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(interference, "STAT", tmp_path / "STAT")
    for name in ("GROUPS", "MOUNTED"):
        monkeypatch.setattr(processors, name, tmp_path / name)
    (tmp_path / "GROUPS").write_text("0::/slice/job\n")
    (tmp_path / "MOUNTED/slice/job").mkdir(parents=True)
    return tmp_path


def write(folder: Path, steal: int, throttled_usec: int, busy: int = 9) -> None:
    cores = "".join(f"cpu{k} {busy} 9 {busy} 9 9 9 9 7 0 0\n" for k in (*os.sched_getaffinity(0), 1000))
    (folder / "STAT").write_text(f"cpu  9 9 9 9 9 9 9 {steal} 0 0\n{cores}ctxt 1\n")
    (folder / "MOUNTED/slice/job/cpu.stat").write_text(
        f"usage_usec 5\nnr_throttled 3\nthrottled_usec {throttled_usec}\n"
    )


def test_a_block_has_what_the_counters_grew_by(counters: Path) -> None:
    write(counters, 100, 2_000_000)
    end = interference.begin()
    write(counters, 100 + 3 * TICKS, 2_500_000)
    grown = end()
    assert (grown.stolen_s, grown.throttled_s) == (3.0, 0.5)
    assert grown.cores == os.cpu_count()


def test_what_the_system_does_not_count_is_not_known(counters: Path) -> None:
    grown = interference.begin()()
    assert (grown.stolen_s, grown.throttled_s) == (None, None)


def test_the_quota_of_a_group_that_has_none_is_not_known(counters: Path) -> None:
    write(counters, 100, 0)
    (counters / "MOUNTED/slice/job/cpu.stat").write_text("usage_usec 5\n")
    grown = interference.begin()()
    assert (grown.stolen_s, grown.throttled_s) == (0.0, None)


def test_what_programs_of_others_used_is_all_but_the_runs_own(counters: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = iter([(1.0, 0.5), (0.0, 0.0), (2.0, 0.5), (3.0, 0.5)])
    monkeypatch.setattr("benchmarks.runner.interference.resource.getrusage", lambda who: next(own))
    write(counters, 0, 0)
    end = interference.begin()
    write(counters, 0, 0, busy=9 + 5 * TICKS)
    grown, usable = end(), len(os.sched_getaffinity(0))
    assert (grown.others_s, grown.usable) == (10.0 * usable - 4.5, usable)


def test_processors_that_are_numbered_otherwise_are_not_counted(counters: Path) -> None:
    write(counters, 0, 0)
    (counters / "STAT").write_text("cpu  9 9 9 9 9 9 9 0 0 0\ncpu1000 9 9 9 9 9 9 9 7 0 0\nctxt 1\n")
    assert interference.begin()().others_s is None


def test_a_program_beside_the_run_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    # A process that tests began long ago may end just now, and all that it ever used is then the run's own.
    monkeypatch.setattr("benchmarks.runner.interference.resource.getrusage", lambda who: (0.0, 0.0))
    spin = "import time; end = time.monotonic() + 1\nwhile time.monotonic() < end: pass"
    end = interference.begin()
    other = subprocess.Popen([sys.executable, "-c", spin])  # not waited for until it has been counted
    time.sleep(0.8)
    beside = end()
    other.wait()
    assert beside.others_s is not None
    assert beside.others_s > 0.4
