"""When does the GPU pay? The best on a GPU against the best on the CPU, at every size, with and without copies."""

import itertools
from collections import defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import ranking
from benchmarks.analysis.ranking import ComparisonGroup, DeviceComparison, by_phase
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import numbers
from benchmarks.report.document import Block, Section, Text, table, with_words

TITLE = "When does the GPU pay?"
_HOW = (
    "Each is the fastest proved implementation on its device. Training steps and predictions find their batch on the device; a "
    "training epoch gathers every batch on the host and copies it there, and the copies are in its time. Darker: the GPU gains more."
)
_VERDICTS = {"faster": "the GPU pays", "slower": "the CPU is faster", "tied": "tied"}


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """A table per phase and setting that ran on both; nothing where none did."""
    blocks: list[Block] = [Text(sentence) for sentence in sentences(groups)]
    for same_phase in by_phase(groups):
        if pairs := [pair for group in same_phase if (pair := ranking.compare_devices(group))]:
            blocks += _table(results, pairs)
    return Section("gpu", TITLE, [*blocks, Text(_HOW, "note")] if blocks else [])


def sentences(groups: Sequence[ComparisonGroup]) -> list[str]:
    """From which batch on the GPU pays: a sentence per phase and setting that ran on both, with each remaining size."""
    said = []
    for same_phase in by_phase(groups):
        verdicts_at: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for group in same_phase:
            if pair := ranking.compare_devices(group):
                other_axes = {name: value for name, value in group.axes.items() if name != "batch"}
                at = f"at {wording.size(other_axes)} " if other_axes else ""
                verdicts_at[at].append((numbers(group.axes).get("batch", 0), pair.comparison.verdict))
        answers = "; ".join(at + _from_batch(sorted(verdicts)) for at, verdicts in verdicts_at.items())
        if answers:
            what = wording.timed_in(same_phase[0].phase, same_phase[0].who)
            said.append(f"GPU, {what}, best on the GPU against best on the CPU: {answers}.")
    return said


def _from_batch(verdicts: Sequence[tuple[int, str]]) -> str:
    batches = f"(measured at {wording.listed(f'{batch}' for batch, _ in verdicts)})"
    paying = list(itertools.takewhile(lambda pair: pair[1] == "faster", reversed(verdicts)))
    if paying:
        return f"the GPU pays from batch {paying[-1][0]} on {batches}"
    if all(verdict == "slower" for _, verdict in verdicts):
        return f"the GPU does not pay at any batch {batches}"
    return f"from which batch on the GPU pays was not settled {batches}"


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
