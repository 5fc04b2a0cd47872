"""Where training steps spend their time: estimates over the blocks for each step of the network. No text, no chart."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import statistics
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import Axes, numbers, size_order
from benchmarks.records.record import Configuration, StepsRecord
from benchmarks.statistics import Comparison, Estimate


@dataclass(frozen=True)
class StepTimes:
    """One implementation at one size, watched: seconds per training step."""

    who: Configuration
    axes: Axes
    steps: Mapping[str, Estimate]
    between: Estimate
    """Of the watched step, what belongs to no step of the network."""

    watched: Estimate
    slowed: Comparison
    """Watched over the training step as it is, in turn with it, block by block: how much the watching itself adds."""


def times(results: Results) -> list[StepTimes]:
    """In the order of the plan; nothing of what was not watched."""
    planned = {cell.who: number for number, cell in reversed(list(enumerate(results.run.cells)))}
    records_of: dict[object, list[StepsRecord]] = defaultdict(list)
    for record in sorted(results.profiles, key=lambda record: planned.get(record.who, len(planned))):
        records_of[record.who, size_order(record.axes)].append(record)
    return [_times(records) for records in records_of.values()]


def by_size(all_times: Sequence[StepTimes]) -> list[list[StepTimes]]:
    """Those of the same setting and size together. Settings in the order of the plan, sizes from small to large."""
    planned = {setting: number for number, setting in enumerate(dict.fromkeys(map(_setting, all_times)))}
    groups: dict[object, list[StepTimes]] = defaultdict(list)
    for times_ in sorted(all_times, key=lambda times_: (planned[_setting(times_)], _size(times_))):
        groups[_setting(times_), _size(times_)].append(times_)
    return list(groups.values())


def middle(groups: Sequence[Sequence[StepTimes]]) -> Sequence[StepTimes]:
    """Of the sizes at which most were watched, in the first such setting, the middle one; nothing of no groups."""
    most = max(map(len, groups), default=0)
    fullest = [group for group in groups if len(group) == most]
    same = [group for group in fullest if _setting(group[0]) == _setting(fullest[0][0])]
    return same[len(same) // 2] if same else []


def _setting(step_times: StepTimes) -> tuple[str, int, str]:
    return step_times.who.device, step_times.who.threads, step_times.who.precision


def _size(step_times: StepTimes) -> tuple[object, ...]:
    return math.prod(numbers(step_times.axes).values()), size_order(step_times.axes)


def _times(records: Sequence[StepsRecord]) -> StepTimes:
    names = dict.fromkeys(step for record in records for step in record.steps_s)
    steps = {step: statistics.estimate([r.steps_s[step] for r in records if step in r.steps_s]) for step in names}
    between = [max(record.watched_s - sum(record.steps_s.values()), 1e-9) for record in records]
    return StepTimes(
        who=records[0].who,
        axes=records[0].axes,
        steps=steps,
        between=statistics.estimate(between),
        watched=statistics.estimate([record.watched_s for record in records]),
        slowed=statistics.compare_logs([statistics.log_ratio([r.watched_s], [r.whole_s]) for r in records]),
    )
