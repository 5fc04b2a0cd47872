"""What does Keras cost? Keras on a backend against that backend itself, and on TensorFlow compiled by XLA against not."""

from collections.abc import Iterator, Sequence

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, compare, phase_order
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import size_order
from benchmarks.report.document import Section, table
from benchmarks.statistics import Comparison

PREFIX = "keras-"
TENSORFLOW = "keras-tensorflow"
_HOW = "Both were proved equal and took turns with one another. Above 1, Keras takes longer; of TensorFlow, above 1 XLA takes longer."

Pair = tuple[CellResult, CellResult, Comparison]
"""With Keras (or XLA), without, and the ratio of the two."""


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """One row per pair, phase and size; nothing where a run has no such pair."""
    pairs = sorted(_pairs(results), key=lambda pair: (phase_order(pair[0].cell.phase), size_order(pair[0].cell.axes)))
    rows = [_row(results, *pair) for pair in pairs]
    columns = ("Keras", "against", "what is timed", "setting", "#ratio", "#95% interval", "verdict")
    frameworks = [keras.cell.who.framework for keras, _, _ in pairs]
    blocks = table("With Keras over without", rows, *columns, frameworks=frameworks, note=_HOW)
    return Section("keras", "What does Keras cost?", blocks, _summary(results, pairs) if pairs else "")


def _pairs(results: Results) -> Iterator[Pair]:
    ranked = {entry.id: entry for entry in results.entries if entry.standing == "ranked"}
    for entry in ranked.values():
        who = entry.cell.who
        if who.framework == TENSORFLOW and who.mode == "tuned":
            changed = {"mode": "plain"}
        elif who.framework.startswith(PREFIX):
            changed = {"framework": who.framework.removeprefix(PREFIX)}
        else:
            continue
        other = ranked.get(entry.cell.model_copy(update={"who": who.model_copy(update=changed)}).id)
        if other and (comparison := compare(entry, other)):
            yield entry, other, comparison


def _row(results: Results, keras: CellResult, other: CellResult, comparison: Comparison) -> list[str]:
    cell, ratio = keras.cell, comparison.ratio
    names = [wording.label(results, entry.cell.who) for entry in (keras, other)]
    shown = [wording.ratio(ratio.value), wording.ratio_interval(ratio), comparison.verdict]
    return [*names, wording.timed(cell.phase, cell.axes), wording.setting(cell.who), *shown]


def _summary(results: Results, pairs: Sequence[Pair]) -> str:
    """The first of each pair: its training step at the smallest size."""
    firsts: dict[tuple[str, str], str] = {}
    for keras, other, comparison in pairs:
        names = wording.label(results, keras.cell.who), wording.label(results, other.cell.who)
        ratio = wording.ratio_with_interval(comparison.ratio)
        firsts.setdefault(names, f"{names[0]} takes {ratio} times as long as {names[1]}")
    timed = wording.timed(pairs[0][0].cell.phase, pairs[0][0].cell.axes)
    return f"{timed[0].upper()}{timed[1:]} (95% interval; blocks): {wording.listed(firsts.values())}."
