"""Imports, sizes on disk, memory and energy: measured once per run, in processes of their own, with a reason for a hole."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.plan import remaining
from benchmarks.records import records_file
from benchmarks.records.record import InstalledRecord, Record, ResourceRecord, StartRecord
from benchmarks.runner import blocks, resource_runs
from benchmarks.runner.blocks import Runner
from benchmarks.runner.worker_process import WorkerProcess
from benchmarks.worker import installed_size, resource_worker
from benchmarks.worker.protocol import Job, Task
from tests.support import command, synthetic
from tests.support.synthetic import cell, start
from tests.support.tiny_runs import TINY, cells_of, networks

KINDS = (StartRecord, InstalledRecord, ResourceRecord)
CHOICE = ["run", "--profile", "smoke", "--framework", "numpy", "--phase", "train_step,products"]


def costs_of(records: list[Record]) -> list[Any]:
    return [record for record in records if isinstance(record, KINDS)]


def test_a_ledger_keeps_everything_once() -> None:
    records: list[Record] = []
    ledger = resource_runs.Ledger([start("numpy")], records.append)
    for again in (start("numpy"), start("torch"), start("torch")):
        ledger.keep(again)
    assert records == [start("torch")]


# Sizes on disk


def fail() -> None:
    raise OSError("no such list")


@pytest.mark.parametrize(
    ("work", "code"), [(lambda: None, 0), (fail, 1), (lambda: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL)]
)
def test_what_happens_to_a_copy_is_seen(work: Callable[[], None], code: int) -> None:
    assert resource_worker.in_a_copy(work) == code


def test_a_size_that_cannot_be_looked_up_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_size, "measure", lambda *_: fail())
    size = resource_worker.installed("numpy")
    assert (size.framework, size.bytes, size.reason) == ("numpy", None, "OSError: no such list")


def test_a_copy_that_was_killed_leaves_a_reason_in_place_of_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    class Line:
        def __init__(self) -> None:
            self.sent: list[Any] = []

        def send(self, size: Any) -> None:
            self.sent.append(size)

        def ask(self, name: str) -> None:
            raise StopIteration(name)

    line, job = Line(), Job(tasks=[Task(who=cell("numpy").who, spec={}, dataset="")], block=0, seed=0)
    monkeypatch.setattr(resource_worker, "begin", lambda: (line, job, []))
    monkeypatch.setattr(resource_worker, "in_a_copy", lambda work: -9)
    with pytest.raises(StopIteration, match="ready"):
        resource_worker.main()
    (size,) = line.sent
    assert (size.framework, size.bytes) == ("numpy", None)
    assert size.reason == "the process that looked it up ended with signal 9"


# Real runs


def invoke(results: Path) -> Any:
    done = command.invoke(*CHOICE, "--set", "batch=8,16", "--results", results, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run by the command line."""
    return Path(invoke(tmp_path_factory.mktemp("results"))["folder"])


def test_a_run_ends_with_its_costs(folder: Path) -> None:
    records, problems = records_file.read(folder)
    assert problems == []
    installed, start, small, big = costs_of(records)
    assert records[-4:] == [installed, start, small, big]
    assert 0.01 < start.import_s < 60  # NumPy itself: nothing has imported it before
    assert [resources.axes["batch"] for resources in (small, big)] == [8, 16]
    for resources in (small, big):
        assert 10**7 < resources.host.before_bytes <= resources.host.peak_bytes < 10**9
        assert (
            resources.device.reason == "on the CPU a model uses the host's memory and has no device memory of its own"
        )
        assert (resources.energy.joules is None) == bool(resources.energy.reason)
    assert [name.split()[0] for name in installed.distributions] == ["numpy"]
    assert installed.bytes > 10**7


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_was_stopped_measures_what_is_left_and_nothing_twice(folder: Path, tmp_path: Path) -> None:
    lines = (folder / records_file.RECORDS).read_text(encoding="utf-8").splitlines(keepends=True)
    again = tmp_path / folder.name
    again.mkdir()
    (again / "environment.json").write_bytes((folder / "environment.json").read_bytes())
    (again / "report.md").write_text("a partial report", encoding="utf-8")
    (again / records_file.RECORDS).write_text("".join(lines[:-2]), encoding="utf-8")
    assert invoke(tmp_path)["folder"] == str(again)
    records, _ = records_file.read(again)
    assert [records_file.parse(line) for line in lines[:-2]] == records[:-2]
    kept = [remaining.key(record) for record in costs_of(records)]
    assert kept == [remaining.key(record) for record in costs_of(records_file.read(folder)[0])]


class Dying(WorkerProcess):
    """A worker that is killed once it has said so many records of memory."""

    after = 1

    def next(self, timeout_s: float) -> Any:
        said = super().next(timeout_s)
        seen = self.__dict__.setdefault("seen", [])
        seen += [said] if isinstance(said, ResourceRecord) else []
        if len(seen) > self.after or (self.after < 0 and isinstance(said, InstalledRecord)):
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.lines.queue.clear()
            self.lines.put(None)
        return said


def measured(monkeypatch: pytest.MonkeyPatch, after: int) -> list[Any]:
    monkeypatch.setattr(blocks, "WorkerProcess", Dying)
    monkeypatch.setattr(Dying, "after", after)
    cells = cells_of("numpy", sets={"batch": [8, 16, 32, 64]}, phases=("train_step",))
    records: list[Record] = []
    resource_runs.measure(
        Runner(networks(), cells, TINY, 1, 0, records.append), [synthetic.timing(of, 0, 1e-3) for of in cells]
    )
    assert remaining.costs(cells, [*(synthetic.timing(of, 0, 1e-3) for of in cells), *records]) == {}
    return records


def test_a_process_that_is_lost_leaves_a_reason_for_everything_after(monkeypatch: pytest.MonkeyPatch) -> None:
    installed, start, small, next_, lost, unreached = measured(monkeypatch, after=1)
    assert installed.bytes > 0
    assert start.import_s > 0
    assert [resources.host.peak_bytes > 0 for resources in (small, next_)] == [True, True]
    for reading in (lost.host, lost.device, lost.energy):
        assert reading.reason.startswith("the process was lost: its process ended with signal 9")
    assert unreached.host.reason.startswith("not reached, because at a size before the process was lost")


def test_an_interpreter_that_is_gone_leaves_its_reason(tmp_path: Path) -> None:
    cells = cells_of("numpy", phases=("train_step",))
    times = [synthetic.timing(of, 0, 1e-3) for of in cells]
    records: list[Any] = []
    pythons = {"numpy": str(tmp_path / "gone")}
    resource_runs.measure(Runner(networks(), cells, TINY, 1, 0, records.append, pythons=pythons), times)
    assert [type(one) for one in records] == [StartRecord, InstalledRecord, ResourceRecord]
    (reason,) = {records[0].reason, records[1].reason, records[2].host.reason}
    assert reason.startswith("the process was lost: its process ended with exit code 127: sh: ")
    assert str(tmp_path / "gone") in reason


def test_one_that_cannot_even_start_leaves_reasons_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    records = measured(monkeypatch, after=-1)
    assert [type(one) for one in records] == [InstalledRecord, StartRecord, *[ResourceRecord] * 4]
    assert records[1].import_s is None
    assert "signal 9" in records[1].reason
