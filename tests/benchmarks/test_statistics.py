"""Estimates and verdicts, against numbers worked out by hand and against chance itself."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats
from scipy.special import stdtrit

from benchmarks.statistics import (
    Comparison,
    Estimate,
    blocks_for,
    compare_logs,
    compare_unpaired,
    estimate,
    holm,
    log_ratio,
)
from benchmarks.verdict_rule import MARGIN, MIN_BLOCKS_FOR_VERDICT
from tests.support.fresh_process import python

T_2 = 4.302652729749464
"""The 97.5% quantile of Student's t with 2 degrees of freedom: 0.95 sqrt(2 / (4 * 0.975 * 0.025))."""


def compare(blocks: Sequence[float], reference: Sequence[float], margin: float = MARGIN) -> Comparison:
    return compare_logs([math.log(ours / theirs) for ours, theirs in zip(blocks, reference, strict=True)], margin)


def test_an_estimate_is_the_median_with_an_interval_on_the_logarithms() -> None:
    e = math.e
    median = estimate([1.0, e, e**2])  # logarithms 0, 1, 2: mean 1, standard deviation 1
    half = T_2 / math.sqrt(3)
    assert median.value == e
    assert median.low == pytest.approx(math.exp(1 - half), rel=1e-12)
    assert median.high == pytest.approx(math.exp(1 + half), rel=1e-12)
    assert median.blocks == 3


def test_the_interval_of_an_estimate_holds_its_value() -> None:
    skewed = estimate([1.0] * 9 + [1.0001])
    assert skewed.low <= skewed.value <= skewed.high
    assert skewed.value == 1.0


def test_one_block_has_no_interval() -> None:
    alone = estimate([3.0])
    assert (alone.value, alone.low, alone.high, alone.blocks) == (3.0, 0.0, math.inf, 1)


def test_a_comparison_is_the_mean_log_ratio_with_a_paired_interval() -> None:
    e = math.e
    comparison = compare([2.0, 3 * e, 5 * e**2], [2.0, 3.0, 5.0])  # log ratios 0, 1, 2
    half = T_2 / math.sqrt(3)
    assert comparison.ratio.value == pytest.approx(e, rel=1e-12)
    assert comparison.ratio.low == pytest.approx(math.exp(1 - half), rel=1e-12)
    assert comparison.ratio.high == pytest.approx(math.exp(1 + half), rel=1e-12)
    assert comparison.ratio.blocks == 3
    assert not comparison.detected


def test_no_shared_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="share no block"):
        compare_logs([])


NOISE = [0.99, 1.01, 0.995, 1.005, 1.0, 1.002]


@pytest.mark.parametrize(
    ("factor", "verdict", "detected"),
    [(0.8, "faster", True), (1.25, "slower", True), (1.0, "tied", False), (1.03, "not settled", True)],
)
def test_verdicts_against_the_margin(factor: float, verdict: str, detected: bool) -> None:
    comparison = compare([factor * noise for noise in NOISE], [1.0] * 6)
    assert (comparison.verdict, comparison.detected) == (verdict, detected)


def test_a_difference_inside_the_margin_can_be_detected_and_is_still_a_tie() -> None:
    comparison = compare([1.015 + 1e-4 * i for i in range(6)], [1.0] * 6)
    assert comparison.detected
    assert comparison.verdict == "tied"


def test_noise_makes_it_unsettled() -> None:
    comparison = compare([0.5, 2.0, 0.6, 1.9, 0.7, 1.5], [1.0] * 6)
    assert (comparison.verdict, comparison.detected) == ("not settled", False)


def test_the_margin_is_the_same_in_both_directions() -> None:
    fast, slow = [0.8 * n for n in NOISE], [1.0] * 6
    assert compare(fast, slow).verdict == "faster"
    assert compare(slow, fast).verdict == "slower"
    assert compare(fast, slow).ratio.low == pytest.approx(1 / compare(slow, fast).ratio.high, rel=1e-12)
    assert compare(fast, slow, margin=0.5).verdict == "tied"


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_fewer_than_six_blocks_give_no_verdict(blocks: int) -> None:
    times = [2.0 + 1e-6 * i for i in range(blocks)]
    assert compare(times, [1.0] * blocks).verdict == "not settled"
    six = [2.0 + 1e-6 * i for i in range(6)]
    assert compare(six, [1.0] * 6).verdict == "slower"


def test_what_disturbs_both_cancels() -> None:
    drift = [1.0, 1.5, 2.5, 0.7, 4.0, 1.2]  # the machine, the same for both within a block
    tenth = [1.1 * d * noise for d, noise in zip(drift, [1, 1.001, 0.999, 1.002, 0.998, 1], strict=True)]
    assert compare(tenth, drift).verdict == "slower"
    alone = estimate(tenth)
    assert alone.low < estimate(drift).value < alone.high  # unpaired, nothing could be said
    shuffled = [tenth[k] for k in (3, 0, 4, 5, 1, 2)]
    assert compare(shuffled, drift).verdict == "not settled"


@pytest.mark.parametrize("blocks", [3, 6, 12])
def test_the_paired_interval_covers_the_truth_95_times_in_100(blocks: int) -> None:
    rng, runs, truth = np.random.default_rng(blocks), 4000, 1.07
    drift = np.exp(rng.normal(0, 0.5, (runs, blocks)))
    reference = drift * np.exp(rng.normal(0, 0.02, (runs, blocks)))
    times = truth * drift * np.exp(rng.normal(0, 0.03, (runs, blocks)))
    ratios = [compare(t, r).ratio for t, r in zip(times, reference, strict=True)]
    covered = np.mean([ratio.low <= truth <= ratio.high for ratio in ratios])
    assert 0.93 <= covered <= 0.97


def test_a_tie_is_seldom_called_a_difference() -> None:
    rng, runs = np.random.default_rng(1), 2000
    times, reference = np.exp(rng.normal(0, 0.02, (2, runs, 6)))
    verdicts = [compare(t, r).verdict for t, r in zip(times, reference, strict=True)]
    assert verdicts.count("faster") + verdicts.count("slower") <= 0.01 * runs


def test_the_quantile_is_students() -> None:
    for degrees in range(1, 40):
        students = scipy.stats.t.ppf(0.975, degrees)
        assert stdtrit(degrees, 0.975) == pytest.approx(students, rel=1e-12)
    assert stdtrit(2, 0.975) == pytest.approx(T_2, rel=1e-12)


def test_the_module_is_pure_and_light() -> None:
    code = (
        "import sys, benchmarks.statistics; sys.exit('scipy.stats' in sys.modules or 'implementations' in sys.modules)"
    )
    assert python("-c", code).returncode == 0
    assert MIN_BLOCKS_FOR_VERDICT == 6


# Beyond the verdict

NOISE_OF_ONE = np.array([-1, -1, -1, 1, 1, 1]) * math.sqrt(5 / 6)  # standard deviation 1


def test_a_blocks_word_is_the_median_over_the_rounds_that_both_took() -> None:
    fast, slow = [1.0, 10.0, 1.0, 4.0], [9.0, 2.0, 20.0, 2.0, 8.0]  # the slow one's first round was no warm-up
    assert log_ratio(slow, fast) == pytest.approx(math.log(2.0))


def test_drift_within_a_block_leaves_the_paired_ratio_alone() -> None:
    drift = [1.0, 1.5, 2.0, 3.0, 1.2]
    assert log_ratio([1.1 * d for d in drift], drift) == pytest.approx(math.log(1.1))


def test_the_p_value_is_that_of_a_paired_t_test() -> None:
    logs = [0.03, 0.01, 0.05, -0.01, 0.02, 0.04]
    assert compare_logs(logs).p_value == pytest.approx(scipy.stats.ttest_1samp(logs, 0.0).pvalue)
    assert compare_logs([0.0] * 6).p_value == 1.0
    assert compare_logs([0.1] * 6).p_value == 0.0
    assert compare_logs([0.1]).p_value == 1.0


def test_holm_stops_at_the_first_that_is_not_small_enough() -> None:
    assert holm([0.04]) == [True]
    assert holm([0.04, 0.04]) == [False, False]
    assert holm([0.9, 0.01, 0.02, 0.03]) == [False, True, False, False]  # 0.02 > 0.05/3: 0.03 has no chance either
    assert holm([]) == []


def test_the_detectable_difference_is_found_8_times_out_of_10() -> None:
    rng, deviation = np.random.default_rng(1), 0.02
    difference = math.log1p(compare_logs(list(deviation * NOISE_OF_ONE)).detectable)
    logs = difference + deviation * rng.normal(size=(4000, 6))
    detected = [compare_logs(list(row)).detected for row in logs]
    assert np.mean(detected) == pytest.approx(0.8, abs=0.05)
    assert compare_logs([0.1]).detectable == math.inf


# Blocks that are not paired


@pytest.mark.parametrize("sizes", [(6, 6), (2, 9), (12, 7)])
def test_the_interval_is_welchs_as_scipy_has_it(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(sizes)
    ours, theirs = rng.lognormal(0.3, 0.2, sizes[0]), rng.lognormal(0, 0.02, sizes[1])
    comparison = compare_unpaired(list(ours), list(theirs))
    test = scipy.stats.ttest_ind(np.log(ours), np.log(theirs), equal_var=False)
    interval = test.confidence_interval(0.95)
    assert comparison.ratio.value == pytest.approx(np.exp(np.log(ours).mean() - np.log(theirs).mean()), rel=1e-12)
    assert (comparison.ratio.low, comparison.ratio.high) == pytest.approx(tuple(np.exp(interval)), rel=1e-10)
    assert comparison.p_value == pytest.approx(test.pvalue, rel=1e-9)
    assert comparison.detected == (test.pvalue < 0.05)
    assert comparison.ratio.blocks == min(sizes)


def test_the_unpaired_interval_by_hand() -> None:
    e = math.e
    comparison = compare_unpaired([e, e**2, e**3], [1.0, 1.0, 1.0])  # mean 2, error 1/sqrt(3), freedom 2
    half = T_2 / math.sqrt(3)
    assert comparison.ratio.low == pytest.approx(math.exp(2 - half), rel=1e-12)
    assert comparison.ratio.high == pytest.approx(math.exp(2 + half), rel=1e-12)


def test_the_unpaired_interval_covers_the_truth_95_times_in_100() -> None:
    rng, runs, truth = np.random.default_rng(5), 4000, 1.07
    ours = truth * np.exp(rng.normal(0, 0.05, (runs, 6)))
    theirs = np.exp(rng.normal(0, 0.01, (runs, 9)))
    ratios = [compare_unpaired(list(a), list(b)).ratio for a, b in zip(ours, theirs, strict=True)]
    assert 0.94 <= np.mean([ratio.low <= truth <= ratio.high for ratio in ratios]) <= 0.96


def test_no_pairing_the_order_of_the_blocks_says_nothing() -> None:
    drift = [1.0, 1.5, 2.5, 0.7, 4.0, 1.2]
    slower = [1.1 * d for d in drift]
    assert compare_unpaired(slower, drift).verdict == "not settled"
    backwards = compare_unpaired(slower[::-1], drift)
    assert backwards.ratio.low == pytest.approx(compare_unpaired(slower, drift).ratio.low, rel=1e-12)


def test_equal_blocks_have_an_interval_of_no_width_and_one_block_has_none() -> None:
    same, other = compare_unpaired([1.0] * 6, [1.0] * 6), compare_unpaired([2.0] * 6, [1.0] * 6)
    assert (same.ratio.low, same.ratio.high, same.p_value, same.verdict) == (1.0, 1.0, 1.0, "tied")
    assert (other.ratio.value, other.p_value, other.verdict) == (pytest.approx(2.0), 0.0, "slower")
    one = compare_unpaired([2.0], [1.0] * 9)
    assert (one.ratio.low, one.ratio.high, one.verdict, one.detected) == (0.0, math.inf, "not settled", False)
    assert (one.p_value, one.detectable) == (1.0, math.inf)
    with pytest.raises(ValueError, match="no block"):
        compare_unpaired([], [1.0])


@pytest.mark.parametrize("sizes", [(5, 6), (6, 5), (5, 12)])
def test_a_verdict_needs_six_blocks_on_either_side(sizes: tuple[int, int]) -> None:
    times = [1.0 + 1e-4 * k for k in range(12)]
    doubled = [2 * seconds for seconds in times]
    assert compare_unpaired(doubled[: sizes[0]], times[: sizes[1]]).verdict == "not settled"
    assert compare_unpaired(doubled[:6], times[:6]).verdict == "slower"


def test_what_can_be_detected_is_found_about_8_times_in_10() -> None:
    rng, runs = np.random.default_rng(6), 1000
    true = compare_unpaired([1.02, 1 / 1.02] * 4, [1.02, 1 / 1.02] * 4).detectable
    noise = np.log(1.02) * math.sqrt(8 / 7)
    ours, theirs = (1 + true) * np.exp(rng.normal(0, noise, (runs, 8))), np.exp(rng.normal(0, noise, (runs, 8)))
    detected = [compare_unpaired(list(a), list(b)).detected for a, b in zip(ours, theirs, strict=True)]
    assert 0.75 <= np.mean(detected) <= 0.87


def test_what_a_quantity_divides_has_its_ends_exchanged() -> None:
    rate = Estimate(2.0, 1.0, 4.0, 6).dividing(8)
    assert (rate.value, rate.low, rate.high, rate.blocks) == (4.0, 2.0, 8.0, 6)
    one_block = Estimate(2.0, 0.0, math.inf, 1).dividing(8)
    assert (one_block.value, one_block.low, one_block.high, one_block.blocks) == (4.0, 0.0, math.inf, 1)


def spread(blocks: int, sigma: float = 0.05) -> list[float]:
    """Log ratios about 0 with that standard deviation."""
    z = np.arange(blocks) - (blocks - 1) / 2
    return list(z / z.std(ddof=1) * sigma)


@pytest.mark.parametrize("aim", [0.2, 0.05, 0.02])
def test_just_so_many_blocks_find_what_is_aimed_at(aim: float) -> None:
    blocks = blocks_for(compare_logs(spread(6)), aim, 200)
    assert blocks
    assert compare_logs(spread(blocks)).detectable <= aim < compare_logs(spread(blocks - 1)).detectable
    rng = np.random.default_rng(blocks)
    found = [compare_logs(list(math.log1p(aim) + rng.normal(0, 0.05, blocks))).detected for _ in range(2000)]
    assert np.mean(found) >= 0.77


def test_too_many_blocks_are_none_and_one_block_tells_no_spread() -> None:
    assert blocks_for(compare_logs(spread(6)), 0.001, 200) is None
    assert (blocks_for(compare_logs(spread(6)), 0.02, 52), blocks_for(compare_logs(spread(6)), 0.02, 53)) == (None, 53)
    with pytest.raises(ValueError, match="no spread"):
        blocks_for(compare_logs([0.1]), 0.1, 200)
