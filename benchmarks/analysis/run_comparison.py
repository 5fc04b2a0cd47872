"""Two results folders, cell by cell: a baseline A and a new run B; or two implementations of one run. Imports no framework.

Cells are paired by their identity (`Side.entries`: implementation, phase, axes). Two runs took no turns with one another, so
their blocks are not paired (`statistics.compare_unpaired`). Within a run they are: ratios are taken round by round, as for a rank.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import statistics
from benchmarks.analysis import comparability, machine_change, ranking, run_quality
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.comparability import Difference, Side
from benchmarks.analysis.compared_cell import SEVERITY, Row, Verdict
from benchmarks.analysis.machine_change import MachineChange
from benchmarks.records.record import FLOORS
from benchmarks.statistics import Comparison


@dataclass(frozen=True)
class RunComparison:
    """All that came out. `versions` maps (framework, package) to what A and B had, with commas where a run had several."""

    a: Side
    b: Side
    margin: float
    differences: Sequence[Difference]
    versions: Mapping[tuple[str, str], tuple[str | None, str | None]]
    rows: Sequence[Row]
    machine: Mapping[tuple[str, int], MachineChange]
    """Where the machine itself changed, by device and threads."""

    against: str
    """The implementation that all others are held against, if any."""

    need: float | None = None
    """A slowdown, as a fraction, that must not have been missed."""

    @property
    def sides(self) -> tuple[Side, Side]:
        """The baseline and the new run."""
        return self.a, self.b

    @property
    def in_turns(self) -> bool:
        """Whether both sides are of one run, and so took turns."""
        return bool(self.a.implementation)

    @property
    def failed_nulls(self) -> list[tuple[Side, run_quality.NullControl]]:
        """Null controls of either run that found a difference where there is none."""
        sides = self.sides[:1] if self.in_turns else self.sides
        return [(side, null) for side in sides for null in side.null_controls if null.failed]

    @property
    def fails(self) -> bool:
        """Whether a cell got worse, or a run cannot be trusted."""
        return bool(self.failed_nulls) or any(row.fails for row in self.rows)

    @property
    def weakest(self) -> Row | None:
        """Where the largest slowdown could have been missed; None where no row counts that does not fail."""
        could = (row for row in self.rows if row.counts and not row.fails)
        return max(could, key=lambda row: row.missable, default=None)

    @property
    def is_blind(self) -> bool:
        """Whether no slowdown whatever could have been found, in any cell."""
        return not any(row.counts and math.isfinite(row.missable) for row in self.rows)

    @property
    def is_untold(self) -> bool:
        """Whether a cell that counts has too few blocks for a verdict: it was measured too briefly, or failed in some of them."""
        return self.is_blind or any(row.counts and not row.fails and math.isinf(row.missable) for row in self.rows)

    @property
    def doubtful(self) -> list[Row]:
        """Cells of which no regression may be denied: slower, which may be chance, or lost in blocks of B."""
        rows = (row for row in self.rows if row.counts and not row.fails and math.isfinite(row.missable))
        return [row for row in rows if row.lost or (row.verdict == "slower" and row.may_be_chance)]

    @property
    def misses_need(self) -> bool:
        """Whether a slowdown as large as `need` could have been missed."""
        return self.need is not None and self.weakest is not None and self.weakest.missable > self.need


def compare(
    a: Path, b: Path, margin: float = statistics.MARGIN, against: str = "", need: float | None = None
) -> RunComparison:
    """Compare the results folder `b` with the baseline `a`; `margin` and `need` are fractions.

    What differs between the two in specification, model, data or machine is listed, not judged: `differences`. Raises
    records_file.BadRecords where a folder holds no run.
    """
    old, new = comparability.side("A", a), comparability.side("B", b)
    differences = comparability.differences(old.results, new.results)
    versions = comparability.versions(old.results, new.results)
    rows, machine = _rows(old, new, margin), dict[tuple[str, int], MachineChange]()
    if against:
        rows = _held_against(against, old, new, rows, margin)
    else:
        machine, faster = _machine(old, new, rows, margin)
        rows = [_behind(_without_machine(row, machine, margin), faster) for row in rows]
    return RunComparison(old, new, margin, differences, versions, _sorted(rows), machine, against, need)


def compare_within(
    folder: Path, before: str, after: str, margin: float = statistics.MARGIN, need: float | None = None
) -> RunComparison:
    """Compare two implementations of one run, which took turns: `after` with the baseline `before`.

    Raises records_file.BadRecords where the folder holds no run.
    """
    run = comparability.side("A", folder)
    old, new = replace(run, implementation=before), replace(run, name="B", implementation=after)
    versions = comparability.versions_within(run.results, before, after)
    return RunComparison(old, new, margin, [], versions, _sorted(_rows(old, new, margin)), {}, "", need)


def _rows(a: Side, b: Side, margin: float) -> list[Row]:
    """Every cell that has a possible time in either run, or lost its proof."""
    rows_or_none = [_row(a, b, a.entries.get(name), b.entries.get(name), margin) for name in {**a.entries, **b.entries}]
    return [row for row in rows_or_none if row]


def _sorted(rows: Sequence[Row]) -> list[Row]:
    """The worst first; detected is what the whole table allows."""
    rows = sorted(rows, key=lambda row: (SEVERITY.index(row.verdict), row.cell.id))
    together = iter(statistics.detected_together([row.judged for row in rows if row.judged]))
    return [
        replace(row, without=next(together))
        if row.without
        else replace(row, comparison=next(together))
        if row.comparison
        else row
        for row in rows
    ]


def _row(a: Side, b: Side, old: CellResult | None, new: CellResult | None, margin: float) -> Row | None:
    entry = new or old
    assert entry is not None
    comparison = None
    was_timed, is_timed = (bool(result and result.medians and result.standing != "impossible") for result in (old, new))
    if old and new and was_timed and is_timed:
        comparison = (
            ranking.compare(new, old, margin)
            if a.implementation
            else statistics.compare_unpaired(list(new.medians.values()), list(old.medians.values()), margin)
        )
    timed = [result for result, is_there in ((old, was_timed), (new, is_timed)) if result and is_there]
    is_beside = any(result.standing == "beside" for result in timed)
    if old and new and comparison and old.is_proved and not new.is_proved and not is_beside:
        comparison, is_timed = None, False  # a time of which nothing is proved is none
    lost = b.is_unequal(entry.cell) and a.is_proved(entry.cell) and not is_beside
    if not (timed or lost):
        return None
    counts = lost or (was_timed and all(result.is_proved for result in timed if is_timed or result is old))
    without_ratio: Verdict = "new" if not was_timed else "not settled" if is_timed else "missing"
    verdict = "unequal" if lost else comparison.verdict if comparison else without_ratio
    lost_blocks = _lost(b, new) - _lost(a, old) if comparison else 0
    return Row(entry.cell, old, new, verdict, comparison, counts, _note(old, new), lost=max(lost_blocks, 0))


def _lost(side: Side, entry: CellResult | None) -> int:
    """Blocks that were measured whole, without a time of a cell that has one in others."""
    return side.results.blocks_measured - len(entry.medians) if entry and entry.medians and entry.planned else 0


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


def _machine(
    a: Side, b: Side, rows: Sequence[Row], margin: float
) -> tuple[dict[tuple[str, int], MachineChange], dict[tuple[str, int], Comparison]]:
    """Where the machine itself changed, as far as floors and the cells that count tell; and where the floors alone got faster."""
    timed = [row for row in rows if row.comparison and (row.counts or row.cell.phase in FLOORS)]
    pairs = [(row.a, row.b) for row in timed if row.a and row.b]
    unchanged, same_code = comparability.unchanged(a.results, b.results), comparability.same_code(a.results, b.results)
    machine = machine_change.changes(pairs, unchanged, same_code, margin)
    floors = machine_change.floors(pairs, unchanged, margin)
    faster = {setting: of for setting, of in floors.items() if of.verdict == "faster" and setting not in machine}
    return machine, faster


def _behind(row: Row, faster: Mapping[tuple[str, int], Comparison]) -> Row:
    """With what a machine hides whose floors got faster."""
    of = faster.get((row.cell.who.device, row.cell.who.threads))
    return row if of is None or row.cell.phase in FLOORS else replace(row, hidden=1 / of.ratio.value - 1)


def _without_machine(row: Row, machine: Mapping[tuple[str, int], MachineChange], margin: float) -> Row:
    change = machine.get((row.cell.who.device, row.cell.who.threads))
    if change is None or not (row.comparison and row.a and row.b):
        return row
    return replace(_judged_by(row, change.taken_out((row.a, row.b), margin)), disagreement=change.left)


def _held_against(name: str, a: Side, b: Side, rows: Sequence[Row], margin: float) -> list[Row]:
    """The ratio of ratios: each cell's time over that implementation's own in the same block, B's over A's."""
    others = [_by_group(side, name) for side in (a, b)]
    held = []
    for row in rows:
        ratios = [_over(entry, of) for entry, of in zip((row.a, row.b), others, strict=True)]
        if row.verdict == "unequal":
            held.append(row)
        elif row.cell.who.framework == name:
            held.append(replace(row, counts=row.fails and row.comparison is None, note=f"all are held against {name}"))
        elif not row.comparison:
            held.append(row)
        elif all(ratios):
            held.append(_judged_by(row, statistics.compare_unpaired(ratios[1], ratios[0], margin)))
        else:
            note = "; ".join(filter(None, [row.note, f"{name} has no such cell in both runs"]))
            held.append(replace(row, verdict="not settled", comparison=None, counts=False, note=note))
    return held


def _by_group(side: Side, name: str) -> dict[tuple[str, ...], list[CellResult]]:
    """That implementation's usable cells, by what took turns with them."""
    groups: dict[tuple[str, ...], list[CellResult]] = defaultdict(list)
    for entry in side.results.entries:
        who = entry.cell.who
        if (who.framework, who.variant) == (name, "spec") and entry.standing in ("ranked", "beside"):
            groups[entry.comparison_group].append(entry)
    return groups


def _over(entry: CellResult | None, others: Mapping[tuple[str, ...], Sequence[CellResult]]) -> list[float]:
    """The cell's time over the other implementation's, on the same device and in the same mode if there is one, by block."""
    if entry is None or entry.comparison_group not in others:
        return []
    who = entry.cell.who
    other = min(
        others[entry.comparison_group], key=lambda o: (o.cell.who.device != who.device, o.cell.who.mode != who.mode)
    )
    return [math.exp(log) for log in ranking.log_ratios(entry, other)]


def _judged_by(row: Row, without: Comparison | None) -> Row:
    if without is None:
        return row
    return replace(row, without=without, verdict=row.verdict if row.verdict == "unequal" else without.verdict)
