"""What `compare` prints, as text and as JSON, and its exit code."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from benchmarks import wording
from benchmarks.analysis import run_comparison
from benchmarks.analysis.comparability import Difference, Side
from benchmarks.analysis.run_comparison import SEVERITY, Row, RunComparison
from benchmarks.analysis.run_quality import NullControl
from benchmarks.cli import exit_codes
from benchmarks.report import facts
from benchmarks.report.sections import uncertainty
from implementations.errors import BadInput

DRIFT = (
    "These runs were measured at different times, not in turns: whatever drifted between them (other load, heat, "
    "settings) is in every ratio. To decide between two versions, run both again in turns."
)


def compare(a: Path, b: Path, margin: str, anyway: bool) -> RunComparison:
    """The comparison of B with the baseline A. Raises BadInput where there is nothing to compare, or where what must be
    the same in both is not (unless `anyway`)."""
    runs = run_comparison.compare(a, b, fraction(margin))
    if runs.differences and not anyway:
        differing = "; ".join(map(_difference, runs.differences))
        raise BadInput(f"{a} (A) and {b} (B) differ in {differing}. --anyway compares them all the same.")
    if not any(entry.medians for entry in runs.a.results.entries):
        raise BadInput(f"{a} (A) holds no time to compare with. Give the folder of a run that measured something.")
    return runs


def exit_code(runs: RunComparison) -> int:
    """An unequal cell comes before a slower or missing one and a failed null control."""
    if any(row.fails and row.verdict == "unequal" for row in runs.rows):
        return exit_codes.UNEQUAL
    return exit_codes.REGRESSION if runs.fails else exit_codes.GOOD


def fraction(text: str) -> float:
    """A percentage as a fraction: "3%" is 0.03. Raises BadInput for anything else, and outside 0% to 100%."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%", text.strip())
    if match is None or not 0 <= float(match[1]) < 100:
        raise BadInput(f"--margin {wording.clean(text)}: give a percentage from 0% to below 100%, such as 3%.")
    return float(match[1]) / 100


def summary(runs: RunComparison) -> str:
    """The first sentence."""
    counts = Counter(row.verdict for row in runs.rows if row.counts)
    parts = [f"{counts[verdict]} {verdict}" for verdict in SEVERITY if counts[verdict]]
    nulls, uncounted = len(runs.failed_nulls), sum(not row.counts for row in runs.rows)
    parts += [wording.count(nulls, "failed null control")] if nulls else []
    parts += [f"{uncounted} shown that cannot fail"] if uncounted else []
    verdict = "The comparison of B with A fails" if runs.fails else "No regression of B against A was found"
    return f"{verdict}: {wording.listed(parts)} (margin {100 * runs.margin:g}%)."


def warnings(runs: RunComparison) -> list[str]:
    """What a reader must know before believing a ratio."""
    texts = [DRIFT]
    texts += [f"Compared anyway, although they differ in {_difference(difference)}." for difference in runs.differences]
    for side in runs.sides:
        texts += [f"{side.name}: {problem}" for problem in side.results.problems]
        texts += [f"{side.name}: {text}"] if (text := uncertainty.interfered(side.results)) else []
        texts += [] if side.null_controls else [f"{side.name} had no null control: its own measuring is unchecked."]
    return texts


def _difference(difference: Difference) -> str:
    a, b = facts.text(difference.a), facts.text(difference.b)
    return wording.clean(f"{difference.fact}: {a} in A, {b} in B")


def _null_failure(failed: tuple[Side, NullControl]) -> str:
    side, null = failed
    where = f"{wording.phase(null.cell.phase)}, {wording.size(null.cell.axes)}, {wording.setting(null.cell.who)}"
    came_out = f"{wording.ratio(null.comparison.ratio.value)} ({wording.ratio_interval(null.comparison.ratio)})"
    return f"The null control of {side.name} failed ({where}): the same implementation twice came out as {came_out}."


def as_json(runs: RunComparison) -> dict[str, Any]:
    """The same for programs: times in seconds, nothing rounded; null for a number that is not there or is infinite."""
    versions = [
        {"framework": framework, "package": package, "A": old, "B": new}
        for (framework, package), (old, new) in runs.versions.items()
    ]
    failures = [f"{row.cell.id} is {row.verdict}." for row in runs.rows if row.fails]
    found = {
        "summary": summary(runs),
        "failures": [*failures, *map(_null_failure, runs.failed_nulls)],
        "warnings": warnings(runs),
        "differences": list(map(_difference, runs.differences)),
        "margin": runs.margin,
        "exit_code": exit_code(runs),
        "runs": {side.name: _run_json(side) for side in runs.sides},
        "versions": versions,
        "cells": [_row_json(row) for row in runs.rows],
    }
    plain: dict[str, Any] = to_jsonable_python(found, inf_nan_mode="null")
    return plain


def render(runs: RunComparison) -> str:
    """The same for people: plain text, the summary first, then warnings, versions and the table."""
    lines = [summary(runs), *(f"Warning: {text}" for text in warnings(runs)), *map(_null_failure, runs.failed_nulls)]
    for side in runs.sides:
        run = side.results.run
        blocks = wording.count(run.blocks, "block")
        lines.append(f"{side.name}: {side.folder}, {run.started_at}, {run.profile}, {blocks}")
    for (framework, package), (old, new) in runs.versions.items():
        lines.append(f"{framework}: {package} {old or 'not there'} in A, {new or 'not there'} in B")
    table = [("verdict", "B/A", "95% interval", "A", "B", "blocks", "cell", "note"), *map(_columns, runs.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    rows = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table)
    return "\n".join([*map(wording.clean, lines), "", *rows])


def _columns(row: Row) -> tuple[str, ...]:
    times = [entry.time if entry else None for entry in (row.a, row.b)]
    ratio = row.comparison.ratio if row.comparison else None
    by_chance = row.comparison and row.verdict in ("faster", "slower") and not row.comparison.detected
    notes = [wording.clean(row.note), "may be chance in so large a table (Holm)" if by_chance else ""]
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
    null_controls = [
        {"group": null.cell.comparison_group, "comparison": null.comparison} for null in side.null_controls
    ]
    return {"folder": str(side.folder), "null_controls": null_controls} | {
        "started_at": run.started_at,
        "profile": run.profile,
        "blocks": run.blocks,
        "code": run.code.model_dump(exclude_none=True),
    }


def _row_json(row: Row) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(row, name) for name in ("verdict", "counts", "fails", "comparison")}
    values["note"] = wording.clean(row.note)
    for name, entry in (("A", row.a), ("B", row.b)):
        values[name] = entry and {"status": entry.status, "standing": entry.standing, "seconds": entry.time}
    return {"id": row.cell.id} | values
