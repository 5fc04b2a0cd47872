"""What a run answers: the fastest at your size and beside it, what sets the others back, how sure that is. No text."""

import math
import statistics as stdlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks import statistics
from benchmarks.analysis import roofline, step_times
from benchmarks.analysis.ranking import ComparisonGroup, Placement, by_phase, phase_order
from benchmarks.analysis.results import Results
from benchmarks.analysis.roofline import Fit
from benchmarks.analysis.step_times import StepTimes
from benchmarks.records.configuration import Axes, numbers
from benchmarks.records.record import FLOORS, Configuration
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT

MOST_BLOCKS = 200
"""Beyond so many, more blocks are no advice."""


@dataclass(frozen=True)
class Answer:
    """What is timed in one setting: the group at your size, and those at the smallest and the largest that were measured.

    Where your size was not measured, the middle one stands in its place, and `is_yours` is false.
    """

    yours: ComparisonGroup
    smaller: ComparisonGroup | None
    larger: ComparisonGroup | None
    is_yours: bool = True


@dataclass(frozen=True)
class Reason:
    """Why an implementation is behind the fastest, as far as it was measured; seconds of one training step.

    `step` is the one that costs it most beyond what the fastest spends on it, where both were watched.
    """

    place: Placement
    against: Configuration | None = None
    """Whose step it is held against: the first watched of those that lead, of whom none is clearly faster."""

    step: str = ""
    step_s: float = 0.0
    best_step_s: float = 0.0
    overhead_s: float | None = None
    best_overhead_s: float = 0.0
    """What of a call does not grow with the work."""

    @property
    def is_known(self) -> bool:
        """Whether anything was measured that says why."""
        return bool(self.step) or self.overhead_s is not None


@dataclass(frozen=True)
class Certainty:
    """The difference that half of the comparisons find 8 times out of 10, and what it takes to find a smaller one."""

    difference: float
    aim: float | None
    """None where no aim is left."""

    blocks: int | None
    """For the aim; None where it would be too many."""

    seconds: float | None
    """That so many blocks take, as long as these took."""


def answers(results: Results, groups: Sequence[ComparisonGroup]) -> list[Answer]:
    """One per phase and setting that has a ranked time: phase by phase, within it your precision, plain and most threads first."""
    own = results.network.spec.get("precision", "float32")
    timed = [group for group in groups if group.phase not in FLOORS and not group.is_beside]
    settings = [same_phase for same_phase in by_phase(timed) if any(group.reference for group in same_phase)]

    def order(same_phase: Sequence[ComparisonGroup]) -> tuple[object, ...]:
        who = same_phase[0].who
        return *phase_order(same_phase[0].phase), who.precision != own, who.mode != "plain", -who.threads, who.precision

    return [_answer(same_phase, results.network.size) for same_phase in sorted(settings, key=order)]


def _answer(same_phase: Sequence[ComparisonGroup], own: Axes) -> Answer:
    ordered = sorted((group for group in same_phase if group.reference), key=_size)
    yours = next((group for group in same_phase if group.axes == own), None)
    at = yours or ordered[len(ordered) // 2]
    like = [group for group in ordered if _words(group.axes) == _words(at.axes)]  # another word is another network
    smaller = next((group for group in like if _size(group) < _size(at)), None)
    larger = next((group for group in reversed(like) if _size(group) > _size(at)), None)
    return Answer(at, smaller, larger, yours is not None or not own)


def _size(group: ComparisonGroup) -> int:
    return math.prod(numbers(group.axes).values())


def _words(axes: Axes) -> dict[str, str]:
    return {name: value for name, value in axes.items() if isinstance(value, str)}


def reasons(results: Results, group: ComparisonGroup) -> list[Reason]:
    """For each rival that is slower beyond doubt, in the group's order."""
    best = group.reference
    if best is None:
        return []
    watched = {times.who: times for times in step_times.times(results) if times.axes == group.axes}
    overheads = {fit.who: fit for fit in roofline.fits(results) if fit.phase == group.phase}
    leading = [best.cell.who, *(place.entry.cell.who for place in group.with_verdict("tied", "not settled"))]
    against = next((who for who in leading if who in watched and group.phase == "train_step"), None)
    reasons_of = [_in_steps(Reason(place), against, watched) for place in group.with_verdict("slower")]
    return [_in_overhead(reason, best.cell.who, overheads) for reason in reasons_of]


def _in_steps(reason: Reason, against: Configuration | None, watched: Mapping[Configuration, StepTimes]) -> Reason:
    """With the step that costs most beyond the other's, of those that do so beyond doubt."""
    who = reason.place.entry.cell.who
    if who not in watched or against is None:
        return reason
    none = statistics.Estimate(0.0, 0.0, 0.0, 0)
    pairs = {name: (step, watched[against].steps.get(name, none)) for name, step in watched[who].steps.items()}
    slower = {name: (theirs.value, ours.value) for name, (theirs, ours) in pairs.items() if theirs.low > ours.high}
    if not slower:
        return reason
    step = max(slower, key=lambda name: slower[name][0] - slower[name][1])
    step_s, best_step_s = slower[step]
    return replace(reason, against=against, step=step, step_s=step_s, best_step_s=best_step_s)


def _in_overhead(reason: Reason, best: Configuration, overheads: Mapping[Configuration, Fit]) -> Reason:
    """With what a call costs, where that is beyond doubt more than the fastest's."""
    whos = reason.place.entry.cell.who, best
    ours, theirs = (fit.overhead_s if (fit := overheads.get(who)) else None for who in whos)
    if ours and theirs and ours.low > theirs.high:
        return replace(reason, overhead_s=ours.value, best_overhead_s=theirs.value)
    return reason


def certainty(results: Results, groups: Sequence[ComparisonGroup], aims: Sequence[float]) -> Certainty | None:
    """Of these groups' comparisons; None where nothing was compared in two blocks. The aim is the largest that is not yet met."""
    comparisons = [place.comparison for group in groups for place in group.rivals if place.comparison]
    settled = [c for c in comparisons if math.isfinite(c.detectable)]
    if not settled:
        return None
    middle = sorted(settled, key=lambda c: c.detectable)[len(settled) // 2]
    aim = max((aim for aim in aims if aim < 0.9 * middle.detectable), default=None)
    blocks = statistics.blocks_for(middle, aim, MOST_BLOCKS) if aim else None
    blocks = max(blocks, MIN_BLOCKS_FOR_VERDICT) if blocks else None
    walls = [block.wall_s for block in results.blocks[1:] or results.blocks]
    seconds = blocks * stdlib.median(walls) if blocks and walls else None
    return Certainty(middle.detectable, aim, blocks, seconds)
