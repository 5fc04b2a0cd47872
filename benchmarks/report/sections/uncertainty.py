"""How sure is that? The blocks behind each estimate, the spread within and between processes, the machine's load."""

import statistics
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, by_phase
from benchmarks.analysis.results import Results
from benchmarks.records.record import BlockRecord
from benchmarks.report import facets, plots
from benchmarks.report.document import Block, Figure, Part, Section, Text, table
from benchmarks.report.sections import gpu_clocks
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE

_LOAD = (
    "Load: the average over one minute, lowest and highest, as each process saw it when it started; the run's own threads are "
    "in it, and those of the block before. Taken by the host: of all processors' time, what a virtual machine was ready to use "
    "and did not get. Stopped by a quota: of the block's time. Clock: at the block's end, as the system tells it."
)

_MOST_DOTS = 30
"""Rows in one chart, at most: more cannot be read."""


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """What an interval means here, then the blocks, spreads and load."""
    note = (
        "A block is one fresh process per framework; within it the compared cells take turns, round by round. An estimate is "
        "the median of the block medians. Its 95% interval comes from the differences between blocks, because rounds of one "
        "process are not independent: a t interval of the blocks' logarithms, which one slow block widens and shifts, so that the "
        "estimate need not stand in its middle. Ratios are paired round by round: a block's word is the median of its log ratios, "
        "and the ratio shown is the mean of the blocks' (geometric, with its t interval). Two "
        f"times are tied where the interval of their ratio lies within {wording.MARGIN}, different where it lies wholly outside, "
        f"and else inconclusive; fewer than {MIN_BLOCKS_FOR_VERDICT} blocks give no verdict. Each interval speaks for itself: with many "
        "comparisons, some of them will miss. No outlier is dropped. Spread between processes: the standard deviation of the "
        "block medians over their mean. Spread within a process: the middle half of its rounds over their median."
    )
    blocks: list[Block] = [Text(note)]
    for same_phase in by_phase(groups):
        if spreads := _phase(results, same_phase):
            blocks.append(Part(facets.of_group(same_phase[0]), spreads))
    return Section("certainty", "How sure is that?", [*blocks, *gpu_clocks.blocks(results, groups), *_load(results)])


def _phase(results: Results, same_phase: Sequence[ComparisonGroup]) -> list[Block]:
    groups = [group for group in same_phase if any(place.entry.time for place in group.places)]
    entries = [(group, place.entry) for group in groups for place in group.places if place.entry.time]
    if not entries:
        return []
    title = wording.timed_in(same_phase[0].phase, same_phase[0].who)
    rows = [_row(results, entry) for _, entry in entries]
    columns = ["cell", "#time per call (95% interval; blocks)", "#rounds", "#spread between processes"]
    columns += ["#spread within a process", "block medians"]
    frameworks = [entry.cell.who.framework for _, entry in entries]
    chosen_by = [facets.of_size(group) | facets.of_entry(entry) for group, entry in entries]
    spreads = table(f"Spread: {title}", rows, *columns, frameworks=frameworks, facets=chosen_by, folded=True)
    return [*_figure(results, groups, title, len(entries)), *spreads]


def _figure(results: Results, groups: Sequence[ComparisonGroup], title: str, dots: int) -> list[Block]:
    several_blocks = [
        (group, entries)
        for group in groups
        if (entries := [place.entry for place in group.places if len(place.entry.medians) > 1])
    ]
    if not several_blocks or dots > _MOST_DOTS:
        return []
    panels = [
        (wording.short(wording.size(group.axes), 60), [_dot(results, entry) for entry in entries])
        for group, entries in several_blocks
    ]
    widest = max((entry for _, entries in several_blocks for entry in entries), key=_between)
    caption = (
        f"Block medians differ most for {wording.label(results, widest.cell.who)} at "
        f"{wording.size(widest.cell.axes)}: {wording.percent(_between(widest))} between processes."
    )
    how_to_read = (
        "How to read this: each small circle is one block's median, as a difference from the cell's estimate (0). The bar is "
        "the estimate's 95% interval, cut where it leaves the chart. The closer the circles, the surer the estimate."
    )
    name = wording.figure_name("blocks", groups[0].phase, groups[0].who)
    return [Figure(name, plots.deviations(panels), f"Blocks behind each estimate, {title}", caption, how_to_read)]


def _dot(results: Results, entry: CellResult) -> plots.Dot:
    value, low, high = (entry.time.value, entry.time.low, entry.time.high) if entry.time else (1.0, 1.0, 1.0)
    points = [_deviation(median, value) for median in entry.medians.values()]
    bounds = (_deviation(low, value), _deviation(high, value))
    label = wording.short(wording.label(results, entry.cell.who))
    words = f"{wording.duration(value)}, {wording.count(len(points), 'block')}"
    return plots.Dot(label, entry.cell.who.framework, 0.0, *bounds, words, points=points)


def _deviation(seconds: float, estimate: float) -> float:
    return round(100 * (seconds / estimate - 1), 4)


def _row(results: Results, entry: CellResult) -> list[str]:
    return [
        f"{wording.label(results, entry.cell.who)}, {wording.size(entry.cell.axes)}",
        wording.with_interval(entry.time),
        str(entry.round_count),
        wording.percent(_between(entry)) if len(entry.medians) > 1 else NO_VALUE,
        wording.percent(_within(entry)),
        wording.durations(entry.medians, entry.seconds),
    ]


def _between(entry: CellResult) -> float:
    """Standard deviation of the block medians over their mean."""
    medians = list(entry.medians.values())
    return float(np.std(medians, ddof=1) / np.mean(medians)) if len(medians) > 1 else 0.0


def _within(entry: CellResult) -> float:
    """Interquartile range over the median, the middle one of the blocks."""
    quartiles = [
        statistics.quantiles(rounds, n=4, method="inclusive") if len(rounds) > 1 else [rounds[0]] * 3
        for rounds in entry.rounds.values()
    ]
    return float(np.median([(high - low) / middle for low, middle, high in quartiles]))


def _load(results: Results) -> list[Block]:
    loads_of: dict[int, list[float]] = defaultdict(list)
    for worker in results.workers:
        loads_of[worker.block] += worker.load_average[:1]
    ended = {block.block: block for block in results.blocks}
    rows = [
        [str(block), str(len(loads)), f"{min(loads):.2f} to {max(loads):.2f}", *_interference(ended.get(block))]
        for block, loads in sorted(loads_of.items())
        if loads
    ]
    columns = ["block", "#processes", "#load", "#taken by the host", "#stopped by a quota"]
    columns += ["#context switches", "#clock"]
    blocks = table("What else the machine did", rows, *columns, note=_LOAD)
    return [Text(_interfered(results)), *blocks] if blocks else []


def _interference(block: BlockRecord | None) -> list[str]:
    if block is None or block.interference is None:
        return [NO_VALUE] * 4
    switches, clock = block.interference.context_switches, block.interference.clock_mhz
    return [
        *(NO_VALUE if share is None else wording.percent(share) for share in _taken(block)),
        NO_VALUE if switches is None else f"{switches:,}",
        NO_VALUE if clock is None else f"{clock:,.0f} MHz",
    ]


def _taken(block: BlockRecord) -> tuple[float | None, float | None]:
    """By the host, of all processors' time, and by a quota, of the block's time; None where it was not counted."""
    counters = block.interference
    if counters is None:
        return None, None
    host = None if counters.stolen_s is None else counters.stolen_s / (block.wall_s * counters.cores)
    return host, None if counters.throttled_s is None else counters.throttled_s / block.wall_s


def _interfered(results: Results) -> str:
    """Whether anything else took processor time from the run, as far as the system counts it."""
    hosts = {block.block: host for block in results.blocks if (host := _taken(block)[0]) is not None}
    quotas = [quota for block in results.blocks if (quota := _taken(block)[1]) is not None]
    stopped = sum(quota > 0 for quota in quotas)
    worst = max(hosts, key=lambda block: hosts[block], default=None)
    if worst is None:
        host_text = "Whether the host of a virtual machine, or throttling, took time away was not recorded."
    elif hosts[worst]:
        host_text = f"The host took at most {wording.percent(hosts[worst])} of the processors' time (block {worst})."
    else:
        host_text = "No host took processor time away, as far as the system counts it."
    if stopped:
        return (
            f"{host_text} A quota stopped the run in {wording.count(stopped, 'block')}: its times are too long there."
        )
    return f"{host_text} No quota stopped the run." if quotas else host_text
