"""What an implementation costs before its steps are steady, and when one that starts later has caught up. No text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, compare
from benchmarks.analysis.results import Results
from benchmarks.plan.schedule import implementation_of
from benchmarks.records.configuration import numbers, size_order
from benchmarks.records.record import InstalledRecord, StartRecord
from benchmarks.statistics import Comparison


@dataclass(frozen=True)
class Start:
    """One implementation at one size, in seconds; None is what was not measured.

    `import_s` is of a process that imported alone.
    """

    entry: CellResult
    alone: StartRecord | None
    first_s: float | None
    second_s: float | None
    installed: InstalledRecord | None

    @property
    def import_s(self) -> float | None:
        """Seconds of the import alone."""
        return self.alone.import_s if self.alone else None

    @property
    def before_steady_s(self) -> float | None:
        """The import, and what the first two calls took longer than steady ones."""
        if self.import_s is None or self.first_s is None or self.second_s is None:
            return None
        return self.import_s + sum(max(call - self.entry.seconds, 0.0) for call in (self.first_s, self.second_s))


@dataclass(frozen=True)
class Overtaking:
    """Whether one that starts later has caught up with the one that starts first, and after which call.

    `calls` is there only where it is faster beyond doubt; `earliest` and `latest` are those of the ratio's interval.
    """

    start: Start
    comparison: Comparison | None
    calls: int | None = None
    earliest: int | None = None
    latest: int | None = None


def break_even(start_a: float, per_call_a: float, start_b: float, per_call_b: float) -> int | None:
    """The number of the call after which the one of the two that starts later (but runs faster) is ahead.

    All in seconds: after n calls one has taken `start + n * per_call`. The order of the two does not matter; None where
    the later one never is ahead. Where both start alike, the faster one is ahead after the first call.
    """
    if start_a > start_b:
        start_a, per_call_a, start_b, per_call_b = start_b, per_call_b, start_a, per_call_a
    gain = per_call_a - per_call_b
    if start_a == start_b:
        return 1 if gain else None
    if gain <= 0 or not math.isfinite(lead := (start_b - start_a) / gain):
        return None
    return math.floor(lead) + 1


def middle(groups: Sequence[ComparisonGroup]) -> ComparisonGroup:
    """Of groups that differ in their size alone, the one of middle size."""
    by_size = sorted(groups, key=lambda group: (math.prod(numbers(group.axes).values()), size_order(group.axes)))
    return by_size[len(groups) // 2]


def starts(results: Results, group: ComparisonGroup) -> list[Start]:
    """What was timed in a group, without floors and peers, in the group's order."""
    entries = [place.entry for place in group.places if place.entry.time and place.entry.standing != "beside"]
    return [_start(results, entry) for entry in entries]


def overtaking(candidates: Sequence[Start]) -> tuple[Start | None, list[Overtaking]]:
    """The one that is ready first, and how the others, in that order, stand to it; what was not proved equal is left out."""
    ready = [start for start in candidates if start.entry.is_proved and start.before_steady_s is not None]
    by_start = sorted(ready, key=lambda start: start.before_steady_s or 0.0)
    return (by_start[0], [_overtaking(by_start[0], start) for start in by_start[1:]]) if by_start else (None, [])


def _overtaking(first: Start, start: Start) -> Overtaking:
    comparison = compare(start.entry, first.entry)
    if comparison is None or comparison.verdict != "faster":
        return Overtaking(start, comparison)

    def calls(ratio: float) -> int | None:
        per_call = first.entry.seconds
        return break_even(first.before_steady_s or 0.0, per_call, start.before_steady_s or 0.0, per_call * ratio)

    ratio = comparison.ratio
    return Overtaking(start, comparison, calls(ratio.value), calls(ratio.low), calls(ratio.high))


def _start(results: Results, entry: CellResult) -> Start:
    who = implementation_of(entry.cell.who)
    alone = next((start for start in results.starts if start.who == who), None)
    installed = next((record for record in results.installed if record.framework == who.framework), None)
    return Start(entry, alone, *entry.first_calls, installed)
