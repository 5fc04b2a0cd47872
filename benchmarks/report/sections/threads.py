"""Scaling over threads: the same cell with other numbers of threads. Part of a section."""

import math
from collections import defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import startup
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, compare
from benchmarks.analysis.results import Results
from benchmarks.records.record import Axes
from benchmarks.report import plots
from benchmarks.report.document import Block, Figure, Heading, Text, table, with_words
from benchmarks.statistics import Estimate
from benchmarks.wording import NO_VALUE

_HOW = (
    "Speed-up is the time with the fewest threads over the time with more, of the same implementation at the same size, paired by "
    "block. Threads on the cores of one processor share its caches, its memory and its power."
)


def blocks(results: Results, groups: Sequence[ComparisonGroup]) -> list[Block]:
    """A chart and a table of the training step at its middle size, where several numbers of threads were timed."""
    steps = [group for group in groups if group.phase == "train_step"]
    if len({group.who.threads for group in steps}) < 2:
        return []
    axes = startup.middle(steps).axes
    entries_of: dict[str, dict[int, CellResult]] = defaultdict(dict)
    for entry in (place.entry for group in steps if group.axes == axes for place in group.places):
        if entry.standing == "ranked" and entry.time:
            who = entry.cell.who
            entries_of[f"{wording.label(results, who)}, {who.precision}"][who.threads] = entry
    series = {label: points for label, points in entries_of.items() if len(points) > 1}
    return [Heading("Scaling over threads"), *_chart_and_table(axes, series), Text(_HOW, "note")] if series else []


def _chart_and_table(axes: Axes, series: dict[str, dict[int, CellResult]]) -> list[Block]:
    counts = sorted({threads for points in series.values() for threads in points})
    rows, lines, frameworks = [], [], []
    for label, points in series.items():
        framework = next(iter(points.values())).cell.who.framework
        ratios = {threads: _speed_up(points, threads) for threads in sorted(points)}
        lines.append(_line(label, framework, ratios))
        rows.append([label, *(_cell(ratios.get(threads)) for threads in counts)])
        frameworks.append(framework)
    size = wording.size(axes)
    most = {label: _speed_up(points, max(points)) for label, points in series.items()}
    speed_ups = wording.listed(f"{label} {_cell(gain)}" for label, gain in most.items())
    how_to_read = "How to read this: both axes are logarithmic; twice the threads at best give twice the speed, and a flat line gains nothing. "
    how_to_read += "Vertical bars are 95% intervals, cut where they leave the chart."
    caption = f"Speed-up of a training step over threads, {size}"
    spec = plots.lines(lines, "threads", "speed-up", log=True, unit="")
    columns = ("implementation", *(f"#{wording.count(threads, 'thread')}" for threads in counts))
    return [
        Figure("threads", spec, caption, f"With the most threads ({wording.SURE}): {speed_ups}.", how_to_read),
        *table(with_words(caption, wording.SURE), rows, *columns, frameworks=frameworks),
    ]


def _line(label: str, framework: str, speed_ups: dict[int, Estimate]) -> plots.Line:
    points = [(threads, speed_up.value, *speed_up.interval) for threads, speed_up in speed_ups.items()]
    words = [f"{wording.count(threads, 'thread')}: {_cell(speed_up)}" for threads, speed_up in speed_ups.items()]
    return plots.Line(wording.short(label), framework, points, words=words)


def _speed_up(points: dict[int, CellResult], threads: int) -> Estimate:
    """The time with the fewest threads over the time with these; for the fewest themselves 1, without blocks."""
    base, entry = points[min(points)], points[threads]
    comparison = compare(base, entry) if entry is not base else None
    return comparison.ratio if comparison else Estimate(base.seconds / entry.seconds, 0.0, math.inf, 0)


def _cell(speed_up: Estimate | None) -> str:
    if speed_up is None:
        return NO_VALUE
    return wording.ratio_with_interval(speed_up) if speed_up.blocks else wording.ratio(speed_up.value)
