"""What a run says about itself: null control, the cost of turns, stillness. Made-up records whose truth is known."""

import random
import re
from collections.abc import Sequence
from statistics import median
from typing import Any

import pytest

from benchmarks.analysis import ranking, run_quality
from benchmarks.analysis.results import Results
from benchmarks.records.record import Record, TimingRecord
from tests.support import report_text, synthetic

NUMPY, TORCH = synthetic.cell("numpy"), synthetic.cell("torch")
BLOCKS = 6


def records(
    copy: float = 1.0, alone: float = 1.0, burn: float = 0.0, blocks: int = BLOCKS, **options: Any
) -> list[Record]:
    """Two frameworks in turns, and a copy that takes `copy` times as long; alone, all take `alone` times as long."""
    made_up: list[Record] = [synthetic.run([NUMPY, TORCH], blocks=blocks)]
    for block in range(blocks):
        common = [1e-2 * random.Random(f"{block} {k}").lognormvariate(0, 0.3) for k in range(12)]
        for cell, factor in ((NUMPY, 1.0), (TORCH, 2.0)):
            values: dict[str, Any] = {
                "elapsed_s": [factor * c for c in common],
                "loops": 1,
                "alone_s": [],
                "waiting_s": 1.0,
            }
            values |= {"waiting_cpu_s": burn, "alone_s": [alone * factor * sorted(common)[6]] * 3} | options
            made_up += [synthetic.timing(cell, block, 1.0, **values), synthetic.proof(cell, block)]
        if blocks > 1:
            cell, factor = ((NUMPY, 1.0), (TORCH, 2.0))[block % 2]
            jitter = [copy * factor * c * random.Random(c).lognormvariate(0, 0.001) for c in common]
            made_up.append(synthetic.timing(cell, block, 1.0, elapsed_s=jitter, loops=1, control=True, **options))
    return made_up


def gathered(**options: Any) -> Results:
    return report_text.gathered(records(**options))


def page(**options: Any) -> str:
    return report_text.page(records(**options))


def test_the_copy_is_compared_round_by_round_with_its_original_over_all_frameworks() -> None:
    (null,) = run_quality.null_controls(gathered(copy=1.1))
    assert null.comparison.ratio.value == pytest.approx(1.1, rel=0.01)  # in spite of noise of 30%
    assert null.comparison.ratio.blocks == BLOCKS
    assert {who.framework for who in null.whos} == {"numpy", "torch"}


def test_the_null_control_is_no_result() -> None:
    with_copy, without = gathered(copy=5.0), [r for r in records() if not getattr(r, "control", False)]
    times = [entry.seconds for entry in with_copy.entries]
    assert times == [entry.seconds for entry in report_text.gathered(without).entries]
    assert not with_copy.problems


def test_a_block_that_was_repeated_counts_once() -> None:
    whole, stopped = records(copy=1.1), records(copy=5.0, alone=0.5, burn=0.5)
    repeated = [whole[0], *(r for r in stopped[1:] if getattr(r, "block", 0) == 2), *whole[1:]]
    once, twice = map(report_text.gathered, (whole, repeated))
    assert run_quality.null_controls(twice) == run_quality.null_controls(once)
    assert run_quality.turn_quality(twice) == run_quality.turn_quality(once)


def summary(**options: Any) -> str:
    """What stands open of the section on certainty."""
    (section,) = [part for part in report_text.document(records(**options)).sections if part.anchor == "certainty"]
    return section.summary


def warning(**options: Any) -> str:
    return report_text.document(records(**options)).warning


def test_equal_copies_are_reported_as_no_difference() -> None:
    said = r"The same implementation twice: none of 1 null control found a difference; [01] tied within 3%, [01] not settled\."
    assert re.match(said, summary())
    assert "null control" not in warning()


def test_a_null_control_that_finds_a_difference_says_distrust_above_everything() -> None:
    for told in (summary(copy=1.1), warning(copy=1.1)):
        assert "1 of 1 null control found a difference beyond 3% where there is none: distrust this run." in told


def test_a_null_control_that_may_have_found_a_difference_is_told_beside_how_sure_the_run_is() -> None:
    told = r"The same program twice, training step, batch 256, width 128, took 1\.030 \(1\.0\d+ to 1\.03\d*\) times as long: trust no difference as small\."
    assert re.search(told, page(copy=1.03))
    assert "The same program twice" not in page() + page(copy=1.1) + page(copy=1.03, blocks=3)


def test_a_null_control_has_its_row() -> None:
    row = r"\| training step, batch 256, width 128 \| 1\.10 \| 1\.10\d* to 1\.10\d* \| 6 \| slower \| NumPy and PyTorch \|"
    assert re.search(row, page(copy=1.1))


def test_one_block_says_that_it_has_no_null_control_and_no_power() -> None:
    assert summary(blocks=1) == "There was no null control: it takes at least two blocks."
    assert "Fewer than 6 blocks: no difference can be told from noise." in page(blocks=1)


def test_what_turns_cost_is_time_alone_over_time_in_turn() -> None:
    conducts = run_quality.turn_quality(gathered(alone=0.8))
    assert len(conducts) == 2  # NumPy and PyTorch
    for conduct in conducts:
        assert conduct.shift
        assert conduct.shift.ratio.value == pytest.approx(0.8, rel=0.15)
    assert "Alone NumPy and PyTorch would be faster by more than 3%" in page(alone=0.5)
    assert not re.search("Taking turns moves|Alone .* would be", page())


def alone_by(factors: Sequence[float]) -> list[Record]:
    """Alone, each block of NumPy's takes so many times as long as in turn, and PyTorch's as long."""
    changed: list[Record] = []
    for r in records():
        if isinstance(r, TimingRecord) and not r.control:
            factor = factors[r.block] if r.cell.who.framework == "numpy" else 1.0
            r = r.model_copy(update={"alone_s": [factor * median(r.per_call) * r.loops]})
        changed.append(r)
    return changed


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ((0.90, 0.91, 0.92, 0.90, 0.91, 0.92), r"Alone NumPy would be faster by more than 3%: read the ranking"),
        (
            (0.86, 0.98, 0.88, 0.99, 0.90, 0.97),
            r"Taking turns moves NumPy; whether that is more than 3% is not settled",
        ),
    ],
)
def test_beyond_the_margin_is_said_only_where_the_whole_interval_is(factors: Sequence[float], said: str) -> None:
    text = report_text.page(alone_by(factors))
    assert len(re.findall(r"Taking turns moves|Alone .* would be", text)) == 1
    assert re.search(said, text)


def test_what_turns_cost_has_its_interval_and_its_count() -> None:
    text = page(alone=0.5)
    assert "| time alone over time in turn (95% interval, 6 blocks) |" in text
    assert re.search(r"\| NumPy \| 0\.\d\d \(0\.\d\d to 0\.\d\d\) \|", text)


def test_who_used_the_processor_while_waiting_is_named() -> None:
    assert [turns.burn for turns in run_quality.turn_quality(gathered(burn=0.02))] == pytest.approx([0.02, 0.02])
    assert "did not keep still" in page(burn=0.02)
    assert "did not keep still" not in page(burn=0.001)


def test_heats_by_whole_workers_are_counted_and_not_paired_by_rounds() -> None:
    whole = gathered(schedule="workers")
    assert [turns.groups_by_workers for turns in run_quality.turn_quality(whole)] == [1, 1]
    assert "whole workers in 1 comparison group" in report_text.text_of(whole)


def test_too_few_blocks_promise_nothing() -> None:
    assert summary(blocks=3) == "The null control has fewer than 6 blocks, too few for a verdict."
    text = page(blocks=3)
    assert "Fewer than 6 blocks: no difference can be told from noise." in text
    assert "This run sees differences" not in text


def test_the_copy_is_compared_by_medians_where_whole_workers_took_turns() -> None:
    in_order = [
        r.model_copy(update={"elapsed_s": sorted(r.elapsed_s)}) if isinstance(r, TimingRecord) and r.control else r
        for r in records(warmup_rounds=0)
    ]
    by_workers = [r.model_copy(update={"schedule": "workers"}) if isinstance(r, TimingRecord) else r for r in in_order]
    ratios = {
        name: run_quality.null_controls(report_text.gathered(made_up))[0].comparison.ratio
        for name, made_up in (("rounds", in_order), ("workers", by_workers))
    }
    assert ratios["workers"].value == pytest.approx(1.0, rel=0.01)
    assert ratios["rounds"].high / ratios["rounds"].low > 1.1


def test_two_cells_that_followed_one_another_are_compared_by_medians() -> None:
    one, other = (synthetic.timing(cell, 0, 1.0, warmup_rounds=0, loops=1) for cell in (NUMPY, TORCH))
    other = other.model_copy(update={"elapsed_s": sorted(one.elapsed_s)})
    later = other.model_copy(update={"started_at_s": [100.0 + begun for begun in other.started_at_s]})
    assert ranking.log_ratio(one, other) != 0  # round by round
    assert ranking.log_ratio(one, later) == 0


def test_two_cells_whose_visits_alternate_are_compared_by_medians() -> None:
    one, other = (synthetic.timing(cell, 0, 1.0, warmup_rounds=0, loops=1) for cell in (NUMPY, TORCH))
    other = other.model_copy(update={"elapsed_s": sorted(one.elapsed_s)})
    half = len(one.elapsed_s) // 2
    in_visits = {
        name: timing.model_copy(update={"started_at_s": [100.0 * (at // half) + begun + at for at in range(2 * half)]})
        for name, timing, begun in (("one", one, 0.0), ("other", other, 50.0))
    }
    assert ranking.log_ratio(in_visits["one"], in_visits["other"]) == 0


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ([1.0] * 6, ""),
        ([2.5] * 6, r"In rounds taken alone, not in turns, 1 of 1 differences are none, or the other way round\. PyTorch, "
         r"training step, batch 256, width 128: 0\.80 \(0\.80 to 0\.80\)\."),
    ],
    ids=["as in turns", "the other way round"],
)  # fmt: skip
def test_a_difference_that_is_none_alone_is_told_beside_how_sure_the_run_is(factors: list[float], said: str) -> None:
    text = report_text.page(alone_by(factors))
    assert bool(re.search("In rounds taken alone", text)) == bool(said)
    assert re.search(said, text)
