"""What a run says about its own measuring: the null control, what turns cost, processor time used while waiting. No text."""

import math
import statistics as stdlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import statistics
from benchmarks.analysis import ranking
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, Placement
from benchmarks.analysis.results import Results
from benchmarks.plan.schedule import implementation_of
from benchmarks.records.configuration import size_order
from benchmarks.records.record import Cell, Configuration, TimingRecord
from benchmarks.statistics import Comparison, Estimate


@dataclass(frozen=True)
class NullControl:
    """The same implementation twice in one group, another one in each block: the truth is a ratio of 1."""

    cell: Cell
    """One of them; setting and size are those of all."""

    whos: Sequence[Configuration]
    comparison: Comparison

    @property
    def failed(self) -> bool:
        """Whether it found a difference where there is none."""
        return self.comparison.verdict in ("faster", "slower")


def may_be_beyond(comparison: Comparison) -> bool:
    """Whether there is a difference of which it is not settled that it is beyond the margin."""
    low, high = comparison.ratio.low, comparison.ratio.high
    return comparison.verdict == "not settled" and not low <= 1 <= high


@dataclass(frozen=True)
class TurnQuality:
    """How an implementation's process took its turns: times alone over times in turn, and the share of its waiting
    time in which it used the processor."""

    who: Configuration
    shift: Comparison | None
    burn: float
    groups_by_workers: int


def null_controls(results: Results) -> list[NullControl]:
    """One comparison per group that had a null control in at least two blocks."""
    first = {entry.id: entry.timings for entry in results.entries}
    ratios_by_group: dict[tuple[str, ...], list[tuple[TimingRecord, float]]] = defaultdict(list)
    for copy in sorted(results.controls, key=lambda timing: timing.block):
        original = first.get(copy.cell.id, {}).get(copy.block) if copy.cell.who.variant == "spec" else None
        if original and copy.per_call:
            ratios_by_group[copy.cell.comparison_group].append((copy, ranking.log_ratio(copy, original)))
    return [
        NullControl(
            pairs[0][0].cell, [copy.cell.who for copy, _ in pairs], statistics.compare_logs([log for _, log in pairs])
        )
        for pairs in sorted(ratios_by_group.values(), key=lambda pairs: size_order(pairs[0][0].cell.axes))
        if len(pairs) > 1
    ]


def turn_quality(results: Results) -> list[TurnQuality]:
    """One entry per process of a block, in the order of the plan."""
    groups: dict[Configuration, list[TimingRecord]] = defaultdict(list)
    for timing in results.timings:
        groups[implementation_of(timing.cell.who)].append(timing)
    return [
        TurnQuality(
            who=who,
            shift=_shift(timings),
            burn=sum(t.waiting_cpu_s for t in timings) / max(sum(t.waiting_s for t in timings), 1e-9),
            groups_by_workers=len({t.cell.comparison_group for t in timings if t.schedule == "workers"}),
        )
        for who, timings in groups.items()
    ]


def alone(groups: Sequence[ComparisonGroup]) -> list[tuple[Placement, Estimate]]:
    """Each rival of whom a difference is called, and what it takes over the reference in the rounds that each took alone, in a row."""
    called = [(place, group.reference) for group in groups for place in group.with_verdict("slower", "faster")]
    logs = [(place, _alone(place.entry, reference)) for place, reference in called if reference]
    return [(place, statistics.compare_logs(of).ratio) for place, of in logs if of]


def is_reversed(place: Placement, ratio_alone: Estimate) -> bool:
    """Whether the difference is none alone, or the other way round."""
    return bool(place.comparison and math.log(place.comparison.ratio.value) * math.log(ratio_alone.value) <= 0)


def _alone(entry: CellResult, reference: CellResult) -> list[float]:
    """The log ratio of their times alone in each block that has both."""
    pairs = [(entry.timings[k], reference.timings[k]) for k in sorted(entry.timings.keys() & reference.timings.keys())]
    medians = [[stdlib.median(t.alone_s) / t.loops for t in pair] for pair in pairs if all(t.alone_s for t in pair)]
    return [math.log(ours / theirs) for ours, theirs in medians]


def _shift(timings: Sequence[TimingRecord]) -> Comparison | None:
    """Per block the mean over the cells of log(alone / in turn), so that sizes count alike."""
    logs: dict[int, list[float]] = defaultdict(list)
    for timing in timings:
        if timing.schedule == "rounds" and timing.per_call and timing.alone_s:
            alone = stdlib.median(timing.alone_s) / timing.loops
            logs[timing.block].append(math.log(alone / stdlib.median(timing.per_call)))
    return statistics.compare_logs([stdlib.fmean(block) for block in logs.values()]) if logs else None
