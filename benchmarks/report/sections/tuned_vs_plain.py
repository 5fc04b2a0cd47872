"""Does tuning pay? Each implementation tuned against itself as its documentation teaches it."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, compare, phase_order
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import size_order
from benchmarks.report.document import Block, Section, Text, table
from benchmarks.statistics import Comparison

TITLE = "Does tuning pay?"
_HOW = (
    "A ratio below 1 means that the tuned implementation takes less time. Both were proved equal to the specification and took "
    "turns with one another. Tuning is not always worth it: a compiler that gains nothing at a size costs its compiling."
)


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """One row per implementation, phase and size that was timed in both modes."""
    pairs = [(plain, tuned, c) for plain, tuned in _pairs(results) if (c := compare(tuned, plain))]
    if not pairs:
        return Section("modes", TITLE, [])
    rows = [_row(results, plain, tuned, comparison) for plain, tuned, comparison in pairs]
    columns = ("implementation", "what is timed", "setting", "#plain", "#tuned", "#tuned over plain", "#95% interval", "verdict")  # fmt: skip
    frameworks = [plain.cell.who.framework for plain, _, _ in pairs]
    content: list[Block] = [Text(_conclusion(results, pairs)), *table("Tuned over plain (of times 95% interval; blocks)", rows, *columns, frameworks=frameworks)]  # fmt: skip
    return Section("modes", TITLE, [*content, Text(_HOW, "note")])


def _pairs(results: Results) -> list[tuple[CellResult, CellResult]]:
    """Plain and tuned, both ranked, in reading order."""
    ranked = {entry.id: entry for entry in results.entries if entry.standing == "ranked"}
    pairs = []
    for plain in ranked.values():
        who = plain.cell.who.model_copy(update={"mode": "tuned"})
        tuned = ranked.get(plain.cell.model_copy(update={"who": who}).id)
        if tuned and plain.cell.who.mode == "plain":
            pairs.append((plain, tuned))
    return sorted(pairs, key=lambda pair: (phase_order(pair[0].cell.phase), size_order(pair[0].cell.axes)))


def _row(results: Results, plain: CellResult, tuned: CellResult, comparison: Comparison) -> list[str]:
    cell = plain.cell
    timed = wording.timed(cell.phase, cell.axes)
    setting = f"{cell.who.precision}, {wording.count(cell.who.threads, 'thread')}"
    times = [wording.with_interval(plain.time), wording.with_interval(tuned.time)]
    ratio = comparison.ratio
    ratio_cells = [wording.ratio(ratio.value), wording.ratio_interval(ratio), comparison.verdict]
    return [wording.label(results, cell.who), timed, setting, *times, *ratio_cells]


def _conclusion(results: Results, pairs: Sequence[tuple[CellResult, CellResult, Comparison]]) -> str:
    """How many of each verdict, and where tuning is slower."""
    verdicts = [comparison.verdict for _, _, comparison in pairs]
    counts = [
        f"{verdicts.count(name)} {name}" for name in ("faster", "tied", "slower", "inconclusive") if name in verdicts
    ]
    slower = [
        f"{wording.label(results, plain.cell.who)} at {wording.size(plain.cell.axes)} ({wording.phase(plain.cell.phase)})"
        for plain, _, comparison in pairs
        if comparison.verdict == "slower"
    ]
    where_slower = f" Slower: {wording.listed(slower)}." if slower else ""
    return f"Tuned against plain, {wording.count(len(pairs), 'comparison')}: {wording.listed(counts)}.{where_slower}"
