"""When does the GPU pay? The best on a GPU against the best on the CPU, over batch and width, with and without copies."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import ranking
from benchmarks.analysis.ranking import ComparisonGroup, DeviceComparison, by_phase
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import numbers
from benchmarks.report import headline, size_map
from benchmarks.report.document import Block, Figure, Section, Text, table

TITLE = "When does the GPU pay?"
_HOW = (
    "Each is the fastest proved implementation on its device. Training steps and predictions find their batch on the device; a "
    "training epoch gathers every batch on the host and copies it there, and the copies are in its time."
)
_VERDICTS = {"faster": "the GPU pays", "slower": "the CPU is faster", "tied": "tied"}


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """A map and a table per phase and setting that ran on both; nothing where none did."""
    blocks: list[Block] = [Text(sentence) for sentence in headline.gpu(results, groups)]
    for same_phase in by_phase(groups):
        if pairs := [pair for group in same_phase if (pair := ranking.compare_devices(group))]:
            blocks += [*_map(pairs), *_table(results, pairs)]
    return Section("gpu", TITLE, [*blocks, Text(_HOW, "note")] if blocks else [])


def _verdict(pair: DeviceComparison) -> str:
    return _VERDICTS.get(pair.comparison.verdict, pair.comparison.verdict)


def _table(results: Results, pairs: Sequence[DeviceComparison]) -> list[Block]:
    rows = [
        [
            wording.size(pair.group.axes),
            f"{wording.label(results, pair.cpu.cell.who)}: {wording.with_interval(pair.cpu.time)}",
            f"{wording.label(results, pair.gpu.cell.who)}: {wording.with_interval(pair.gpu.time)}",
            wording.ratio(pair.gain.value),
            f"{wording.ratio_interval(pair.gain)}",
            _verdict(pair),
        ]
        for pair in pairs
    ]
    columns = ("size", "best on the CPU", "best on the GPU", "#GPU times as fast", "#95% interval", "verdict")
    group = pairs[0].group
    caption = f"Best on the GPU against best on the CPU, {wording.timed_in(group.phase, group.who)}"
    return table(caption, rows, *columns)


def _map(pairs: Sequence[DeviceComparison]) -> list[Block]:
    """Batch against width, where both were swept."""
    sizes = [(pair, numbers(pair.group.axes)) for pair in pairs]
    placed = [(pair, axes.get("batch"), axes.get("width")) for pair, axes in sizes]
    tiles = [
        size_map.Tile(batch, width, wording.ratio(pair.gain.value), pair.comparison.verdict == "faster", _verdict(pair))
        for pair, batch, width in placed
        if batch is not None and width is not None
    ]
    if len({tile.x for tile in tiles}) < 2 or len({tile.y for tile in tiles}) < 2:
        return []
    group = pairs[0].group
    title = wording.timed_in(group.phase, group.who)
    paying = sum(tile.marked for tile in tiles)
    unsettled = sum(tile.description == "inconclusive" for tile in tiles)
    conclusion = (
        f"The GPU pays at {paying} of {len(tiles)} sizes{f'; at {unsettled} it is not settled' if unsettled else ''}."
    )
    how_to_read = (
        "How to read this: the number says how many times as fast the best on the GPU is as the best on the CPU. Shaded and framed "
        f"where it is faster beyond {wording.MARGIN}; the edge of the shaded area is where it begins to pay."
    )
    name = wording.figure_name("gpu", group.phase, group.who)
    return [Figure(name, size_map.chart(tiles, "batch", "width"), f"GPU against CPU, {title}", conclusion, how_to_read)]
