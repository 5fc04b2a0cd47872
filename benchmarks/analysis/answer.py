"""What a run answers: the fastest at your size and beside it, what sets the others back, how sure that is. No text."""

import math
import statistics as stdlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks import statistics
from benchmarks.analysis import roofline, step_times
from benchmarks.analysis.ranking import ComparisonGroup, Place, by_phase
from benchmarks.analysis.results import Results
from benchmarks.analysis.roofline import Fit
from benchmarks.analysis.step_times import StepTimes
from benchmarks.records.configuration import Axes, numbers, size_order
from benchmarks.records.record import FLOORS, Configuration

MOST_BLOCKS = 200
"""Beyond so many, more blocks are no advice."""


@dataclass(frozen=True)
class Answer:
    """What is timed in one setting: the group at your size, and those at the smallest and the largest that were measured."""

    yours: ComparisonGroup
    smaller: ComparisonGroup | None
    larger: ComparisonGroup | None


@dataclass(frozen=True)
class Reason:
    """Why an implementation is behind the fastest, as far as it was measured; seconds of one training step.

    `step` is the one that costs it most beyond what the fastest spends on it, where both were watched.
    """

    place: Place
    step: str = ""
    share: float = 0.0
    """Of its own watched step."""

    step_s: float = 0.0
    best_step_s: float = 0.0
    overhead_s: float | None = None
    best_overhead_s: float | None = None
    """What a call costs before any work."""


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
    """One per phase and setting that has a ranked time, training steps first."""
    timed = [group for group in groups if group.reference and group.phase not in FLOORS]
    return [_answer(same_phase, own_size(results)) for same_phase in by_phase(timed)]


def own_size(results: Results) -> Axes:
    """The specification's own; of an older run that of its epochs, which are trained at it. Nothing where neither is known."""
    epochs = (cell.axes for cell in results.run.cells if cell.phase == "epoch")
    return results.network.size or next(epochs, {})


def _answer(same_phase: Sequence[ComparisonGroup], own: Axes) -> Answer:
    ordered = sorted(same_phase, key=lambda group: (math.prod(numbers(group.axes).values()), size_order(group.axes)))
    middle = ordered[len(ordered) // 2]
    at = ordered.index(next((group for group in ordered if group.axes == own), middle))
    return Answer(ordered[at], ordered[0] if at else None, ordered[-1] if at < len(ordered) - 1 else None)


def reasons(results: Results, group: ComparisonGroup) -> list[Reason]:
    """For each rival that is slower beyond doubt, in the group's order."""
    best = group.reference
    if best is None:
        return []
    watched = {times.who: times for times in step_times.times(results) if times.axes == group.axes}
    overheads = {fit.who: fit for fit in roofline.fits(results) if fit.phase == group.phase}
    return [
        _reason(place, best.cell.who, watched if group.phase == "train_step" else {}, overheads)
        for place in group.with_verdict("slower")
    ]


def _reason(
    place: Place,
    best: Configuration,
    watched: Mapping[Configuration, StepTimes],
    overheads: Mapping[Configuration, Fit],
) -> Reason:
    """Nothing counts as a reason of which the fastest needs as much."""
    who = place.entry.cell.who
    reason, (overhead_s, best_overhead_s) = Reason(place), (_overhead_s(overheads.get(of)) for of in (who, best))
    if overhead_s is not None and overhead_s > (best_overhead_s or 0.0):
        reason = replace(reason, overhead_s=overhead_s, best_overhead_s=best_overhead_s)
    if who not in watched or best not in watched:
        return reason
    theirs, ours = ({name: e.value for name, e in watched[of].steps.items()} for of in (who, best))
    step = max(theirs, key=lambda name: theirs[name] - ours.get(name, 0.0), default="")
    if not step or theirs[step] <= ours.get(step, 0.0):
        return reason
    share = theirs[step] / watched[who].watched.value
    return replace(reason, step=step, share=share, step_s=theirs[step], best_step_s=ours.get(step, 0.0))


def _overhead_s(fit: Fit | None) -> float | None:
    return fit.overhead_s.value if fit and fit.overhead_s else None


def certainty(results: Results, groups: Sequence[ComparisonGroup], aims: Sequence[float]) -> Certainty | None:
    """Of these groups' comparisons; None where nothing was compared in two blocks. The aim is the largest that is not yet met."""
    comparisons = [place.comparison for group in groups for place in group.rivals if place.comparison]
    settled = [c for c in comparisons if math.isfinite(c.detectable)]
    if not settled:
        return None
    middle = sorted(settled, key=lambda c: c.detectable)[(len(settled) - 1) // 2]
    aim = max((aim for aim in aims if aim < middle.detectable), default=None)
    blocks = statistics.blocks_for(middle, aim, MOST_BLOCKS) if aim else None
    walls = [block.wall_s for block in results.blocks[1:] or results.blocks]
    seconds = blocks * stdlib.median(walls) if blocks and walls else None
    return Certainty(middle.detectable, aim, blocks, seconds)
