from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.selfcheck import summary
from benchmarks.selfcheck.trials import OURS, Trial
from tests.support import synthetic_trials

NARROWEST = -1


def holding(trials: Sequence[Trial]) -> list[bool]:
    return [claim.holds for claim in summary.claims(trials)]


def test_every_claim_holds_where_the_harness_is_right_and_the_others_are_not() -> None:
    assert all(holding(synthetic_trials.sittings(8)))


@pytest.mark.parametrize(
    ("broken", "off", "peers_off"),
    [
        ((0, 1, 2, 3), 0.06, 0.2),  # equals called different, none of them tied; 5% from the truth
        ((2, 4, 5, 6), -0.0488, 0.01),  # 5% comes out as nothing, 3% as its opposite, and the others are nearer
    ],
)
def test_a_claim_that_does_not_hold_says_so(broken: tuple[int, ...], off: float, peers_off: float) -> None:
    holds = holding(synthetic_trials.sittings(8, off, peers_off))
    assert not any(holds[i] for i in broken)


def torch_says(width: float, off: float = 0.0) -> Sequence[Trial]:
    """Intervals of one tool, about the truth or beside it."""
    return [
        replace(t, low=t.ratio / 1.1 * (1 + off - width), high=t.ratio / 1.1 * (1 + off + width))
        if t.method == "torch_timer"
        else t
        for t in synthetic_trials.sittings(3)
    ]


def test_only_intervals_that_hold_the_truth_count_as_narrow() -> None:
    assert holding(torch_says(width=0.1))[NARROWEST]
    assert not holding(torch_says(width=0.001))[NARROWEST]
    assert holding(torch_says(width=0.001, off=0.05))[NARROWEST]


def test_ours_are_not_narrow_where_they_miss_the_truth_in_trials_of_their_own() -> None:
    trials = synthetic_trials.sittings(8)
    common = {id(t) for t in summary.shared(trials)}
    alone = [replace(t, high=t.low) if t.method == OURS and id(t) not in common else t for t in trials]
    assert summary.shared(alone) == summary.shared(trials)
    assert not holding(alone)[NARROWEST]


def test_a_difference_in_the_wrong_direction_is_not_found() -> None:
    (_, step) = summary.power(synthetic_trials.sittings(1, off=-0.1))
    assert [found for found, _ in step.detected.values()] == [3, 0, 0]


def test_only_comparisons_that_all_methods_made_are_held_against_one_another() -> None:
    common = summary.shared(synthetic_trials.sittings(6))
    assert {t.extra for t in common if t.sitting == 1} == {6}
    assert len(common) == 6 * 3 * len(summary.METHODS)


def test_power_uses_every_block_once_and_grows_with_time() -> None:
    steps = summary.power(synthetic_trials.sittings(4))
    assert [step.blocks for step in steps] == [3, 6, 12, 24]
    assert [step.seconds for step in steps] == [1.5, 3.0, 6.0, 12.0]
    assert [step.detected[6][1] for step in steps] == [24, 12, 6, 3]
    assert steps[1].half_width > steps[2].half_width > steps[3].half_width


def test_chance_explains_so_many_false_detections() -> None:
    assert summary.most_by_chance(1000) == 64
    assert summary.most_by_chance(40) == 5
    assert summary.most_by_chance(15) == 3
