"""What `compare` prints, as text and as JSON, and its exit code."""

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from benchmarks import wording
from benchmarks.analysis import comparability, run_comparison
from benchmarks.analysis.comparability import Side
from benchmarks.analysis.compared_cell import SEVERITY, Row
from benchmarks.analysis.run_comparison import RunComparison
from benchmarks.analysis.run_quality import NullControl
from benchmarks.cli import comparison_table, comparison_warnings, exit_codes
from benchmarks.records.record import COPY
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from implementations.errors import BadInput

FEW = f"with fewer than {MIN_BLOCKS_FOR_VERDICT} blocks"


def compare(
    a: Path,
    b: str,
    after: str | None,
    margin: str,
    anyway: bool = False,
    against: str | None = None,
    need: str | None = None,
) -> RunComparison:
    """The comparison of the folder B with the baseline A, or, where `after` is given, of two implementations of one run.

    Raises BadInput where there is nothing to compare, or where what must be the same in both is not (unless `anyway`).
    """
    share, needed = fraction("--margin", margin), None if need is None else fraction("--need", need)
    if after is None:
        runs = run_comparison.compare(a, Path(b), share, against or "", needed)
        names = [] if against is None else [against]
    elif anyway or against is not None:
        raise BadInput("--anyway and --against are for two folders: what one run holds was measured in turns.")
    elif b == after:
        raise BadInput(f"{b} is named twice. Name what was before and what comes after, as in torch torch@next.")
    else:
        runs = run_comparison.compare_within(a, b, after, share, needed)
        names = [b, after]
    if runs.differences and not anyway:
        differing = "; ".join(map(comparison_warnings.difference, runs.differences))
        raise BadInput(f"{a} (A) and {b} (B) differ in {differing}. --anyway compares them all the same.")
    for name in names:
        _check_name(name, runs)
    if not any(entry.medians for entry in runs.a.entries.values()):
        raise BadInput(f"{a} (A) holds no time to compare with. Give the folder of a run that measured something.")
    return runs


def _check_name(name: str, runs: RunComparison) -> None:
    """Raises BadInput where a run has no implementation of that name."""
    for side in runs.sides:
        there = list(dict.fromkeys(entry.cell.who.framework for entry in side.results.entries))
        if name not in there:
            has = wording.clean(wording.listed(there)) or "nothing"
            raise BadInput(f"{side.folder} has no implementation {wording.clean(name)}. It has {has}.")


def exit_code(runs: RunComparison) -> int:
    """An unequal cell comes first, then a slower or missing one and a failed null control, a changed machine, blindness."""
    if any(row.fails and row.verdict == "unequal" for row in runs.rows):
        return exit_codes.UNEQUAL
    if runs.fails:
        return exit_codes.REGRESSION
    if runs.machine:
        return exit_codes.MACHINE
    unsure = runs.is_untold or runs.misses_need or runs.doubtful
    return exit_codes.FAILED if unsure else exit_codes.GOOD


def fraction(option: str, text: str) -> float:
    """A percentage as a fraction: "3%" is 0.03. Raises BadInput for anything else, and outside 0% to 100%."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%", text.strip())
    if match is None or not 0 <= float(match[1]) < 100:
        raise BadInput(f"{option} {wording.clean(text)}: give a percentage from 0% to below 100%, such as 3%.")
    return float(match[1]) / 100


def summary(runs: RunComparison) -> str:
    """The first sentences: the machine, where it changed; what came out; the verdicts."""
    verdicts = Counter(FEW if _is_untold(row) else row.verdict for row in runs.rows if row.counts)
    parts = [f"{verdicts[verdict]} {verdict}" for verdict in (*SEVERITY, FEW) if verdicts[verdict]]
    nulls, uncounted = len(runs.failed_nulls), sum(not row.counts for row in runs.rows)
    parts += [wording.count(nulls, "failed null control")] if nulls else []
    parts += [f"{uncounted} in brackets, which cannot fail"] if uncounted else []
    found = f"{_found(runs)}: {wording.listed(parts) or 'nothing to compare'} (margin {100 * runs.margin:g}%{_wider(runs)})."
    return " ".join([*_machine(runs), found])


def _wider(runs: RunComparison) -> str:
    left = max((row.disagreement for row in runs.rows), default=0.0)
    return f", wider by {_percent(left)}, as far as the floors disagree" if left else ""


def _is_untold(row: Row) -> bool:
    return row.counts and not row.fails and math.isinf(row.missable)


def _found(runs: RunComparison) -> str:
    held = f" (each cell held against {runs.against})" if runs.against else ""
    rest = " (with that taken out)" if runs.machine else held
    if runs.fails:
        return f"The comparison of B with A fails{rest}"
    if runs.is_blind:
        why = f"a verdict needs {MIN_BLOCKS_FOR_VERDICT} blocks" if runs.weakest else "no cell that counts is in both"
        return f"Whether B is slower than A could not be told, because {why}"
    none = "No regression of B against A was found" + " where it could be told" * any(map(_is_untold, runs.rows))
    need = f", but one of {_percent(runs.need)} could have been missed" if runs.misses_need else ""
    return f"{none}{rest}{need}{_doubt(runs)}"


def _doubt(runs: RunComparison) -> str:
    """Which cells a regression may be in, though none was found."""
    lost = [row for row in runs.doubtful if row.lost]
    slower = len(runs.doubtful) - len(lost)
    said = [f"{wording.count(slower, 'cell')} may be slower, or that is chance in so large a table"] if slower else []
    said += [f"{wording.count(len(lost), 'cell')} failed in more blocks of B than of A"] if lost else []
    return f", but {wording.listed(said)}: measure again" if said else ""


def _machine(runs: RunComparison) -> list[str]:
    """What moved together, one sentence for each device and number of threads."""
    settings = {(row.cell.who.device, row.cell.who.threads) for row in runs.rows}
    told, cause = [], "the machine"
    if not comparability.same_code(runs.a.results, runs.b.results):
        cause = "the machine, or something in this code that all share (threads, the harness)"
    elif not runs.fails:
        cause = "the machine, not the code"
    for change in runs.machine.values():
        where = f" on {change.device} with {wording.count(change.threads, 'thread')}" if len(settings) > 1 else ""
        floors = ["matrix products" if phase != COPY else "large copies" for phase in change.phases]
        witnesses = wording.listed(dict.fromkeys(floors)) or "what has the same code and version"
        factor = f"{wording.ratio(change.comparison.ratio.value)}x ({wording.ratio_interval(change.comparison.ratio)})"
        told.append(f"Everything{where} moved by about {factor}, {witnesses} too: {cause}.")
    return told


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0.0):.3g}%"


def resolution(runs: RunComparison) -> str:
    """Which slowdowns could have been missed, and where the largest; nothing where no cell counts."""
    row = runs.weakest
    if row is None:
        return ""
    if row.missable == 0:
        return "No slowdown could have been missed."
    names = comparison_table.cell_names(runs)[1]
    if math.isfinite(row.missable):
        missed = f"Could have missed slowdowns up to {_percent(math.ceil(1000 * row.missable) / 1000)} ({names[row.cell.id]})."
    else:
        blocks = row.judged.ratio.blocks if row.judged else 0
        missed = (
            f"Could have missed any slowdown ({names[row.cell.id]}): {wording.count(blocks, 'block')} there, and a verdict needs "
            f"{MIN_BLOCKS_FOR_VERDICT} on both sides."
        )
    asked = (
        f" {_percent(runs.need)} was asked for: measure more blocks (--blocks, --budget)." if runs.misses_need else ""
    )
    return missed + asked


def _null_failure(failed: tuple[Side, NullControl]) -> str:
    side, null = failed
    where = f"{wording.phase(null.cell.phase)}, {wording.size(null.cell.axes)}, {wording.setting(null.cell.who)}"
    came_out = f"{wording.ratio(null.comparison.ratio.value)} ({wording.ratio_interval(null.comparison.ratio)})"
    return f"The null control of {comparison_warnings.whose(side)} failed ({where}): the same implementation twice came out as {came_out}."


def as_json(runs: RunComparison) -> dict[str, Any]:
    """The same for programs: times in seconds, nothing rounded; null for a number that is not there or is infinite."""
    versions = [
        {"framework": framework, "package": package, "A": old, "B": new}
        for (framework, package), (old, new) in runs.versions.items()
    ]
    found = {
        "summary": summary(runs),
        "failures": _failures(runs),
        "warnings": comparison_warnings.warnings(runs),
        "differences": list(map(comparison_warnings.difference, runs.differences)),
        "margin": runs.margin,
        "need": runs.need,
        "against": runs.against or None,
        "exit_code": exit_code(runs),
        "could_have_missed": runs.weakest and {"slowdown": runs.weakest.missable, "id": runs.weakest.cell.id},
        "machine": [
            {name: getattr(change, name) for name in ("device", "threads", "phases", "comparison", "left")}
            for change in runs.machine.values()
        ],
        "runs": {side.name: _run_json(side) for side in runs.sides},
        "versions": versions,
        "cells": [_row_json(row) for row in runs.rows],
    }
    plain: dict[str, Any] = to_jsonable_python(found, inf_nan_mode="null")
    return plain


def _failures(runs: RunComparison) -> list[str]:
    """Why the exit code is not 0."""
    failures = [f"{row.cell.id} is {row.verdict}." for row in runs.rows if row.fails]
    failures += [*map(_null_failure, runs.failed_nulls), *_machine(runs)]
    failures += [resolution(runs) or _found(runs)] if runs.is_untold or runs.misses_need else []
    return failures + ([f"{_found(runs)}."] if runs.doubtful and not runs.fails else [])


def render(runs: RunComparison) -> str:
    """The same for people: plain text, the summary first, then warnings, versions and the table."""
    lines = [summary(runs), resolution(runs), *(f"Warning: {text}" for text in comparison_warnings.warnings(runs))]
    lines += map(_null_failure, runs.failed_nulls)
    for side in runs.sides:
        run = side.results.run
        of = f"{side.implementation} of " if side.implementation else ""
        blocks = wording.count(side.results.blocks_measured, "block")
        lines.append(f"{side.name}: {of}{side.folder}, {run.started_at}, {run.profile}, {blocks}")
    for (framework, package), (old, new) in runs.versions.items():
        lines.append(f"{framework}: {package} {old or 'not there'} in A, {new or 'not there'} in B")
    lines += (
        [f"B/A is {_rest(runs)}; measured is the ratio as it was."] if any(row.without for row in runs.rows) else []
    )
    return "\n".join([*map(wording.clean, filter(None, lines)), *comparison_table.render(runs)])


def _rest(runs: RunComparison) -> str:
    if runs.against:
        return f"the ratio of each cell's time to that of {runs.against} in B over the one in A"
    return "what is left with the machine's factor taken out"


def _run_json(side: Side) -> dict[str, Any]:
    run = side.results.run
    null_controls = [
        {"group": null.cell.comparison_group, "comparison": null.comparison} for null in side.null_controls
    ]
    return {"folder": str(side.folder), "null_controls": null_controls} | {
        "implementation": side.implementation or None,
        "started_at": run.started_at,
        "profile": run.profile,
        "blocks": side.results.blocks_measured,
        "code": run.code.model_dump(exclude_none=True),
    }


def _row_json(row: Row) -> dict[str, Any]:
    names = ("verdict", "counts", "fails", "comparison", "without")
    values: dict[str, Any] = {name: getattr(row, name) for name in names}
    values["note"] = wording.clean(row.note)
    for name, entry in (("A", row.a), ("B", row.b)):
        values[name] = entry and {"status": entry.status, "standing": entry.standing, "seconds": entry.time}
    return {"id": row.cell.id} | values
