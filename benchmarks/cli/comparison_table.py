"""The table of `compare`: a row per cell, the worst first; what all cells have in common is said once, above it."""

import textwrap
from itertools import zip_longest

from benchmarks import wording
from benchmarks.analysis.compared_cell import Row
from benchmarks.analysis.run_comparison import RunComparison
from benchmarks.records.record import Cell

WIDTH = 80
HEADING = ("verdict", "B/A", "95% interval", "measured", "A", "B", "cell")


def render(runs: RunComparison) -> list[str]:
    """The lines. What is to be noted of a row stands below it; a verdict in brackets cannot fail."""
    common, names = cell_names(runs)
    compared = [_blocks(row) for row in runs.rows if row.comparison]
    blocks = max(compared, key=compared.count, default="")
    table = [HEADING, *(_columns(row, names[row.cell.id]) for row in runs.rows)]
    if not any(row.without for row in runs.rows):
        table = [(*columns[:3], *columns[4:]) for columns in table]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    heading, *lines = (
        "  ".join(text.ljust(width) for text, width in zip(columns, widths, strict=True)).rstrip() for columns in table
    )
    above = [f"All cells: {', '.join(common)}."] if common else []
    above += [f"Blocks in A and B: {blocks}, where nothing else is said."] if blocks else []
    rows = [[line, *_notes(row, blocks)] for row, line in zip(runs.rows, lines, strict=True)]
    return [*above, "", heading, *(line for of_row in rows for line in of_row)]


def cell_names(runs: RunComparison) -> tuple[list[str], dict[str, str]]:
    """What all cells have in common, and the rest of each one's identity by cell."""
    parts = {row.cell.id: [wording.clean(part) for part in _words(row.cell, runs.in_turns)] for row in runs.rows}
    columns = list(zip_longest(*parts.values(), fillvalue=""))
    same = [len(parts) > 1 and len(set(column)) == 1 for column in columns]
    common = [column[0] for column, is_same in zip(columns, same, strict=True) if is_same and column[0]]
    return common, {
        name: " ".join(part for part, is_same in zip(of, same, strict=False) if part and not is_same)
        for name, of in parts.items()
    }


def _words(cell: Cell, in_turns: bool) -> list[str]:
    """Of its identity, without what goes without saying: the specification's own variant, and A's and B's names."""
    unsaid = {"spec", cell.who.framework} if in_turns else {"spec"}
    return ["" if word in unsaid else word for word in cell.words] + cell.sizes


def _columns(row: Row, name: str) -> tuple[str, ...]:
    times = [entry.time if entry else None for entry in (row.a, row.b)]
    judged = row.judged.ratio if row.judged else None
    return (
        row.verdict if row.counts else f"({row.verdict})",
        wording.ratio(judged.value) if judged else wording.NO_VALUE,
        wording.ratio_interval(judged) if judged else wording.NO_VALUE,
        wording.ratio(row.comparison.ratio.value) if row.comparison else wording.NO_VALUE,
        *(wording.duration(time.value) if time else wording.NO_VALUE for time in times),
        name,
    )


def _blocks(row: Row) -> str:
    return " and ".join(str(len(entry.medians) if entry else 0) for entry in (row.a, row.b))


def _notes(row: Row, blocks: str) -> list[str]:
    beside = row.a and row.b and row.a.standing == row.b.standing == "beside"
    notes = [
        f"{_blocks(row)} blocks" if row.comparison and _blocks(row) != blocks else "",
        "" if beside else wording.clean(row.note),
        "may be chance in so large a table (Holm)" if row.may_be_chance else "",
        f"failed in {wording.count(row.lost, 'block')} more of B than of A" if row.lost else "",
    ]
    return textwrap.wrap("; ".join(filter(None, notes)), WIDTH, initial_indent="    ", subsequent_indent="    ")
