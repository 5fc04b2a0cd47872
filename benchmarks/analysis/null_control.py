"""What a run says about its own measuring: the null control, what turns cost, how still the waiting were. No text."""

import math
import statistics as stdlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import statistics
from benchmarks.analysis.results import Results
from benchmarks.plan.schedule import process_of
from benchmarks.records.record import Cell, Configuration, TimingRecord
from benchmarks.statistics import Comparison


@dataclass(frozen=True)
class Null:
    """The same implementation twice in one heat, another one in each block: the truth is a ratio of 1."""

    cell: Cell
    """One of them; setting and size are those of all."""

    whos: Sequence[Configuration]
    comparison: Comparison


@dataclass(frozen=True)
class Conduct:
    """How an implementation's process took its turns: times alone over times in turn, and the share of its waiting
    time in which it used the processor."""

    who: Configuration
    shift: Comparison | None
    burn: float
    heats_by_workers: int


@dataclass(frozen=True)
class Spent:
    """What the time in turns was spent on, as shares: timed rounds, putting back states and warming caches, and the rest,
    which is passing the turn on."""

    timed: float
    restoring: float
    passing: float


def spent(results: Results) -> Spent | None:
    """Over all turns of the run, the null control's too; None where they were not recorded."""
    timings = [timing for timing in (*results.timings, *results.controls) if timing.turning_s > 0]
    if not timings:
        return None
    turning = sum(timing.turning_s for timing in timings)
    timed = sum(sum([*timing.elapsed_s, *timing.alone_s][:-1]) for timing in timings) / turning
    restoring = sum(timing.restore_s for timing in timings) / turning
    return Spent(timed, restoring, 1 - timed - restoring)


def nulls(results: Results) -> list[Null]:
    """One comparison per heat that had a null control in at least two blocks."""
    first = {entry.id: entry.timings for entry in results.entries}
    found: dict[tuple[str, ...], list[tuple[TimingRecord, float]]] = defaultdict(list)
    for copy in sorted(results.controls, key=lambda timing: timing.block):
        original = first.get(copy.cell.id, {}).get(copy.block) if copy.cell.who.variant == "spec" else None
        rounds, reference = copy.per_call, original.per_call if original else []
        if rounds and reference:
            found[copy.cell.heat].append((copy, statistics.log_ratio(rounds, reference)))
    return [
        Null(pairs[0][0].cell, [copy.cell.who for copy, _ in pairs], statistics.compare_logs([log for _, log in pairs]))
        for pairs in sorted(found.values(), key=lambda pairs: sorted(pairs[0][0].cell.axes.items()))
        if len(pairs) > 1
    ]


def conduct(results: Results) -> list[Conduct]:
    """One entry per process of a block, in the order of the plan."""
    groups: dict[Configuration, list[TimingRecord]] = defaultdict(list)
    for timing in results.timings:
        groups[process_of(timing.cell.who)].append(timing)
    return [
        Conduct(
            who=who,
            shift=_shift(timings),
            burn=sum(t.waiting_cpu_s for t in timings) / max(sum(t.waiting_s for t in timings), 1e-9),
            heats_by_workers=len({t.cell.heat for t in timings if t.schedule == "workers"}),
        )
        for who, timings in groups.items()
    ]


def _shift(timings: Sequence[TimingRecord]) -> Comparison | None:
    """Per block the mean over the cells of log(alone / in turn), so that sizes count alike."""
    logs: dict[int, list[float]] = defaultdict(list)
    for timing in timings:
        if timing.schedule == "rounds" and timing.per_call and timing.alone_s:
            alone = stdlib.median(timing.alone_s) / timing.loops
            logs[timing.block].append(math.log(alone / stdlib.median(timing.per_call)))
    return statistics.compare_logs([stdlib.fmean(block) for block in logs.values()]) if logs else None


def detectable(comparisons: Sequence[Comparison]) -> float | None:
    """The true difference that half of these comparisons would have found, 8 times out of 10."""
    found = [c.detectable for c in comparisons if math.isfinite(c.detectable)]
    return stdlib.median(found) if found else None
