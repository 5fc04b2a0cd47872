"""How sure is that? The blocks behind each estimate, the spread within and between processes, the machine's load."""

import statistics
from collections.abc import Sequence

import numpy as np

from benchmarks.report import facets, plots, wording
from benchmarks.report.document import Block, Figure, Part, Section, Text, table
from benchmarks.report.entries import Entry
from benchmarks.report.ranking import Heat, phase_groups
from benchmarks.report.results import Results
from benchmarks.report.sections import clocks
from benchmarks.report.wording import NO_VALUE
from benchmarks.turns import ENOUGH_BLOCKS

_MOST_DOTS = 30
"""Rows in one chart, at most: beyond, it says no more."""


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """What an interval means here, then the blocks, spreads and load."""
    note = (
        "A block is one fresh process per framework; within it the compared cells take turns, round by round. An estimate is "
        "the median of the block medians; its 95% interval comes from the differences between blocks, because rounds of one "
        "process are not independent. Ratios are paired round by round, and a block's word is the median of its log ratios. Two "
        f"times are tied where the interval of their ratio lies within {wording.MARGIN}, different where it lies wholly outside, "
        f"and else inconclusive; fewer than {ENOUGH_BLOCKS} blocks give no verdict. Each interval speaks for itself: with many "
        "comparisons, some of them will miss. No outlier is dropped. Spread between processes: the standard deviation of the "
        "block medians over their mean. Spread within a process: the middle half of its rounds over their median."
    )
    blocks: list[Block] = [Text(note)]
    for group in phase_groups(heats):
        if found := _phase(results, group):
            blocks.append(Part(facets.of_group(group[0]), found))
    return Section("certainty", "How sure is that?", [*blocks, *clocks.blocks(results, heats), *_load(results)])


def _phase(results: Results, group: Sequence[Heat]) -> list[Block]:
    heats = [heat for heat in group if any(place.entry.time for place in heat.places)]
    entries = [(heat, place.entry) for heat in heats for place in heat.places if place.entry.time]
    if not entries:
        return []
    heat = group[0]
    what = f"{wording.phase(heat.phase)} ({wording.setting(heat.who)})"
    rows = [_row(results, entry) for _, entry in entries]
    columns = ["cell", "#time per call (95% interval; blocks)", "#rounds", "#spread between processes"]
    columns += ["#spread within a process", "block medians"]
    frameworks = [entry.cell.who.framework for _, entry in entries]
    chosen_by = [facets.of_size(heat) | facets.of_entry(entry) for heat, entry in entries]
    spreads = table(f"Spread: {what}", rows, *columns, frameworks=frameworks, facets=chosen_by, folded=True)
    return [*_figure(results, heats, what, len(entries)), *spreads]


def _figure(results: Results, heats: Sequence[Heat], what: str, dots: int) -> list[Block]:
    entries = [place.entry for heat in heats for place in heat.places if len(place.entry.medians) > 1]
    if not entries or dots > _MOST_DOTS:
        return []
    panels = [
        (wording.short(wording.size(heat.axes), 60), found)
        for heat in heats
        if (found := [_dot(results, place.entry) for place in heat.places if len(place.entry.medians) > 1])
    ]
    widest = max(entries, key=_between)
    caption = (
        f"Block medians differ most for {results.label(widest.cell.who)} at "
        f"{wording.size(widest.cell.axes)}: {wording.percent(_between(widest))} between processes."
    )
    how = (
        "How to read this: each small circle is one block's median, as a difference from the cell's estimate (0). The bar is "
        "the estimate's 95% interval, cut where it leaves the chart. The closer the circles, the surer the estimate."
    )
    who = heats[0].who
    name = wording.slug(f"blocks-{heats[0].phase}-{who.precision}-{who.mode}-t{who.threads}")
    return [Figure(name, plots.deviations(panels), f"Blocks behind each estimate, {what}", caption, how)]


def _dot(results: Results, entry: Entry) -> plots.Dot:
    value, low, high = (entry.time.value, entry.time.low, entry.time.high) if entry.time else (1.0, 1.0, 1.0)
    points = [_deviation(median, value) for median in entry.medians.values()]
    bounds = (_deviation(low, value), _deviation(high, value))
    label = wording.short(results.label(entry.cell.who))
    words = f"{wording.duration(value)}, {wording.count(len(points), 'block')}"
    return plots.Dot(label, entry.cell.who.framework, 0.0, *bounds, words, points=points)


def _deviation(seconds: float, estimate: float) -> float:
    return round(100 * (seconds / estimate - 1), 4)


def _row(results: Results, entry: Entry) -> list[str]:
    name = f"{results.label(entry.cell.who)}, {wording.size(entry.cell.axes)}"
    if entry.time is None:
        return [name, *[NO_VALUE] * 5]
    several = entry.time.blocks > 1
    return [
        name,
        wording.with_interval(entry.time),
        str(entry.round_count),
        wording.percent(_between(entry)) if several else NO_VALUE,
        wording.percent(_within(entry)),
        wording.durations(entry.medians, entry.time.value),
    ]


def _between(entry: Entry) -> float:
    """Standard deviation of the block medians over their mean."""
    medians = list(entry.medians.values())
    return float(np.std(medians, ddof=1) / np.mean(medians)) if len(medians) > 1 else 0.0


def _within(entry: Entry) -> float:
    """Interquartile range over the median, the middle one of the blocks."""
    quartiles = [
        statistics.quantiles(rounds, n=4, method="inclusive") if len(rounds) > 1 else [rounds[0]] * 3
        for rounds in entry.rounds.values()
    ]
    return float(np.median([(high - low) / middle for low, middle, high in quartiles]))


def _load(results: Results) -> list[Block]:
    found: dict[int, list[float]] = {}
    for worker in results.workers:
        found.setdefault(worker.block, []).extend(worker.load_average[:1])
    rows = [
        (str(block), str(len(loads)), f"{min(loads):.2f}", f"{max(loads):.2f}")
        for block, loads in sorted(found.items())
        if loads
    ]
    columns = ("block", "#processes", "#lowest", "#highest")
    note = "Load average over one minute, as each process saw it when it started; much above the run's own threads means that something else was running."
    blocks = table("The machine's load", rows, *columns)
    return [*blocks, Text(note, "note")] if blocks else []
