"""When does the GPU pay? The best on a GPU against the best on the CPU, over batch and width, with and without copies."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import ranking
from benchmarks.analysis.ranking import Duel, Heat, phase_groups
from benchmarks.analysis.results import Results
from benchmarks.report import facets, headline, plots
from benchmarks.report.document import Block, Figure, Part, Section, Text, table
from benchmarks.statistics import Comparison

TITLE = "When does the GPU pay?"
_HOW = (
    "Each is the fastest proved implementation on its device. Training steps and predictions find their batch on the device; a "
    "training epoch gathers every batch on the host and copies it there, and the copies are in its time."
)
_SAID = {"faster": "the GPU pays", "slower": "the CPU is faster", "tied": "tied"}


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """A map and a table per phase and setting that ran on both; a sentence where there was no GPU."""
    blocks: list[Block] = [Text(sentence) for sentence in headline.gpu(results, heats)]
    for group in phase_groups(heats):
        if duels := [found for heat in group if (found := ranking.duel(heat))]:
            blocks.append(Part(facets.of_group(group[0]), [*_map(duels), *_table(results, duels)]))
    if not blocks:
        where = "No GPU was measured" if not _any(heats, "cuda") else "Nothing was measured on both a CPU and a GPU"
        return Section("gpu", TITLE, [Text(f"{where}, so this run cannot say.")])
    return Section("gpu", TITLE, [*blocks, Text(_HOW, "note")])


def _any(heats: Sequence[Heat], device: str) -> bool:
    return any(place.entry.cell.who.device.startswith(device) for heat in heats for place in heat.places)


def _gain(duel: Duel) -> float:
    """How many times as fast the GPU is."""
    return 1 / duel.comparison.ratio.value


def _said(duel: Duel) -> str:
    return _SAID.get(duel.comparison.verdict, duel.comparison.verdict)


def _table(results: Results, duels: Sequence[Duel]) -> list[Block]:
    rows = [
        [
            wording.size(duel.heat.axes),
            f"{results.label(duel.cpu.cell.who)}: {wording.with_interval(duel.cpu.time)}",
            f"{results.label(duel.gpu.cell.who)}: {wording.with_interval(duel.gpu.time)}",
            wording.ratio(_gain(duel)),
            _interval(duel.comparison),
            _said(duel),
        ]
        for duel in duels
    ]
    columns = ("size", "best on the CPU", "best on the GPU", "#GPU times as fast", "#95% interval", "verdict")
    chosen_by = [facets.of_size(duel.heat) for duel in duels]
    heat = duels[0].heat
    caption = f"Best on the GPU against best on the CPU, {wording.phase(heat.phase)} ({wording.setting(heat.who)})"
    return table(caption, rows, *columns, facets=chosen_by)


def _interval(comparison: Comparison) -> str:
    """Of the CPU's time over the GPU's."""
    ratio = comparison.ratio
    if ratio.blocks < 2:
        return wording.NO_VALUE
    return f"{wording.ratio(1 / ratio.high)} to {wording.ratio(1 / ratio.low)}" if ratio.low > 0 else wording.NO_VALUE


def _map(duels: Sequence[Duel]) -> list[Block]:
    """Batch against width, where both were swept."""
    placed = [(duel, duel.heat.axes.get("batch"), duel.heat.axes.get("width")) for duel in duels]
    tiles = [
        plots.Tile(batch, width, wording.ratio(_gain(duel)), duel.comparison.verdict == "faster", _said(duel))
        for duel, batch, width in placed
        if batch is not None and width is not None
    ]
    if len({tile.x for tile in tiles}) < 2 or len({tile.y for tile in tiles}) < 2:
        return []
    heat = duels[0].heat
    what = f"{wording.phase(heat.phase)} ({wording.setting(heat.who)})"
    paying = sum(tile.marked for tile in tiles)
    open_ = sum(tile.told == "inconclusive" for tile in tiles)
    told = f"The GPU pays at {paying} of {len(tiles)} sizes{f'; at {open_} it is not settled' if open_ else ''}."
    how = (
        "How to read this: the number says how many times as fast the best on the GPU is as the best on the CPU. Shaded and framed "
        f"where it is faster beyond {wording.MARGIN}; the edge of the shaded area is where it begins to pay."
    )
    name = wording.slug(f"gpu-{heat.phase}-{heat.who.precision}-{heat.who.mode}-t{heat.who.threads}")
    return [Figure(name, plots.tiles(tiles, "batch", "width"), f"GPU against CPU, {what}", told, how)]
