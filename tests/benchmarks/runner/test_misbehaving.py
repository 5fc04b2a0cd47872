"""Frameworks that print, raise or compute something else: each harms its own cells and no other."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.records.record import LearningRecord, OutcomeRecord, ProofRecord, Record, StepsRecord, TimingRecord
from benchmarks.runner import worker_process
from tests.support.strangers import offered
from tests.support.tiny_runs import ROUNDS, cells_of, execute

NAMES = {
    "chatty": 'import os\nprint("garbage while it is imported")\nos.write(1, b"{garbage from below Python")',
    "raising": "",
    "wrong": "",
    "shy": "",
}
MODELS = """
from implementations.mlp.mlp_numpy import MLP


class chatty(MLP):
    def train_step(self, batch):
        print("garbage in a step", flush=True)
        return super().train_step(batch)


class raising(MLP):
    def __init__(self, spec, device):
        super().__init__(spec, device)
        if spec.batch == 16:
            raise FloatingPointError("sixteen is too much for me")


class shy(MLP):
    def calls_of_steps(self):
        raise RuntimeError("nobody looks into me")


class promising(MLP):
    def predict(self, batch):
        return lambda: MLP.predict(self, batch)


class looping(MLP):
    def epoch(self, data):
        raise RuntimeError("a loop of my own, which nobody proved")


class tiring(MLP):
    # Learns nothing any more from its 21st step on.

    steps = 0

    def train_step(self, batch):
        self.steps += 1
        before = self.state()
        loss = super().train_step(batch)
        if self.steps > 20:
            self.load_state(before)
        return loss


class breaking(MLP):
    # Raises when it is asked after many calls, but for the timing.

    asked = 0

    def predict(self, batch):
        self.asked += 1
        return super().predict(batch)

    def state(self):
        if self.asked > 60:
            raise ValueError("too many questions")
        return super().state()


class doubling(MLP):
    # Moves its running statistics twice from the second step after a load on.

    fresh = True

    def load_state(self, state):
        super().load_state(state)
        self.fresh = True

    def update_statistics(self, *arguments):
        super().update_statistics(*arguments)
        if not self.fresh:
            super().update_statistics(*arguments)

    def train_step(self, batch):
        loss = super().train_step(batch)
        self.fresh = False
        return loss


class remembering(MLP):
    # Knows what it said of a batch, by its contents and its own parameters.

    def predict(self, batch):
        known = vars(self).setdefault("known", {})
        key = (self.w["output.bias"].tobytes(), batch["x"][:2].tobytes())
        if key not in known:
            known[key] = super().predict(batch)
        return known[key].copy()


class wrong(MLP):
    def train_step(self, batch):
        loss = super().train_step(batch)
        state = self.state()
        state["output.bias"] *= 1.001
        self.load_state(state)
        return loss
"""


@pytest.fixture(scope="module")
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Record]]:
    """The records of one run of all of them."""
    with offered(tmp_path_factory.mktemp("site"), MODELS, NAMES):
        yield execute(cells_of(*NAMES, sets={"batch": [8, 16]}, phases=("train_step",)))


def cells_in(records: list[Record], framework: str) -> dict[int, Record]:
    """What came of each of a framework's cells, by batch."""
    return {
        int(record.cell.axes["batch"]): record
        for record in records
        if isinstance(record, TimingRecord | OutcomeRecord) and record.cell.who.framework == framework
    }


def test_what_a_framework_prints_does_not_disturb_the_records(misbehaving: list[Record]) -> None:
    by_batch = cells_in(misbehaving, "chatty")
    assert by_batch.keys() == {8, 16}
    for timing in by_batch.values():
        assert isinstance(timing, TimingRecord), timing
        assert len(timing.elapsed_s) == ROUNDS


def test_an_error_belongs_to_its_cell_and_the_others_are_measured(misbehaving: list[Record]) -> None:
    by_batch = cells_in(misbehaving, "raising")
    assert isinstance(by_batch[8], TimingRecord)
    failed = by_batch[16]
    assert isinstance(failed, OutcomeRecord)
    assert failed.status == "failed"
    assert failed.reason == "FloatingPointError: sixteen is too much for me"
    assert any("strangers/models.py" in line.replace(os.sep, "/") for line in failed.last_lines)


def test_one_that_cannot_be_watched_keeps_its_times(misbehaving: list[Record]) -> None:
    assert all(isinstance(record, TimingRecord) for record in cells_in(misbehaving, "shy").values())
    watched = {(r.who.framework, r.axes["batch"]) for r in misbehaving if isinstance(r, StepsRecord)}
    assert watched == {("chatty", 8), ("chatty", 16), ("raising", 8)}


def test_an_implementation_that_is_not_equal_is_not_timed(misbehaving: list[Record]) -> None:
    by_batch = cells_in(misbehaving, "wrong")
    assert by_batch.keys() == {8, 16}
    for outcome in by_batch.values():
        assert isinstance(outcome, OutcomeRecord), outcome
        assert outcome.status == "unequal"
        assert "parameters: output.bias is off by" in outcome.reason
        assert "allowed" in outcome.reason
    proofs = [r for r in misbehaving if isinstance(r, ProofRecord) and r.who.framework == "wrong"]
    assert proofs
    assert not any(proof.passed for proof in proofs)


def test_a_loop_of_its_own_is_not_timed(tmp_path: Path) -> None:
    """Nobody proved it; only peers, which are not ranked, have one."""
    with offered(tmp_path, MODELS, {"looping": ""}):
        records = execute(cells_of("looping", phases=("epoch",)))
    assert not [record for record in records if isinstance(record, OutcomeRecord)]
    assert [record.cell.phase for record in records if isinstance(record, TimingRecord)] == ["epoch"]


@pytest.mark.parametrize(
    ("name", "phase", "reason"),
    [
        ("tiring", "train_step", "after the rounds, "),
        ("doubling", "train_step", "after the rounds, statistics: norm1.running_mean is off by"),
        ("breaking", "predict", "after the rounds, raises: ValueError: too many questions"),
        ("remembering", "predict", "times as long on a batch that it has not seen before: results are remembered"),
    ],
)
def test_what_shows_only_after_many_calls_has_no_time(tmp_path: Path, name: str, phase: str, reason: str) -> None:
    with offered(tmp_path, MODELS, {name: ""}):
        records = execute(cells_of(name, phases=(phase,), sets={"batch": [512]}))
    assert not [record for record in records if isinstance(record, TimingRecord)]
    (outcome,) = [record for record in records if isinstance(record, OutcomeRecord)]
    assert reason in outcome.reason


LEISURELY = """
import time
from implementations.mlp.mlp_numpy import MLP


class leisurely(MLP):
    steps = 0

    def train_step(self, batch):
        leisurely.steps += 1
        time.sleep(0.4 * (leisurely.steps < 24))  # its proof, and the first training
        return super().train_step(batch)
"""


def test_a_training_may_last_longer_than_a_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four epochs of four steps, 6.4 seconds in a row, where nobody may be silent for 4."""
    monkeypatch.setattr(worker_process, "CELL_TIMEOUT_S", 4.0)
    with offered(tmp_path, LEISURELY, {"leisurely": ""}):
        records = execute(cells_of("leisurely", phases=("predict",)), epochs=4)
    assert next(len(record.points) for record in records if isinstance(record, LearningRecord)) == 4


PROMISES = """
import numpy as np


def to_host(tensor):
    return np.array(tensor() if callable(tensor) else tensor)
"""


def test_work_that_is_done_only_when_somebody_looks_has_no_time(tmp_path: Path) -> None:
    with offered(tmp_path, MODELS, {"promising": PROMISES}):
        records = execute(cells_of("promising", phases=("predict",), sets={"batch": [512]}))
    assert not [record for record in records if isinstance(record, TimingRecord)]
    (outcome,) = [record for record in records if isinstance(record, OutcomeRecord)]
    assert "the clock stopped before the work had begun" in outcome.reason
