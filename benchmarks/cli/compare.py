"""What `compare` prints, as text and as JSON, and its exit code."""

import math
import re
from dataclasses import asdict, is_dataclass
from typing import Any

from benchmarks import wording
from benchmarks.analysis.comparability import Refused, Side
from benchmarks.analysis.comparison import Found, Row, null_failure
from benchmarks.cli import exit_codes


def exit_code(found: Found) -> int:
    """An unequal cell comes before a slower or missing one and a failed null control."""
    if any(row.fails and row.verdict == "unequal" for row in found.rows):
        return exit_codes.UNEQUAL
    return exit_codes.REGRESSION if found.failures else exit_codes.GOOD


def fraction(text: str) -> float:
    """A percentage as a fraction: "3%" is 0.03. Raises Refused for anything else, and outside 0% to 100%."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%", text.strip())
    if match is None or not 0 <= float(match[1]) < 100:
        raise Refused(f"--margin {wording.clean(text)}: give a percentage from 0% to below 100%, such as 3%.")
    return float(match[1]) / 100


def as_json(found: Found) -> dict[str, Any]:
    """The same for programs: times in seconds, nothing rounded; null for a number that is not there or is infinite."""
    versions = [
        {"framework": framework, "package": package, "A": old, "B": new}
        for (framework, package), (old, new) in found.versions.items()
    ]
    names = ("summary", "failures", "warnings", "differences", "margin")
    return _plain(
        {name: getattr(found, name) for name in names}
        | {"exit_code": exit_code(found)}
        | {"runs": {side.name: _run_json(side) for side in found.sides}, "versions": versions}
        | {"cells": [_row_json(row) for row in found.rows]}
    )


def render(found: Found) -> str:
    """The same for people: plain text, the summary first, then warnings, versions and the table."""
    lines = [found.summary, *(f"Warning: {text}" for text in found.warnings), *map(null_failure, found.failed_nulls)]
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
