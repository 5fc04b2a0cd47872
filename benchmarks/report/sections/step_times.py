"""Time per step of the network, from the watched training steps. Part of a section."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import startup, step_times
from benchmarks.analysis.ranking import Heat
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


def blocks(results: Results, heats: Sequence[Heat]) -> list[Block]:
    """A chart at the middle size, a table for every size, and who could not be watched."""
    groups = step_times.by_size(step_times.times(results))
    if not groups:
        return []
    middle = step_times.middle(groups)
    ordered = [middle, *(group for group in groups if group is not middle)]
    found: list[Block] = [Heading("Time per step of the network")]
    for number, group in enumerate(ordered):
        found += [*(_figure(results, group) if number == 0 else []), *_table(results, group, folded=number > 0)]
    return [*found, Text(_HOW, "note"), *_not_watched(results, heats)]


def _names(results: Results) -> dict[str, str]:
    return {step.get("name", ""): step.get("title") or step.get("name", "") for step in results.run.steps}


def _table(results: Results, group: Sequence[StepTimes], folded: bool) -> list[Block]:
    rows = [
        [title, *(_share(times, times.steps.get(step)) for times in group)] for step, title in _names(results).items()
    ]
    rows.append([BETWEEN, *(_share(times, times.between) for times in group)])
    rows.append(["the watched training step", *(wording.with_interval(times.watched) for times in group)])
    rows.append(["the training step as it is", *(wording.with_interval(times.whole) for times in group)])
    rows.append(["watched / as it is", *(_slowed(times) for times in group)])
    columns = ("step", *(f"#{results.label(times.who)}" for times in group))
    who, axes = group[0].who, group[0].axes
    caption = f"Time per step of the network, {wording.size(axes)} ({wording.setting(who)}, {who.device})"
    return table(caption, rows, *columns, folded=folded)


def _share(times: StepTimes, spent: Estimate | None) -> str:
    if spent is None:
        return NO_VALUE
    share = wording.percent(spent.value / times.watched.value)
    return wording.Quantity(f"{wording.with_interval(spent)}, {share}", spent.value)


def _slowed(times: StepTimes) -> str:
    return wording.ratio_with_interval(times.slowed.ratio)


def _figure(results: Results, group: Sequence[StepTimes]) -> list[Block]:
    panels = []
    for step, title in _names(results).items():
        dots = [_dot(results, times, times.steps[step]) for times in group if step in times.steps]
        if dots:
            panels.append((wording.short(title, 60), dots))
    if not panels:
        return []
    size = wording.size(group[0].axes)
    how = "How to read this: each marker is the time of one step of the network within a watched training step; the bar is the 95% interval, "
    how += (
        "cut where it leaves the chart. Beside it: the time (95% interval; blocks) and its share of the watched step."
    )
    title = f"Time per step of the network, {size}"
    return [Figure("time-per-step", plots.times(panels), title, _conclusion(results, group), how)]


def _dot(results: Results, times: StepTimes, spent: Estimate) -> plots.Dot:
    sure = spent.blocks > 1
    words = _share(times, spent)
    low, high = (spent.low, spent.high) if sure else (None, None)
    return plots.Dot(wording.short(results.label(times.who)), times.who.framework, spent.value, low, high, words)


def _conclusion(results: Results, group: Sequence[StepTimes]) -> str:
    """The largest part of each; a description of each by itself, no comparison."""
    told = [f"{results.label(times.who)}: {_largest(results, times)}" for times in group]
    return f"The largest part of the watched step (its share; the time's 95% interval; blocks). {'. '.join(told)}."


def _largest(results: Results, times: StepTimes) -> str:
    """With all whose intervals reach into its own: which of these is the largest is then not settled."""
    names = _names(results)
    parts = {names.get(step, step).lower(): spent for step, spent in times.steps.items()} | {BETWEEN: times.between}
    ordered = sorted(parts, key=lambda name: parts[name].value, reverse=True)
    first = parts[ordered[0]]
    near = [name for name in ordered if first.blocks > 1 and parts[name].high >= first.low] or ordered[:1]
    told = [
        f"{name} ({wording.percent(parts[name].value / times.watched.value)}; {wording.duration_interval(parts[name])}; {parts[name].blocks})"
        for name in near
    ]
    return wording.some(told) + (", not settled which" if len(near) > 1 else "")


def _not_watched(results: Results, heats: Sequence[Heat]) -> list[Block]:
    """Implementations that were timed and not watched."""
    seen = {results.label(record.who) for record in results.profiles}
    timed = [heat for heat in heats if heat.phase == "train_step"]
    entries = [place.entry for heat in (startup.middle(timed),) for place in heat.places] if timed else []
    others = [results.label(e.cell.who) for e in entries if e.time and e.standing == "ranked"]
    missing = [label for label in dict.fromkeys(others) if label not in seen]
    if not missing:
        return []
    told = (
        f"Not watched: {wording.listed(missing)}. Where a training step is compiled into one program, or runs within a loop of the "
        "framework's own, its steps have no times of their own."
    )
    return [Text(told, "note")]
