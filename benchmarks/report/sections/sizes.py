"""Sweeps: time per sample against each axis that was swept, one line per implementation."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, by_phase, compare
from benchmarks.analysis.results import Results
from benchmarks.report import facets, plots
from benchmarks.report.document import Block, Figure, Part, Section, Text, table
from benchmarks.report.sections import threads
from benchmarks.statistics import Estimate
from benchmarks.wording import NO_VALUE

Series = dict[str, dict[int, CellResult]]
Size = tuple[tuple[str, int], ...]
Way = Literal["falls", "rises", "not settled"]


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """One chart per phase, setting and swept axis, at the middle one of the remaining sizes; a table for each of them."""
    blocks: list[Block] = []
    for same_phase in by_phase(groups):
        for axis in _swept(same_phase):
            sweeps = sorted(_lines(results, same_phase, axis).items())
            middle = len(sweeps) // 2
            for number, (other_axes, series) in enumerate(sweeps[middle:] + sweeps[:middle]):
                blocks_of_sweep = _sweep(same_phase[0], axis, dict(other_axes), series, drawn=number == 0)
                blocks.append(Part(facets.of_group(same_phase[0]), blocks_of_sweep))
    swept = blocks or [Text("Only one size was measured, so there is no sweep.")]
    return Section("sweep", "How does the size matter?", [*swept, *threads.blocks(results, groups)])


def _swept(same_phase: Sequence[ComparisonGroup]) -> list[str]:
    values: dict[str, set[int]] = defaultdict(set)
    for group in same_phase:
        for name, value in group.axes.items():
            values[name].add(value)
    return sorted(name for name, seen in values.items() if len(seen) > 1)


def _lines(results: Results, same_phase: Sequence[ComparisonGroup], axis: str) -> dict[Size, Series]:
    """By the other axes: per implementation its entries by the value of this one; two values make a line."""
    series_of: dict[Size, Series] = defaultdict(lambda: defaultdict(dict))
    for group in (group for group in same_phase if axis in group.axes):
        other_axes = tuple(sorted((name, value) for name, value in group.axes.items() if name != axis))
        for entry in (place.entry for place in group.places):
            if entry.time and entry.is_proved and entry.samples_per_call > 0:
                series_of[other_axes][wording.label(results, entry.cell.who)][group.axes[axis]] = entry
    return {size: series for size, series in series_of.items() if any(len(points) > 1 for points in series.values())}


def _sweep(group: ComparisonGroup, axis: str, other_axes: dict[str, int], series: Series, drawn: bool) -> list[Block]:
    at = f" at {wording.size(other_axes)}" if other_axes else ""
    caption = f"Time per sample, {wording.phase(group.phase)}{at} ({wording.setting(group.who)})"
    values = sorted({value for points in series.values() for value in points})
    rows = [[label, *(_cell(points.get(value)) for value in values)] for label, points in series.items()]
    columns = ["implementation", *(f"#{axis} {value}" for value in values)]
    entries = [next(iter(points.values())) for points in series.values()]
    frameworks = [entry.cell.who.framework for entry in entries]
    chosen_by = [facets.of_entry(entry) for entry in entries]
    title = f"{caption} (95% interval; blocks)"
    numbers = table(title, rows, *columns, frameworks=frameworks, facets=chosen_by, folded=not drawn)
    if not drawn:
        return numbers
    lines = [_line(label, axis, points) for label, points in series.items()]
    sizes = (f"{wording.slug(key)}{value}" for key, value in other_axes.items())
    name = "-".join([wording.figure_name(f"sweep-{axis}", group.phase, group.who), *sizes])
    how_to_read = (
        f"How to read this: lower is faster. Both axes are logarithmic; a line that falls says that a larger {axis} costs less "
        "time per sample. Vertical bars are 95% intervals, cut where they leave the chart; one shorter than its marker is not seen. Thick lines ran on a GPU."
    )
    spec = plots.lines(lines, axis, "seconds per sample", log=True)
    return [Figure(name, spec, caption, _conclusion(series, axis), how_to_read), *numbers]


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
    factors: dict[tuple[int, int, Way], list[str]] = defaultdict(list)
    for label, points in series.items():
        if len(points) > 1:
            ends = min(points), max(points)
            fall = _fall(*(points[end] for end in ends))
            factor = fall.dividing(1) if _way(fall) == "rises" else fall
            about = wording.ratio_with_interval(factor) if fall.blocks > 1 else f"about {wording.ratio(factor.value)}"
            factors[*ends, _way(fall)].append(f"{label} {about}")
    return " ".join(_sentence(axis, *ends_and_way, factor_texts) for ends_and_way, factor_texts in factors.items())


def _sentence(axis: str, first: int, last: int, way: Way, factors: Sequence[str]) -> str:
    where, factors_text = f"rom {axis} {first} to {axis} {last}", wording.listed(factors)
    if way == "not settled":
        return f"Whether the time per sample falls or rises f{where} is not settled (first over last; 95% interval; blocks): {factors_text}."
    by = "these factors" if len(factors) > 1 else "this factor"
    return f"F{where} the time per sample {way} by {by} (95% interval; blocks): {factors_text}."


def _fall(first: CellResult, last: CellResult) -> Estimate:
    """The first one's time per sample over the last one's, paired by block; no interval where they share none."""
    comparison = compare(first, last)
    per_call = comparison.ratio if comparison else Estimate(first.seconds / last.seconds, 0.0, math.inf, 0)
    return _scaled(per_call, last.samples_per_call / first.samples_per_call)


def _way(fall: Estimate) -> Way:
    """One block has no interval: its value decides, and is shown with "about"."""
    low, high = (fall.low, fall.high) if fall.blocks > 1 else (fall.value, fall.value)
    return "falls" if low > 1 else "rises" if high < 1 else "not settled"
