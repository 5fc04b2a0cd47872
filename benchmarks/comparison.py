"""Two results folders, cell by cell: a baseline A and a new run B. Reads records, imports no framework.

Cells are paired by their identity (`record.Cell.id`: implementation, phase, axes). The runs took no turns with one
another, so their blocks are not paired (`statistics.compare_unpaired`).
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from benchmarks import comparable, exits, statistics
from benchmarks.comparable import Refused, Side
from benchmarks.record import Cell
from benchmarks.report import controls, wording
from benchmarks.report.entries import Entry
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
    a: Entry | None
    b: Entry | None
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
    def failed_nulls(self) -> list[tuple[Side, controls.Null]]:
        """Null controls of either run that found a difference where there is none."""
        failing = ("faster", "slower")
        return [(side, null) for side in self.sides for null in side.nulls if null.comparison.verdict in failing]

    @property
    def failures(self) -> list[str]:
        """Why the comparison fails, in sentences; nothing where all is well."""
        rows = [f"{row.cell.id} is {row.verdict}." for row in self.rows if row.fails]
        return [*rows, *map(_null_failure, self.failed_nulls)]

    @property
    def exit_code(self) -> int:
        """An unequal cell comes before a slower or missing one and a failed null control."""
        if any(row.fails and row.verdict == "unequal" for row in self.rows):
            return exits.UNEQUAL
        return exits.REGRESSION if self.failures else exits.GOOD

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


def fraction(text: str) -> float:
    """A percentage as a fraction: "3%" is 0.03. Raises Refused for anything else, and outside 0% to 100%."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%", text.strip())
    if match is None or not 0 <= float(match[1]) < 100:
        raise Refused(f"--margin {wording.clean(text)}: give a percentage from 0% to below 100%, such as 3%.")
    return float(match[1]) / 100


def compare(a: Path, b: Path, margin: float = statistics.MARGIN, anyway: bool = False) -> Found:
    """Compare the results folder `b` with the baseline `a`; `margin` is a fraction.

    Raises record.BadRecords where a folder holds no run, and Refused where the two differ in specification, model,
    data or machine (unless `anyway`) or where A has no time at all.
    """
    old, new, differences = comparable.load(a, b, anyway)
    if not any(entry.medians for entry in old.results.entries):
        raise Refused(f"{a} (A) holds no time to compare with. Give the folder of a run that measured something.")
    versions = comparable.versions(old.results, new.results)
    return Found(old, new, margin, differences, versions, _rows(old, new, margin))


def as_json(found: Found) -> dict[str, Any]:
    """The same for programs: times in seconds, nothing rounded; null for a number that is not there or is infinite."""
    versions = [
        {"framework": framework, "package": package, "A": old, "B": new}
        for (framework, package), (old, new) in found.versions.items()
    ]
    names = ("summary", "exit_code", "failures", "warnings", "differences", "margin")
    return _plain(
        {name: getattr(found, name) for name in names}
        | {"runs": {side.name: _run_json(side) for side in found.sides}, "versions": versions}
        | {"cells": [_row_json(row) for row in found.rows]}
    )


def render(found: Found) -> str:
    """The same for people: plain text, the summary first, then warnings, versions and the table."""
    lines = [found.summary, *(f"Warning: {text}" for text in found.warnings), *map(_null_failure, found.failed_nulls)]
    for side in found.sides:
        run = side.results.run
        blocks = wording.count(run.blocks, "block")
        lines.append(f"{side.name}: {side.folder}, {run.started_at}, {run.profile}, {blocks}")
    for (framework, package), (old, new) in found.versions.items():
        lines.append(f"{framework}: {package} {old or 'not there'} in A, {new or 'not there'} in B")
    table = [("verdict", "B/A", "95% interval", "A", "B", "blocks", "cell", "note"), *map(_columns, found.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    rows = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table)
    return "\n".join([*map(wording.clean, lines), "", *rows])


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


def _row(a: Side, b: Side, old: Entry | None, new: Entry | None, margin: float) -> Row | None:
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


def _note(old: Entry | None, new: Entry | None) -> str:
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


def _null_failure(failed: tuple[Side, controls.Null]) -> str:
    side, null = failed
    where = f"{wording.phase(null.cell.phase)}, {wording.size(null.cell.axes)}, {wording.setting(null.cell.who)}"
    came_out = f"{wording.ratio(null.comparison.ratio.value)} ({wording.ratio_interval(null.comparison.ratio)})"
    return f"The null control of {side.name} failed ({where}): the same implementation twice came out as {came_out}."


# Looks


def _columns(row: Row) -> tuple[str, ...]:
    times = [entry.time if entry else None for entry in (row.a, row.b)]
    ratio = row.comparison.ratio if row.comparison else None
    by_chance = row.comparison and row.verdict in ("faster", "slower") and not row.comparison.detected
    notes = [row.note, "may be chance in so large a table (Holm)" if by_chance else ""]
    return (
        row.verdict,
        wording.ratio(ratio.value) if ratio else wording.NO_VALUE,
        wording.ratio_interval(ratio) if ratio else wording.NO_VALUE,
        *(wording.duration(time.value) if time else wording.NO_VALUE for time in times),
        ", ".join(str(time.blocks if time else 0) for time in times),
        wording.clean(row.cell.id),
        "; ".join(filter(None, notes)),
    )


def _run_json(side: Side) -> dict[str, Any]:
    run = side.results.run
    nulls = [{"heat": null.cell.heat, "comparison": null.comparison} for null in side.nulls]
    return {"folder": str(side.folder), "null_controls": nulls} | {
        name: getattr(run, name) for name in ("started_at", "profile", "blocks", "code")
    }


def _row_json(row: Row) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in ("verdict", "counts", "fails", "note", "comparison")}
    for name, entry in (("A", row.a), ("B", row.b)):
        found[name] = entry and {"status": entry.status, "standing": entry.standing, "seconds": entry.time}
    return {"id": row.cell.id} | found


def _plain(value: Any) -> Any:
    """Dataclasses as objects, and null for what JSON has no number for: the ends of an interval that is not there."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
