"""Time per step of the network, from the watched training steps. Part of a section."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import startup, step_times
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.analysis.step_times import StepTimes
from benchmarks.report import plots
from benchmarks.report.document import Block, Figure, Heading, Text, table
from benchmarks.statistics import Estimate
from benchmarks.wording import NO_VALUE

BETWEEN = "between the steps"
_HOW = (
    "After a process had timed everything that is ranked, its training step was watched from outside: a clock (on a GPU, a wait "
    "for the device) at the beginning and the end of each step of the network. Watching takes time itself: the last rows say how "
    "much, and the steps' times are to be read as shares of the watched step, not as parts of the ranked time. Medians of the "
    "passes, then over the blocks; in brackets the 95% interval and the number of blocks."
)


def blocks(results: Results, groups: Sequence[ComparisonGroup]) -> list[Block]:
    """A chart at the middle size, a table for every size, and who could not be watched."""
    by_size = step_times.by_size(step_times.times(results))
    if not by_size:
        return []
    middle = step_times.middle(by_size)
    ordered = [middle, *(same_size for same_size in by_size if same_size is not middle)]
    shown_blocks: list[Block] = [Heading("Time per step of the network")]
    for number, same_size in enumerate(ordered):
        shown_blocks += [
            *(_figure(results, same_size) if number == 0 else []),
            *_table(results, same_size, folded=number > 0),
        ]
    return [*shown_blocks, Text(_HOW, "note"), *_not_watched(results, groups)]


def _names(results: Results) -> dict[str, str]:
    return {step.name: step.title or step.name for step in results.run.steps}


def _table(results: Results, same_size: Sequence[StepTimes], folded: bool) -> list[Block]:
    rows = [
        [title, *(_share(times, times.steps.get(step)) for times in same_size)]
        for step, title in _names(results).items()
    ]
    rows.append([BETWEEN, *(_share(times, times.between) for times in same_size)])
    rows.append(["the watched training step", *(wording.with_interval(times.watched) for times in same_size)])
    rows.append(["the training step as it is", *(wording.with_interval(times.whole) for times in same_size)])
    rows.append(["watched / as it is", *(wording.ratio_with_interval(times.slowed.ratio) for times in same_size)])
    columns = ("step", *(f"#{wording.label(results, times.who)}" for times in same_size))
    who, axes = same_size[0].who, same_size[0].axes
    caption = f"Time per step of the network, {wording.size(axes)} ({wording.setting(who)}, {who.device})"
    return table(caption, rows, *columns, folded=folded)


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
    how_to_read = "How to read this: each marker is the time of one step of the network within a watched training step; the bar is the 95% interval, "
    how_to_read += (
        "cut where it leaves the chart. Beside it: the time (95% interval; blocks) and its share of the watched step."
    )
    title = f"Time per step of the network, {size}"
    return [Figure("time-per-step", plots.times(panels), title, _conclusion(results, same_size), how_to_read)]


def _dot(results: Results, times: StepTimes, spent: Estimate) -> plots.Dot:
    label = wording.short(wording.label(results, times.who))
    return plots.Dot(label, times.who.framework, spent.value, *spent.interval, _share(times, spent))


def _conclusion(results: Results, same_size: Sequence[StepTimes]) -> str:
    """The largest part of each; a description of each by itself, no comparison."""
    largest = [f"{wording.label(results, times.who)}: {_largest(results, times)}" for times in same_size]
    return f"The largest part of the watched step (its share; the time's 95% interval; blocks). {'. '.join(largest)}."


def _largest(results: Results, times: StepTimes) -> str:
    """The largest part, and all whose intervals overlap its own: which of these is the largest is then not settled."""
    names = _names(results)
    parts = {names.get(step, step).lower(): spent for step, spent in times.steps.items()} | {BETWEEN: times.between}
    ordered = sorted(parts, key=lambda name: parts[name].value, reverse=True)
    first = parts[ordered[0]]
    near = [name for name in ordered if first.blocks > 1 and parts[name].high >= first.low] or ordered[:1]
    parts_text = [
        f"{name} ({wording.percent(parts[name].value / times.watched.value)}; {wording.duration_interval(parts[name])}; {parts[name].blocks})"
        for name in near
    ]
    return wording.some(parts_text) + (", not settled which" if len(near) > 1 else "")


def _not_watched(results: Results, groups: Sequence[ComparisonGroup]) -> list[Block]:
    """Implementations that were timed and not watched."""
    seen = {wording.label(results, record.who) for record in results.profiles}
    timed = [group for group in groups if group.phase == "train_step"]
    entries = [place.entry for group in (startup.middle(timed),) for place in group.places] if timed else []
    others = [wording.label(results, e.cell.who) for e in entries if e.time and e.standing == "ranked"]
    missing = [label for label in dict.fromkeys(others) if label not in seen]
    if not missing:
        return []
    note = (
        f"Not watched: {wording.listed(missing)}. Where a training step is compiled into one program, or runs within a loop of the "
        "framework's own, its steps have no times of their own."
    )
    return [Text(note, "note")]
