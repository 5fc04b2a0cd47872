"""When does the GPU pay? The best on a GPU against the best on the CPU, at every size, with and without copies."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import ranking
from benchmarks.analysis.ranking import ComparisonGroup, DeviceComparison, by_phase
from benchmarks.analysis.results import Results
from benchmarks.report import headline
from benchmarks.report.document import Block, Section, Text, table, with_words

TITLE = "When does the GPU pay?"
_HOW = (
    "Each is the fastest proved implementation on its device. Training steps and predictions find their batch on the device; a "
    "training epoch gathers every batch on the host and copies it there, and the copies are in its time. Darker: the GPU gains more."
)
_VERDICTS = {"faster": "the GPU pays", "slower": "the CPU is faster", "tied": "tied"}


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """A table per phase and setting that ran on both; nothing where none did."""
    blocks: list[Block] = [Text(sentence) for sentence in headline.gpu(results, groups)]
    for same_phase in by_phase(groups):
        if pairs := [pair for group in same_phase if (pair := ranking.compare_devices(group))]:
            blocks += _table(results, pairs)
    return Section("gpu", TITLE, [*blocks, Text(_HOW, "note")] if blocks else [])


def _table(results: Results, pairs: Sequence[DeviceComparison]) -> list[Block]:
    rows = [
        [
            wording.size(pair.group.axes),
            f"{wording.label(results, pair.cpu.cell.who)}: {wording.with_interval(pair.cpu.time)}",
            f"{wording.label(results, pair.gpu.cell.who)}: {wording.with_interval(pair.gpu.time)}",
            wording.ratio(pair.gain.value),
            f"{wording.ratio_interval(pair.gain)}",
            _VERDICTS.get(pair.comparison.verdict, pair.comparison.verdict),
        ]
        for pair in pairs
    ]
    columns = ("size", "best on the CPU", "best on the GPU", "#GPU times as fast", "#95% interval", "verdict")
    group = pairs[0].group
    caption = f"Best on the GPU against best on the CPU, {wording.timed_in(group.phase, group.who)}"
    return table(with_words(caption, f"of times {wording.SURE}"), rows, *columns, heat=True)
