"""Two results folders, cell by cell: a baseline A and a new run B. Reads records, imports no framework.

Cells are paired by their identity (`Cell.id`: implementation, phase, axes). The runs took no turns with one
another, so their blocks are not paired (`statistics.compare_unpaired`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from benchmarks import statistics
from benchmarks.analysis import comparability, run_quality
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.comparability import Difference, Side
from benchmarks.records.record import Cell
from benchmarks.statistics import Comparison

Verdict = Literal["unequal", "slower", "missing", "inconclusive", "new", "faster", "tied"]
SEVERITY = get_args(Verdict)  # also the order of the rows

FAILING = ("unequal", "slower", "missing")


@dataclass(frozen=True)
class Row:
    """One cell in both runs. `counts` says whether its verdict may fail the comparison; `note` says why not.

    Floors, peers and unproved cells are only shown.
    """

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
class RunComparison:
    """All that came out. `versions` maps (framework, package) to what A and B had, with commas where a run had several."""

    a: Side
    b: Side
    margin: float
    differences: Sequence[Difference]
    versions: Mapping[tuple[str, str], tuple[str | None, str | None]]
    rows: Sequence[Row]

    @property
    def sides(self) -> tuple[Side, Side]:
        """The baseline and the new run."""
        return self.a, self.b

    @property
    def failed_nulls(self) -> list[tuple[Side, run_quality.NullControl]]:
        """Null controls of either run that found a difference where there is none."""
        return [(side, null) for side in self.sides for null in side.null_controls if null.failed]

    @property
    def fails(self) -> bool:
        """Whether a cell got worse, or a run cannot be trusted."""
        return bool(self.failed_nulls) or any(row.fails for row in self.rows)


def compare(a: Path, b: Path, margin: float = statistics.MARGIN) -> RunComparison:
    """Compare the results folder `b` with the baseline `a`; `margin` is a fraction.

    What differs between the two in specification, model, data or machine is listed, not judged: `differences`. Raises
    records_file.BadRecords where a folder holds no run.
    """
    old, new = comparability.side("A", a), comparability.side("B", b)
    differences = comparability.differences(old.results, new.results)
    versions = comparability.versions(old.results, new.results)
    return RunComparison(old, new, margin, differences, versions, _rows(old, new, margin))


def _rows(a: Side, b: Side, margin: float) -> list[Row]:
    """Every cell that has a possible time in either run, or lost its proof: the worst first."""
    old, new = ({entry.cell.id: entry for entry in side.results.entries} for side in (a, b))
    rows_or_none = [_row(a, b, old.get(name), new.get(name), margin) for name in {**old, **new}]
    rows = sorted((row for row in rows_or_none if row), key=lambda row: (SEVERITY.index(row.verdict), row.cell.id))
    together = iter(statistics.detected_together([row.comparison for row in rows if row.comparison]))
    return [replace(row, comparison=next(together)) if row.comparison else row for row in rows]


def _row(a: Side, b: Side, old: CellResult | None, new: CellResult | None, margin: float) -> Row | None:
    entry = old or new
    assert entry is not None
    cell, comparison = entry.cell, None
    was_timed, is_timed = (bool(result and result.medians and result.standing != "impossible") for result in (old, new))
    if old and new and was_timed and is_timed:
        comparison = statistics.compare_unpaired(list(new.medians.values()), list(old.medians.values()), margin)
    timed = [result for result, is_there in ((old, was_timed), (new, is_timed)) if result and is_there]
    lost = b.is_unequal(cell) and a.is_proved(cell) and not any(result.standing == "beside" for result in timed)
    if not (timed or lost):
        return None
    counts = lost or (was_timed and all(result.is_proved for result in timed))
    without_times: Verdict = "unequal" if lost else "missing" if was_timed else "new"
    verdict = comparison.verdict if comparison and not lost else without_times
    return Row(cell, old, new, verdict, comparison, counts, _note(old, new))


def _note(old: CellResult | None, new: CellResult | None) -> str:
    """Why a cell does not count, and why one has no time."""
    parts = []
    for name, entry in (("A", old), ("B", new)):
        if entry is None:
            parts.append(f"not planned in {name}")
        elif entry.standing == "beside":
            parts.append(f"beside in {name}")
        elif entry.reason:
            parts.append(f"{name}: {entry.reason}")
    return "; ".join(parts)
