"""Time per step of the network, from the watched training steps. Part of a section."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import step_times
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.analysis.step_times import StepTimes
from benchmarks.records.record import Cell
from benchmarks.report import plots
from benchmarks.report.document import Block, Figure, Text, table, with_words
from benchmarks.statistics import Estimate
from benchmarks.wording import NO_VALUE

BETWEEN = "between the steps"
_HOW = (
    "Watched from outside after all timing, with a clock around each step. Watching takes time: read the "
    "shares, not the sum."
)


def blocks(results: Results, groups: Sequence[ComparisonGroup]) -> list[Block]:
    """A chart and its table, and who could not be watched."""
    shown = _shown(results)
    if not shown:
        return []
    return [
        *_figure(results, shown),
        *_table(results, shown),
        Text(_HOW, "note"),
        *_not_watched(results, groups, shown[0]),
    ]


def summary(results: Results) -> str:
    """The largest part of each; nothing where none was watched."""
    shown = _shown(results)
    return _conclusion(results, shown) if shown else ""


def _shown(results: Results) -> Sequence[StepTimes]:
    """Those at your size, or at the middle one."""
    by_size = step_times.by_size(step_times.times(results))
    at_own = [same_size for same_size in by_size if same_size[0].axes == results.network.size]
    return step_times.middle(at_own or by_size)


def _names(results: Results) -> dict[str, str]:
    return {step.name: step.title or step.name for step in results.network.steps}


def _table(results: Results, same_size: Sequence[StepTimes]) -> list[Block]:
    rows = [
        [title, *(_share(times, times.steps.get(step)) for times in same_size)]
        for step, title in _names(results).items()
    ]
    rows.append([BETWEEN, *(_share(times, times.between) for times in same_size)])
    rows.append(
        [
            "the watched step over the step as it is",
            *(wording.ratio_with_interval(times.slowed.ratio) for times in same_size),
        ]
    )
    columns = ("step", *(f"#{wording.label(results, times.who)}" for times in same_size))
    who, axes = same_size[0].who, same_size[0].axes
    caption = f"Time per step of the network and its share, {wording.size(axes)} ({wording.setting(who)}, {who.device})"
    return table(with_words(caption, wording.SURE), rows, *columns)


def _share(times: StepTimes, spent: Estimate | None) -> str:
    if spent is None:
        return NO_VALUE
    share = wording.percent(spent.value / times.watched.value)
    return wording.Quantity(f"{wording.with_interval(spent)}, {share}", spent.value)


def _figure(results: Results, same_size: Sequence[StepTimes]) -> list[Block]:
    panels = []
    for step, title in _names(results).items():
        dots = [_dot(results, times, times.steps[step]) for times in same_size if step in times.steps]
        if dots:
            panels.append((wording.short(title, 60), dots))
    if not panels:
        return []
    size = wording.size(same_size[0].axes)
    how_to_read = f"How to read this: the time of each step of the network; the bar is the 95% interval. Beside it: the time ({wording.SURE}) and its share."
    title = f"Time per step of the network, {size}"
    return [Figure("time-per-step", plots.times(panels), title, _conclusion(results, same_size), how_to_read)]


def _dot(results: Results, times: StepTimes, spent: Estimate) -> plots.Dot:
    label = wording.short(wording.label(results, times.who))
    return plots.Dot(label, times.who.framework, spent.value, *spent.interval, _share(times, spent))


def _conclusion(results: Results, same_size: Sequence[StepTimes]) -> str:
    """The largest part of each; a description of each by itself, no comparison."""
    largest = wording.listed(
        f"{_largest(results, times)} in {wording.label(results, times.who)}" for times in same_size
    )
    if max(times.watched.blocks for times in same_size) < 2:
        return f"In the one block, the largest part of a training step was {largest}."
    return f"The largest part of a training step is {largest}."


def _largest(results: Results, times: StepTimes) -> str:
    """The largest part, and all whose intervals overlap its own: which of these is the largest is then not settled.

    Not what is less than half as large: there a single disturbed block makes an interval reach that far.
    """
    names = _names(results)
    parts = {names.get(step, step).lower(): spent for step, spent in times.steps.items()} | {BETWEEN: times.between}
    ordered = sorted(parts, key=lambda name: parts[name].value, reverse=True)
    first = parts[ordered[0]]
    near = [
        name
        for name in ordered
        if parts[name].blocks > 1 and parts[name].high >= first.low and 2 * parts[name].value >= first.value
    ]
    return wording.some(near or ordered[:1])


def _not_watched(results: Results, groups: Sequence[ComparisonGroup], shown: StepTimes) -> list[Block]:
    """Implementations that were timed at the same size in the same setting, and not watched."""
    cells = Cell(who=shown.who, phase="train_step", axes=shown.axes).comparison_group
    seen = {wording.label(results, record.who) for record in results.profiles}
    entries = [place.entry for group in groups if group.cells == cells for place in group.places]
    others = [wording.label(results, e.cell.who) for e in entries if e.time and e.standing == "ranked"]
    missing = [label for label in dict.fromkeys(others) if label not in seen]
    if not missing:
        return []
    note = f"Not watched: {wording.listed(missing)}. One compiled program, or a loop of the framework's own, has no steps to time."
    return [Text(note, "note")]
