import json
import math
from pathlib import Path

import pytest

from benchmarks.selfcheck import trials, units
from tests.support import synthetic_trials


def test_the_error_is_that_of_the_logarithm() -> None:
    assert synthetic_trials.ours(0, "matrix", 6, off=0.02).error == pytest.approx(0.02)
    assert synthetic_trials.peer(0, "torch_timer", "matrix", 10, off=0.1).error == pytest.approx(math.log(1.1))


def test_covering_the_truth_is_not_excluding_one() -> None:
    right, wrong = synthetic_trials.ours(0, "matrix", 10), synthetic_trials.ours(0, "matrix", 0, off=0.05)
    assert (right.covers, right.detected) == (True, True)
    assert (wrong.covers, wrong.detected) == (False, True)
    assert synthetic_trials.ours(0, "matrix", 0).verdict == "tied"


@pytest.mark.parametrize(("method", "ratio"), [("pyperf_timer", 2.0), ("torch_timer", 1.0), ("pytest_timer", 1.0)])
def test_a_tools_ratio_is_that_of_its_own_statistic(method: str, ratio: float) -> None:
    samples = {units.REFERENCE: [1.0, 1.0, 1.0], units.CANDIDATE: [1.0, 1.0, 4.0]}
    assert trials.peers(0, method, "matrix", 0, 1.0, samples).ratio == ratio


def test_trials_come_back_as_they_were_written(tmp_path: Path) -> None:
    found = synthetic_trials.sittings(2)
    trials.write(tmp_path, found)
    lines = (tmp_path / trials.FILE).read_text(encoding="utf-8").splitlines()
    assert [trials.Trial(**json.loads(line)) for line in lines] == found
