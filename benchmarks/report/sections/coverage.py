"""Coverage: what was planned, what came of it, and the reason for every hole."""

from collections import Counter
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.report import missing
from benchmarks.report.document import Block, Code, Section, table
from benchmarks.wording import NO_VALUE

AGAIN = "the same command with --retry-failed"
_NO_RANK = "measured, no rank"
_KINDS = ("measured", _NO_RANK, "measured in part", "failed", "skipped", "unequal", "not run")


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """Counts per implementation, then each cell that is not whole, then what was not there.

    No counts per implementation where no cell is missing.
    """
    blocks = [*holes(results), *_untrained(results)]
    if blocks:
        blocks = [*_counts(results), *blocks]
    blocks += _absent(results)
    return Section("coverage", "Coverage", blocks, summary(results))


def _kind(entry: CellResult, blocks: int) -> str:
    if entry.medians and entry.standing in ("not proved", "impossible"):
        return _NO_RANK
    return "measured in part" if entry.medians and len(entry.medians) < blocks else entry.status


def summary(results: Results) -> str:
    """What was planned and what was measured whole."""
    planned = [entry for entry in results.entries if entry.planned]
    whole = len(planned) - len(results.holes())
    text = f"{wording.count(len(planned), 'cell')} planned, {whole} measured in all {wording.count(results.block_count, 'block')}."
    return f"{text[:-1]}; {missing.lost_trainings(results)}." if results.untrained else text


def _counts(results: Results) -> list[Block]:
    counts: dict[str, Counter[str]] = {}
    frameworks: dict[str, str] = {}
    for entry in results.entries:
        if entry.planned:
            label = wording.label(results, entry.cell.who)
            counts.setdefault(label, Counter())[_kind(entry, results.block_count)] += 1
            frameworks[label] = entry.cell.who.framework
    # In a count, unlike in a measurement, nothing is zero.
    rows = [(label, str(kinds.total()), *(str(kinds[kind]) for kind in _KINDS)) for label, kinds in counts.items()]
    columns = ("implementation", "#planned", *(f"#{kind}" for kind in _KINDS))
    return table("Cells by implementation", rows, *columns, frameworks=list(frameworks.values()))


def holes(results: Results) -> list[Block]:
    """Every planned cell without a whole timing, and every cell that lost its rank, with the reason and what to do."""
    blocks = results.block_count
    partial = {entry.id for entry in results.holes()}
    troubled = [e for e in results.entries if (e.reason and e.standing != "beside") or e.id in partial]
    rows = [_hole(results, entry, blocks) for entry in troubled]
    columns = ("cell", "what came of it", "#blocks", "reason", "what to do")
    troubles = table("Cells with a hole or without a rank", rows, *columns)
    cells_of: dict[str, list[str]] = {}
    for entry in troubled:
        cells_of.setdefault("\n".join(entry.last_lines), []).append(entry.id)
    for text, cells in cells_of.items():
        more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        troubles += [Code(f"Last lines: {cells[0]}{more}", text)] if text else []
    return troubles


def _hole(results: Results, entry: CellResult, blocks: int) -> list[str]:
    cell = entry.cell
    name = f"{wording.label(results, cell.who)}, {wording.timed(cell.phase, cell.axes)} ({wording.setting(cell.who)})"
    return [
        name,
        _kind(entry, blocks),
        f"{len(entry.medians)} of {blocks}",
        entry.reason or NO_VALUE,
        entry.fix or NO_VALUE,
    ]


def _untrained(results: Results) -> list[Block]:
    """Trainings on the data that were lost."""
    rows = [[wording.label(results, lost.who), lost.reason, AGAIN] for lost in results.untrained]
    lines = [
        Code(f"Last lines: {wording.label(results, lost.who)}", "\n".join(lost.last_lines))
        for lost in results.untrained
        if lost.last_lines
    ]
    return [*table("Trainings that were lost", rows, "implementation", "reason", "what to do"), *lines]


def _absent(results: Results) -> list[Block]:
    rows = [
        [wording.framework(a.framework), a.device or NO_VALUE, a.reason or NO_VALUE, a.fix or NO_VALUE]
        for a in results.run.absent
    ]
    return table("Not there, so not planned", rows, "framework", "device", "reason", "what to do", once=["device"])
