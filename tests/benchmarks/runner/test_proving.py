"""What `verify` says while it goes on: where it is after every proof, since one may take a minute."""

from typing import cast

import pytest

from benchmarks.cli import prepare
from benchmarks.cli.verify import verify
from benchmarks.runner import blocks
from benchmarks.runner.progress import Place
from tests.support.command import NOT_GIVEN
from tests.support.instant_worker import InstantWorker


def test_each_proof_is_counted_over_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "WorkerProcess", InstantWorker)
    said: list[str] = []
    choice = {"frameworks": "numpy", "threads": "1", "profile": "smoke", "sets": ("batch=2", "width=4")}
    proofs, lost = verify(prepare.prepare(**NOT_GIVEN | choice), said.append)
    assert (len(proofs), lost) == (2, [])
    first, second = "proving numpy on cpu in float32 (1 of 2)", "proving numpy on cpu in float64 (2 of 2)"
    told = [(text, text.done, text.is_block) for text in cast(list[Place], said)]
    assert told == [
        (first, 0, True),
        (f"{first}, 1 of 2 proofs made", 0.5, False),
        (second, 0.5, True),
        (f"{second}, 2 of 2 proofs made", 1.0, False),
    ]
