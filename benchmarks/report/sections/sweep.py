"""Sweeps: time per sample against each axis that was swept, one line per implementation."""

from collections import defaultdict
from collections.abc import Sequence

from benchmarks.report import facets, plots, wording
from benchmarks.report.document import Block, Figure, Part, Section, Text, table
from benchmarks.report.ranking import Heat, phase_groups
from benchmarks.report.results import Entry, Results
from benchmarks.report.sections import threads
from benchmarks.report.wording import NO_VALUE

_SHOWN = ("ranked", "own variant")
Series = dict[str, dict[int, Entry]]


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
    numbers = table(f"{caption} (± half the 95% interval; blocks)", rows, *columns, **looks, folded=not drawn)
    if not drawn:
        return numbers
    lines = [_line(label, points, wide=_on_gpu(points)) for label, points in series.items()]
    name = wording.slug(f"sweep-{axis}-{heat.phase}-{heat.who.precision}-{heat.who.mode}-t{heat.who.threads}")
    name = "-".join([name, *(f"{wording.slug(key)}{value}" for key, value in rest.items())])
    how = (
        f"How to read this: lower is faster. Both axes are logarithmic; a line that falls says that a larger {axis} costs less "
        "time per sample. Vertical bars are 95% intervals (often shorter than the marker). Thick lines ran on a GPU."
    )
    spec = plots.lines(lines, axis, "seconds per sample", log=True)
    return [Figure(name, spec, caption, _conclusion(series, axis), how), *numbers]


def _line(label: str, points: dict[int, Entry], wide: bool) -> plots.Line:
    drawn = []
    for value, entry in sorted(points.items()):
        if entry.time:
            times = [
                seconds / entry.samples_per_call for seconds in (entry.time.value, entry.time.low, entry.time.high)
            ]
            # An interval from two or three blocks can be wide enough to flatten the whole chart.
            usable = entry.time.blocks > 1 and times[2] < 4 * times[0] and times[1] > times[0] / 4
            drawn.append((value, times[0], *(times[1:] if usable else (None, None))))
    framework = next(iter(points.values())).cell.who.framework
    return plots.Line(wording.short(label), framework, drawn, wide=wide)


def _cell(entry: Entry | None) -> str:
    if entry is None or entry.time is None:
        return NO_VALUE
    per_sample = wording.duration(entry.time.value / entry.samples_per_call)
    interval = f" ± {wording.percent(_half_width(entry))}" if entry.time.blocks > 1 else ""
    return wording.Quantity(f"{per_sample}{interval} ({entry.time.blocks})", entry.seconds / entry.samples_per_call)


def _half_width(entry: Entry) -> float:
    """Half the interval, relative to the estimate."""
    return (entry.time.high - entry.time.low) / (2 * entry.time.value) if entry.time else 0.0


def _conclusion(series: Series, axis: str) -> str:
    """How much the largest value gains over the smallest; a description of each line, no comparison of lines."""
    told = []
    for label, points in series.items():
        if len(points) > 1:
            first, last = points[min(points)], points[max(points)]
            gain = (first.seconds / first.samples_per_call) / (last.seconds / last.samples_per_call)
            told.append(f"{label} {wording.ratio(gain)}")
    return f"Time per sample at the smallest {axis} over that at the largest: {wording.listed(told)}."


def _on_gpu(points: dict[int, Entry]) -> bool:
    return next(iter(points.values())).cell.who.device.startswith("cuda")
