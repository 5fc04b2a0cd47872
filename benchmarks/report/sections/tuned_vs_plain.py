"""Does tuning pay? Each implementation tuned against itself as its documentation teaches it."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.ranking import ComparisonGroup, Pair, pairs
from benchmarks.analysis.results import Results
from benchmarks.report.document import Block, Section, Text, table

TITLE = "Does tuning pay?"
_HOW = (
    "A ratio below 1 means that the tuned implementation takes less time. Both were proved equal to the specification and took "
    "turns with one another. Tuning is not always worth it: a compiler that gains nothing at a size costs its compiling."
)


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """One row per implementation, phase and size that was timed in both modes."""
    found = pairs(results, lambda who: who.model_copy(update={"mode": "plain"}) if who.mode == "tuned" else None)
    if not found:
        return Section("modes", TITLE, [])
    rows = [_row(results, pair) for pair in found]
    columns = ("implementation", "what is timed", "setting", "#plain", "#tuned", "#tuned over plain", "#95% interval", "verdict")  # fmt: skip
    frameworks = [plain.cell.who.framework for _, plain, _ in found]
    content: list[Block] = [Text(_conclusion(results, found)), *table(f"Tuned over plain (of times {wording.SURE})", rows, *columns, once=["setting"], frameworks=frameworks)]  # fmt: skip
    return Section("modes", TITLE, [*content, Text(_HOW, "note")])


def _row(results: Results, pair: Pair) -> list[str]:
    tuned, plain, comparison = pair
    cell = plain.cell
    timed = wording.timed(cell.phase, cell.axes)
    setting = f"{cell.who.precision}, {wording.count(cell.who.threads, 'thread')}"
    times = [wording.with_interval(plain.time), wording.with_interval(tuned.time)]
    ratio = comparison.ratio
    ratio_cells = [wording.ratio(ratio.value), wording.ratio_interval(ratio), comparison.verdict]
    return [wording.label(results, cell.who), timed, setting, *times, *ratio_cells]


def _conclusion(results: Results, found: Sequence[Pair]) -> str:
    """How many of each verdict, and where tuning is slower."""
    verdicts = [comparison.verdict for _, _, comparison in found]
    counts = [
        f"{verdicts.count(name)} {name}" for name in ("faster", "tied", "slower", "not settled") if name in verdicts
    ]
    slower = [
        f"{wording.label(results, plain.cell.who)} at {wording.size(plain.cell.axes)} ({wording.phase(plain.cell.phase)})"
        for _, plain, comparison in found
        if comparison.verdict == "slower"
    ]
    where_slower = f" Slower: {wording.listed(slower)}." if slower else ""
    return f"Tuned against plain, {wording.count(len(found), 'comparison')}: {wording.listed(counts)}.{where_slower}"
