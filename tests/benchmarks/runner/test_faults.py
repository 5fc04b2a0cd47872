"""Everything that may go wrong in a worker or on the disk: the cell is recorded with its reason, and the group goes on.

The frameworks that misbehave do so only once they have been proved and are timed.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.records import records_file
from benchmarks.records.record import BlockRecord, OutcomeRecord, Record, TimingRecord
from benchmarks.runner import blocks, worker_process
from tests.support.command import SMALL, invoke
from tests.support.failing_system import Failing
from tests.support.instant_worker import InstantWorker
from tests.support.strangers import offered
from tests.support.tiny_runs import cells_of, execute

FAULTS = {
    "hanging": "time.sleep(600)",
    "exiting": "os._exit(7)",
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "hungry": "resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31)); numpy.ones(2**29)",
    "babbling": "babble()",
    "dividing": "self.w['output.bias'] *= numpy.nan",
    "unfenced": "self.later = True",
}
"""What a model does, by the name of its framework."""

MODELS = """
import os, resource, signal, time
from concurrent.futures import Future, ThreadPoolExecutor
import numpy
from implementations.frameworks import numpy_adapter
from implementations.mlp.mlp_numpy import MLP


def babble():
    for descriptor in range(3, 30):
        try:
            os.write(descriptor, b"this is no record" + bytes([10]))
        except OSError:
            pass


POOL = ThreadPoolExecutor(1)


def to_host(tensor):
    return numpy_adapter.to_host(tensor.result() if isinstance(tensor, Future) else tensor)


class Faulty(MLP):
    calls = 0
    later = False  # as a device would, for which nobody waits

    def train_step(self, batch):
        type(self).calls += 1
        if type(self).calls > 9:  # proved by then
            self.fault()
        if self.later:
            return POOL.submit(self.slowly, batch)
        return super().train_step(batch)

    def slowly(self, batch):
        time.sleep(0.05)  # a step this small would be done before anybody could look, the longer the busier the machine
        return super().train_step(batch)
"""


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Record]]:
    """One run of all of them, beside a NumPy that behaves."""
    models = [f"\n\nclass {name}(Faulty):\n    def fault(self):\n        {fault}\n" for name, fault in FAULTS.items()]
    site = tmp_path_factory.mktemp("site")
    names = dict.fromkeys(FAULTS, "from strangers.models import to_host")
    with offered(site, "".join([MODELS, *models]), names), pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker_process, "CELL_TIMEOUT_S", 10.0)
        yield execute(cells_of(*FAULTS, "numpy", phases=("train_step", "predict")))


def outcome(records: list[Record], framework: str) -> OutcomeRecord:
    """The one hole of a framework."""
    (failure,) = [r for r in records if isinstance(r, OutcomeRecord) and r.cell.who.framework == framework]
    return failure


@pytest.mark.parametrize(
    ("framework", "reason"),
    [
        ("hanging", "the worker was lost: nothing was heard of it for 10 s, so it was stopped; it was at File "),
        ("exiting", "the worker was lost: its process ended with exit code 7"),
        ("killed", "the worker was lost: its process ended with signal 9"),
        ("hungry", "MemoryError"),
        ("babbling", "the worker was lost: it sent something unreadable: 'this is no record"),
        ("dividing", "FloatingPointError: what was timed gives infinities or NaN after its rounds"),
        ("unfenced", "the clock stopped before the work was done"),
    ],
)
def test_the_cell_is_failed_with_its_reason(records: list[Record], framework: str, reason: str) -> None:
    failure = outcome(records, framework)
    assert (failure.status, failure.cell.phase) == ("unequal" if framework == "unfenced" else "failed", "train_step")
    assert reason in failure.reason
    if framework == "hanging":
        assert re.search(r'models.py", line \d+ in fault, called at File .* in train_step', failure.reason)


@pytest.mark.parametrize("framework", [*FAULTS, "numpy"])
def test_the_other_cells_are_measured_all_the_same(records: list[Record], framework: str) -> None:
    timed = {r.cell.phase for r in records if isinstance(r, TimingRecord) and r.cell.who.framework == framework}
    assert timed == ({"predict"} if framework in FAULTS else {"train_step", "predict"})
    assert any(isinstance(r, BlockRecord) for r in records)


@pytest.mark.usefixtures("undrawn")
def test_a_full_disk_is_named_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "WorkerProcess", InstantWorker)
    choice = ["run", *SMALL, "--phase", "train_step", "--blocks", "2", "--results", str(tmp_path)]
    with Failing("write", 25, (tmp_path,)).installed():
        full = invoke(*choice)
    (folder,) = tmp_path.iterdir()
    assert full.exit_code == 2
    assert f"Error: {folder / records_file.RECORDS}: cannot be written (No space left on device)." in full.stderr
    assert f"What was measured before is kept in {folder}: the same command goes on with it." in full.stderr
    before, problems = records_file.read(folder)
    assert (len(before), len(problems)) == (
        23,
        1,
    )  # the facts of the machine were written before, and half of a record after
    assert invoke(*choice).exit_code == 0
    after, _ = records_file.read(folder)
    assert after[:23] == before
    assert len([r for r in after if isinstance(r, BlockRecord)]) == 2
