"""Sweeps: time per sample against each axis that was swept, one line per implementation."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, by_phase, compare
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import Axes, numbers, size_order
from benchmarks.report import plots
from benchmarks.report.document import Block, Figure, Section, table, with_words
from benchmarks.report.sections import threads
from benchmarks.statistics import Estimate
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE

Series = dict[str, dict[int, CellResult]]
Size = tuple[tuple[str, int | str], ...]
Way = Literal["falls", "rises", "seems to fall", "seems to rise", "may fall or rise"]
_HEDGES: dict[Way, str] = {
    "seems to fall": f" (fewer than {MIN_BLOCKS_FOR_VERDICT} blocks)",
    "seems to rise": f" (fewer than {MIN_BLOCKS_FOR_VERDICT} blocks)",
    "may fall or rise": ": not settled",
}


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """A chart per swept axis of what is timed first, at the middle one of the remaining sizes; then threads. The matrix has the rest."""
    charts = next(filter(None, (list(_charts(results, same_phase)) for same_phase in by_phase(groups))), [])
    blocks = [block for chart in charts for block in chart]
    return Section("sweep", "How does the size matter?", [*blocks, *threads.blocks(results, groups)])


def _charts(results: Results, same_phase: Sequence[ComparisonGroup]) -> Iterator[list[Block]]:
    for axis in _swept(same_phase):
        sweeps = sorted(_lines(results, same_phase, axis).items(), key=lambda sweep: size_order(dict(sweep[0])))
        if sweeps:
            other_axes, series = sweeps[len(sweeps) // 2]
            yield _sweep(same_phase[0], axis, dict(other_axes), series)


def _swept(same_phase: Sequence[ComparisonGroup]) -> list[str]:
    values: dict[str, set[int]] = defaultdict(set)
    for group in same_phase:
        for name, value in numbers(group.axes).items():
            values[name].add(value)
    return sorted(name for name, seen in values.items() if len(seen) > 1)


def _lines(results: Results, same_phase: Sequence[ComparisonGroup], axis: str) -> dict[Size, Series]:
    """By the other axes: per implementation its entries by the value of this one; two values make a line."""
    series_of: dict[Size, Series] = defaultdict(lambda: defaultdict(dict))
    for group in (group for group in same_phase if axis in numbers(group.axes)):
        other_axes = tuple(sorted((name, value) for name, value in group.axes.items() if name != axis))
        for entry in (place.entry for place in group.places):
            if entry.time and entry.is_proved and entry.samples_per_call > 0:
                series_of[other_axes][wording.label(results, entry.cell.who)][numbers(group.axes)[axis]] = entry
    return {size: series for size, series in series_of.items() if any(len(points) > 1 for points in series.values())}


def _sweep(group: ComparisonGroup, axis: str, other_axes: Axes, series: Series) -> list[Block]:
    at = f" at {wording.size(other_axes)}" if other_axes else ""
    caption = f"Time per sample, {wording.phase(group.phase)}{at} ({wording.setting(group.who)})"
    values = sorted({value for points in series.values() for value in points})
    rows = [[label, *(_cell(points.get(value)) for value in values)] for label, points in series.items()]
    columns = ["implementation", *(f"#{axis} {value}" for value in values)]
    frameworks = [next(iter(points.values())).cell.who.framework for points in series.values()]
    title = with_words(caption, wording.SURE)
    lines = [_line(label, axis, points) for label, points in series.items()]
    sizes = (f"{wording.slug(key)}{value}" for key, value in other_axes.items())
    who = group.who
    swept = wording.slug(f"sweep-{axis}-{group.phase}-{who.precision}-{who.mode}-t{who.threads}")
    how_to_read = (
        f"How to read this: lower is faster. Both axes are logarithmic; a line that falls says that a larger {axis} costs less "
        "per sample. Bars are 95% intervals, cut where they leave the chart. Thick lines ran on a GPU."
    )
    spec = plots.lines(lines, axis, "seconds per sample", log=True)
    figure = Figure("-".join([swept, *sizes]), spec, caption, _conclusion(series, axis), how_to_read)
    return [figure, *table(title, rows, *columns, frameworks=frameworks, folded=True)]


def _line(label: str, axis: str, points: dict[int, CellResult]) -> plots.Line:
    drawn, words = [], []
    for value, entry in sorted(points.items()):
        if time := _per_sample(entry):
            drawn.append((value, time.value, *time.interval))
            words.append(f"{axis} {value}: {wording.with_interval(time)}")
    who = next(iter(points.values())).cell.who
    return plots.Line(wording.short(label), who.framework, drawn, wide=who.device.startswith("cuda"), words=words)


def _cell(entry: CellResult | None) -> str:
    return wording.with_interval(_per_sample(entry)) if entry else NO_VALUE


def _per_sample(entry: CellResult) -> Estimate | None:
    return _scaled(entry.time, 1 / entry.samples_per_call) if entry.time else None


def _scaled(estimate: Estimate, factor: float) -> Estimate:
    return Estimate(estimate.value * factor, estimate.low * factor, estimate.high * factor, estimate.blocks)


def _conclusion(series: Series, axis: str) -> str:
    """How the time per sample goes from the smallest value to the largest; each line by itself, no comparison of lines."""
    labels: dict[tuple[int, int, Way], list[str]] = defaultdict(list)
    for label, points in series.items():
        if len(points) > 1:
            first, last = min(points), max(points)
            labels[first, last, _way(_fall(points[first], points[last]))].append(label)
    return " ".join(
        f"From {axis} {first} to {axis} {last} the time per sample of {wording.listed(names)} {way}{_HEDGES.get(way, '')}."
        for (first, last, way), names in labels.items()
    )


def _fall(first: CellResult, last: CellResult) -> Estimate:
    """The first one's time per sample over the last one's, paired by block; no interval where they share none."""
    comparison = compare(first, last)
    per_call = comparison.ratio if comparison else Estimate(first.seconds / last.seconds, 0.0, math.inf, 0)
    return _scaled(per_call, last.samples_per_call / first.samples_per_call)


def _way(fall: Estimate) -> Way:
    """By the interval; of too few blocks, the value is no more than a hint."""
    if fall.blocks < MIN_BLOCKS_FOR_VERDICT:
        return "seems to fall" if fall.value > 1 else "seems to rise"
    return "falls" if fall.low > 1 else "rises" if fall.high < 1 else "may fall or rise"
