"""Two results folders, cell by cell: a baseline A and a new run B. Reads records, imports no framework.

Cells are paired by their identity (`Cell.id`: implementation, phase, axes). The runs took no turns with one
another, so their blocks are not paired (`statistics.compare_unpaired`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from benchmarks import statistics, wording
from benchmarks.analysis import comparability, null_control
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.comparability import Refused, Side
from benchmarks.records.record import Cell
from benchmarks.statistics import Comparison

Verdict = Literal["unequal", "slower", "missing", "inconclusive", "new", "faster", "tied"]
SEVERITY = get_args(Verdict)  # also the order of the rows

FAILING = ("unequal", "slower", "missing")
COUNTED = ("ranked", "own variant")
"""Standings of cells that were proved and are results; floors, peers and unproved cells are only shown."""

DRIFT = (
    "These runs were measured at different times, not in turns: whatever drifted between them (other load, heat, "
    "settings) is in every ratio. To decide between two versions, run both again in turns."
)


@dataclass(frozen=True)
class Row:
    """One cell in both runs. `counts` says whether its verdict may fail the comparison; `note` says why not."""

    cell: Cell
    a: CellResult | None
    b: CellResult | None
    verdict: Verdict
    comparison: Comparison | None  # B's time over A's; None where one of them has no time
    counts: bool
    note: str

    @property
    def fails(self) -> bool:
        """Whether this row alone makes the comparison fail."""
        return self.counts and self.verdict in FAILING


@dataclass(frozen=True)
class Found:
    """All that came out. `differences` is empty unless they were waved through; `versions` maps (framework, package)
    to what A and B had, with commas where a run had several."""

    a: Side
    b: Side
    margin: float
    differences: Sequence[str]
    versions: Mapping[tuple[str, str], tuple[str | None, str | None]]
    rows: Sequence[Row]

    @property
    def sides(self) -> tuple[Side, Side]:
        """The baseline and the new run."""
        return self.a, self.b

    @property
    def failed_nulls(self) -> list[tuple[Side, null_control.Null]]:
        """Null controls of either run that found a difference where there is none."""
        failing = ("faster", "slower")
        return [(side, null) for side in self.sides for null in side.nulls if null.comparison.verdict in failing]

    @property
    def failures(self) -> list[str]:
        """Why the comparison fails, in sentences; nothing where all is well."""
        rows = [f"{row.cell.id} is {row.verdict}." for row in self.rows if row.fails]
        return [*rows, *map(null_failure, self.failed_nulls)]

    @property
    def warnings(self) -> list[str]:
        """What a reader must know before believing a ratio."""
        told = [DRIFT, *(f"Compared anyway, although they differ in {difference}." for difference in self.differences)]
        for side in self.sides:
            told += [f"{side.name}: {problem}" for problem in side.results.problems]
            told += [] if side.nulls else [f"{side.name} had no null control: its own measuring is unchecked."]
        return told

    @property
    def summary(self) -> str:
        """The first sentence."""
        counts = Counter(row.verdict for row in self.rows if row.counts)
        parts = [f"{counts[verdict]} {verdict}" for verdict in SEVERITY if counts[verdict]]
        nulls, shown = len(self.failed_nulls), sum(not row.counts for row in self.rows)
        parts += [wording.count(nulls, "failed null control")] if nulls else []
        parts += [f"{shown} shown that cannot fail"] if shown else []
        judgement = "The comparison of B with A fails" if self.failures else "No regression of B against A was found"
        return f"{judgement}: {wording.listed(parts)} (margin {100 * self.margin:g}%)."


def compare(a: Path, b: Path, margin: float = statistics.MARGIN, anyway: bool = False) -> Found:
    """Compare the results folder `b` with the baseline `a`; `margin` is a fraction.

    Raises record.BadRecords where a folder holds no run, and Refused where the two differ in specification, model,
    data or machine (unless `anyway`) or where A has no time at all.
    """
    old, new, differences = comparability.load(a, b, anyway)
    if not any(entry.medians for entry in old.results.entries):
        raise Refused(f"{a} (A) holds no time to compare with. Give the folder of a run that measured something.")
    versions = comparability.versions(old.results, new.results)
    return Found(old, new, margin, differences, versions, _rows(old, new, margin))


def _rows(a: Side, b: Side, margin: float) -> list[Row]:
    """Every cell that has a time in either run, or lost its proof: the worst first."""
    old, new = ({entry.cell.id: entry for entry in side.results.entries} for side in (a, b))
    found = [_row(a, b, old.get(name), new.get(name), margin) for name in {**old, **new}]
    rows = sorted((row for row in found if row), key=lambda row: (SEVERITY.index(row.verdict), row.cell.id))
    compared = [row.comparison for row in rows if row.comparison]
    detected = iter(statistics.holm([comparison.p_value for comparison in compared]))
    return [
        replace(row, comparison=replace(row.comparison, detected=next(detected))) if row.comparison else row
        for row in rows
    ]


def _row(a: Side, b: Side, old: CellResult | None, new: CellResult | None, margin: float) -> Row | None:
    entry = old or new
    assert entry is not None
    cell, comparison = entry.cell, None
    if old and new and old.medians and new.medians:
        comparison = statistics.compare_unpaired(list(new.medians.values()), list(old.medians.values()), margin)
    standings = [side.standing for side in (old, new) if side and side.medians]
    lost = b.is_unequal(cell) and a.is_proved(cell) and "beside" not in standings
    if not (standings or lost):
        return None
    was_timed = bool(old and old.medians)
    counts = lost or (was_timed and all(standing in COUNTED for standing in standings))
    other: Verdict = "unequal" if lost else "missing" if was_timed else "new"
    verdict = comparison.verdict if comparison and not lost else other
    return Row(cell, old, new, verdict, comparison, counts, _note(old, new))


def _note(old: CellResult | None, new: CellResult | None) -> str:
    """What stands beside the numbers: why a cell does not count, and why one has no time."""
    parts = []
    for name, entry in (("A", old), ("B", new)):
        if entry is None:
            parts.append(f"not planned in {name}")
        elif entry.standing == "beside":
            parts.append(f"beside in {name}")
        elif entry.reason:
            parts.append(f"{name}: {entry.reason}")
    return wording.clean("; ".join(parts))


def null_failure(failed: tuple[Side, null_control.Null]) -> str:
    """In a sentence."""
    side, null = failed
    where = f"{wording.phase(null.cell.phase)}, {wording.size(null.cell.axes)}, {wording.setting(null.cell.who)}"
    came_out = f"{wording.ratio(null.comparison.ratio.value)} ({wording.ratio_interval(null.comparison.ratio)})"
    return f"The null control of {side.name} failed ({where}): the same implementation twice came out as {came_out}."
