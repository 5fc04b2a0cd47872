"""One sitting for real, short: what is measured is not judged here, `make selfcheck` does that."""

import random

import pytest

from benchmarks.selfcheck import peers, sitting, units

MATRIX = ("matrix", 10)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitting, "BLOCKS", 2)
    monkeypatch.setattr(sitting, "ROUNDS", 5)
    monkeypatch.setattr(units, "WORKLOADS", {"matrix": units.WORKLOADS["matrix"]})
    monkeypatch.setattr(units, "EXTRAS", (10,))


def test_the_harness_times_units_as_it_times_networks() -> None:
    (trial,) = sitting.hold(0, [])
    assert (trial.method, trial.workload, trial.extra, len(trial.logs)) == ("samenet", *MATRIX, 2)
    assert 0.5 < trial.ratio < 2
    assert trial.seconds > 0


@pytest.mark.parametrize("tool", peers.HEADLINE)
def test_every_other_tool_measures_both_sides(tool: str) -> None:
    (trial,) = sitting.peer(0, tool, [MATRIX], 0.4, random.Random(0))
    assert (trial.method, trial.workload, trial.extra, trial.seconds) == (tool, *MATRIX, 0.4)
    assert 0.2 < trial.ratio < 5
    assert trial.low < trial.high


def test_why_another_tool_failed_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"no_such_tool: it ended with exit code 1: .*No module named"):
        sitting.peer(0, "no_such_tool", [MATRIX], 0.4, random.Random(0))
