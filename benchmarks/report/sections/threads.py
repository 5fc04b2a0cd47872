"""Scaling over threads: the same cell with other numbers of threads. Part of a section."""

from collections import defaultdict
from collections.abc import Sequence

from benchmarks.report import costs, plots, wording
from benchmarks.report.document import Block, Figure, Heading, Text, table
from benchmarks.report.ranking import Heat, compare
from benchmarks.report.results import Entry, Results
from benchmarks.report.wording import NO_VALUE

_HOW = (
    "Speed-up is the time with the fewest threads over the time with more, of the same implementation at the same size, paired by "
    "block. Threads on the cores of one processor share its caches, its memory and its power."
)


def blocks(results: Results, heats: Sequence[Heat]) -> list[Block]:
    """A chart and a table of the training step at its middle size, where several numbers of threads were timed."""
    steps = [heat for heat in heats if heat.phase == "train_step"]
    if len({heat.who.threads for heat in steps}) < 2:
        return []
    axes = costs.middle(steps).axes
    found: dict[str, dict[int, Entry]] = defaultdict(dict)
    for entry in (place.entry for heat in steps if heat.axes == axes for place in heat.places):
        if entry.standing == "ranked" and entry.time:
            who = entry.cell.who
            found[f"{results.label(who)}, {who.precision}"][who.threads] = entry
    series = {label: points for label, points in found.items() if len(points) > 1}
    return [Heading("Scaling over threads"), *_shown(axes, series), Text(_HOW, "note")] if series else []


def _shown(axes: dict[str, int], series: dict[str, dict[int, Entry]]) -> list[Block]:
    counts = sorted({threads for points in series.values() for threads in points})
    rows, lines, frameworks = [], [], []
    for label, points in series.items():
        framework = next(iter(points.values())).cell.who.framework
        ratios = {threads: _speed_up(points, threads) for threads in sorted(points)}
        drawn = [(threads, *ratio) for threads, ratio in ratios.items()]
        lines.append(plots.Line(wording.short(label), framework, drawn))
        rows.append([label, *(_cell(ratios.get(threads)) for threads in counts)])
        frameworks.append(framework)
    size = wording.size(axes)
    most = {label: _speed_up(points, max(points))[0] for label, points in series.items()}
    told = wording.listed(f"{label} {wording.ratio(gain)}" for label, gain in most.items())
    how = "How to read this: both axes are logarithmic; twice the threads at best give twice the speed, and a flat line gains nothing."
    caption = f"Speed-up of a training step over threads, {size}"
    spec = plots.lines(lines, "threads", "speed-up", log=True, unit="")
    columns = ("implementation", *(f"#{wording.count(threads, 'thread')}" for threads in counts))
    return [
        Figure("threads", spec, caption, f"With the most threads: {told}.", how),
        *table(caption, rows, *columns, frameworks=frameworks),
    ]


def _speed_up(points: dict[int, Entry], threads: int) -> tuple[float, float | None, float | None]:
    """Value and interval; of the fewest threads 1, by definition."""
    base, entry = points[min(points)], points[threads]
    comparison = compare(base, entry) if entry is not base else None
    if comparison is None:
        return base.seconds / entry.seconds, None, None
    ratio = comparison.ratio
    return ratio.value, *((ratio.low, ratio.high) if ratio.blocks > 1 else (None, None))


def _cell(ratio: tuple[float, float | None, float | None] | None) -> str:
    if ratio is None:
        return NO_VALUE
    value, low, high = ratio
    interval = f" ({wording.ratio(low)} to {wording.ratio(high)})" if low is not None and high is not None else ""
    return wording.Quantity(f"{wording.ratio(value)}{interval}", value)
