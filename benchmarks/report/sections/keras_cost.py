"""What does Keras cost? Keras on a backend against that backend itself."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.ranking import ComparisonGroup, Pair, pairs
from benchmarks.analysis.results import Results
from benchmarks.records.record import Configuration
from benchmarks.report.document import Section, table

PREFIX = "keras-"
_HOW = "Both were proved equal and took turns with one another. Above 1, Keras takes longer."


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """One row per pair, phase and size; nothing where a run has no such pair."""
    found = pairs(results, _backend)
    rows = [_row(results, pair) for pair in found]
    columns = ("Keras", "against", "what is timed", "setting", "#ratio", "#95% interval", "verdict")
    frameworks = [keras.cell.who.framework for keras, _, _ in found]
    blocks = table("With Keras over without", rows, *columns, once=["setting"], frameworks=frameworks, note=_HOW)
    return Section("keras", "What does Keras cost?", blocks, _summary(results, found) if found else "")


def _backend(who: Configuration) -> Configuration | None:
    name = who.framework.removeprefix(PREFIX)
    return who.model_copy(update={"framework": name}) if name != who.framework else None


def _row(results: Results, pair: Pair) -> list[str]:
    keras, backend, comparison = pair
    cell, ratio = keras.cell, comparison.ratio
    names = [wording.label(results, entry.cell.who) for entry in (keras, backend)]
    shown = [wording.ratio(ratio.value), wording.ratio_interval(ratio), comparison.verdict]
    return [*names, wording.timed(cell.phase, cell.axes), wording.setting(cell.who), *shown]


def _summary(results: Results, found: Sequence[Pair]) -> str:
    """Of each pair what is compared first: its training step at the smallest size."""
    first = found[0][0].comparison_group
    firsts: dict[tuple[str, str], str] = {}
    for keras, backend, comparison in (pair for pair in found if pair[0].comparison_group == first):
        names = wording.label(results, keras.cell.who), wording.label(results, backend.cell.who)
        ratio = wording.ratio_with_interval(comparison.ratio)
        firsts.setdefault(names, f"{names[0]} takes {ratio} times as long as {names[1]}")
    timed = wording.timed(found[0][0].cell.phase, found[0][0].cell.axes)
    return f"{timed[0].upper()}{timed[1:]} ({wording.SURE}): {wording.listed(firsts.values())}."
