"""Sweeps: time per sample against each axis that was swept, one line per implementation."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import Heat, compare, phase_groups
from benchmarks.analysis.results import Results
from benchmarks.report import facets, plots
from benchmarks.report.document import Block, Figure, Part, Section, Text, table
from benchmarks.report.sections import threads
from benchmarks.statistics import Estimate
from benchmarks.wording import NO_VALUE

_SHOWN = ("ranked", "own variant")
Series = dict[str, dict[int, CellResult]]
Way = Literal["falls", "rises", "not settled"]


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """One chart per phase, setting and swept axis, at the middle one of the remaining sizes; a table for each of them."""
    blocks: list[Block] = []
    for group in phase_groups(heats):
        for axis in _swept(group):
            found = sorted(_lines(results, group, axis).items())
            middle = len(found) // 2
            for number, (rest, series) in enumerate(found[middle:] + found[:middle]):
                shown = _sweep(group[0], axis, dict(rest), series, drawn=number == 0)
                blocks.append(Part(facets.of_group(group[0]), shown))
    swept = blocks or [Text("Only one size was measured, so there is no sweep.")]
    return Section("sweep", "How does the size matter?", [*swept, *threads.blocks(results, heats)])


def _swept(group: Sequence[Heat]) -> list[str]:
    values: dict[str, set[int]] = defaultdict(set)
    for heat in group:
        for name, value in heat.axes.items():
            values[name].add(value)
    return sorted(name for name, seen in values.items() if len(seen) > 1)


def _lines(results: Results, group: Sequence[Heat], axis: str) -> dict[tuple[tuple[str, int], ...], Series]:
    """By the rest of the size: per implementation its entries by the value of the axis; two values make a line."""
    found: dict[tuple[tuple[str, int], ...], Series] = {}
    for heat in group:
        rest = tuple(sorted((name, value) for name, value in heat.axes.items() if name != axis))
        for entry in (place.entry for place in heat.places):
            if axis in heat.axes and entry.time and entry.standing in _SHOWN and entry.samples_per_call > 0:
                label = results.label(entry.cell.who)
                found.setdefault(rest, {}).setdefault(label, {})[heat.axes[axis]] = entry
    return {rest: series for rest, series in found.items() if any(len(points) > 1 for points in series.values())}


def _sweep(heat: Heat, axis: str, rest: dict[str, int], series: Series, drawn: bool) -> list[Block]:
    at = f" at {wording.size(rest)}" if rest else ""
    what = f"{wording.phase(heat.phase)}{at} ({wording.setting(heat.who)})"
    values = sorted({value for points in series.values() for value in points})
    rows = [[label, *(_cell(points.get(value)) for value in values)] for label, points in series.items()]
    columns = ["implementation", *(f"#{axis} {value}" for value in values)]
    entries = [next(iter(points.values())) for points in series.values()]
    looks = {"frameworks": [e.cell.who.framework for e in entries], "facets": [facets.of_entry(e) for e in entries]}
    caption = f"Time per sample, {what}"
    numbers = table(f"{caption} (95% interval; blocks)", rows, *columns, **looks, folded=not drawn)
    if not drawn:
        return numbers
    lines = [_line(label, axis, points, wide=_on_gpu(points)) for label, points in series.items()]
    name = wording.slug(f"sweep-{axis}-{heat.phase}-{heat.who.precision}-{heat.who.mode}-t{heat.who.threads}")
    name = "-".join([name, *(f"{wording.slug(key)}{value}" for key, value in rest.items())])
    how = (
        f"How to read this: lower is faster. Both axes are logarithmic; a line that falls says that a larger {axis} costs less "
        "time per sample. Vertical bars are 95% intervals, cut where they leave the chart; one shorter than its marker is not seen. Thick lines ran on a GPU."
    )
    spec = plots.lines(lines, axis, "seconds per sample", log=True)
    return [Figure(name, spec, caption, _conclusion(series, axis), how), *numbers]


def _line(label: str, axis: str, points: dict[int, CellResult], wide: bool) -> plots.Line:
    drawn, words = [], []
    for value, entry in sorted(points.items()):
        if time := _per_sample(entry):
            drawn.append((value, time.value, *((time.low, time.high) if time.blocks > 1 else (None, None))))
            words.append(f"{axis} {value}: {wording.with_interval(time)}")
    framework = next(iter(points.values())).cell.who.framework
    return plots.Line(wording.short(label), framework, drawn, wide=wide, words=words)


def _cell(entry: CellResult | None) -> str:
    return wording.with_interval(_per_sample(entry)) if entry else NO_VALUE


def _per_sample(entry: CellResult) -> Estimate | None:
    return _scaled(entry.time, 1 / entry.samples_per_call) if entry.time else None


def _scaled(of: Estimate, factor: float) -> Estimate:
    return Estimate(of.value * factor, of.low * factor, of.high * factor, of.blocks)


def _conclusion(series: Series, axis: str) -> str:
    """How the time per sample goes from the smallest value to the largest; each line by itself, no comparison of lines."""
    factors: dict[tuple[int, int, Way], list[str]] = defaultdict(list)
    for label, points in series.items():
        if len(points) > 1:
            ends = min(points), max(points)
            fall = _fall(*(points[end] for end in ends))
            shown = fall.dividing(1) if _way(fall) == "rises" else fall
            about = wording.ratio_with_interval(shown) if fall.blocks > 1 else f"about {wording.ratio(shown.value)}"
            factors[*ends, _way(fall)].append(f"{label} {about}")
    return " ".join(_sentence(axis, *how, told) for how, told in factors.items())


def _sentence(axis: str, first: int, last: int, way: Way, factors: Sequence[str]) -> str:
    where, told = f"rom {axis} {first} to {axis} {last}", wording.listed(factors)
    if way == "not settled":
        return f"Whether the time per sample falls or rises f{where} is not settled (first over last; 95% interval; blocks): {told}."
    by = "these factors" if len(factors) > 1 else "this factor"
    return f"F{where} the time per sample {way} by {by} (95% interval; blocks): {told}."


def _fall(first: CellResult, last: CellResult) -> Estimate:
    """The first one's time per sample over the last one's, paired by block; no interval where they share none."""
    comparison = compare(first, last)
    per_call = comparison.ratio if comparison else Estimate(first.seconds / last.seconds, 0.0, math.inf, 0)
    return _scaled(per_call, last.samples_per_call / first.samples_per_call)


def _way(fall: Estimate) -> Way:
    """One block has no interval: its word is taken, and shown with "about"."""
    low, high = (fall.low, fall.high) if fall.blocks > 1 else (fall.value, fall.value)
    return "falls" if low > 1 else "rises" if high < 1 else "not settled"


def _on_gpu(points: dict[int, CellResult]) -> bool:
    return next(iter(points.values())).cell.who.device.startswith("cuda")
