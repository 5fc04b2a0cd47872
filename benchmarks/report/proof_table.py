"""Proofs as a table: framework, device, precision, mode and size against what was compared; then what failed, and what is
only reported.
"""

import io
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from benchmarks import wording
from benchmarks.analysis.cell_results import over_budget
from benchmarks.records.record import Check, ProofRecord

COLUMNS = {
    "logits": ("logits",),
    "loss": ("loss", "sample losses"),
    "gradients": ("gradients", "null tensors"),
    "statistics": ("statistics",),
    "optimizer": ("slots", "counter"),
    "parameters": ("parameters", "change of parameters", "parameters from slots"),
    "dropout": ("mask scale", "mask keep rate", "mask repeats nothing"),
}
"""Column -> groups of checks. Whatever stands in none of them is in the column of its check, or in `conduct`."""

_COLUMN_OF = {group: column for column, groups in COLUMNS.items() for group in groups}

TRAINED = {"loss", "gradients", "parameters"}
"""Columns of which a proof of a training step has one at least."""

PREDICTIONS = "equal, predictions"
RUNS = ("free run", "restarted run")
LONG_RUNS, CONDUCT = "long runs", "conduct"
ALL_COLUMNS = (*COLUMNS, LONG_RUNS, CONDUCT)
EXPLANATION = (
    "The largest error over its budget, up to 1 is equal. conduct: the same bits when repeated, nothing remembered, shared "
    "or overwritten, NaN comes out, precision and determinism as promised."
)


def render(proofs: Sequence[ProofRecord]) -> str:
    """For people; numbers are error over budget."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    columns = ("implementation", "device", "precision", "mode", "size", "verdict", *ALL_COLUMNS)
    table = Table(*columns, box=box.SIMPLE)
    several = len({proof.who.model for proof in proofs}) > 1
    for proof in proofs:
        who, checks_of = proof.who, by_column([proof])
        table.add_row(
            f"{who.model}, {who.label}" if several else who.label,
            who.device,
            who.precision,
            who.mode,
            wording.size(proof.axes),
            verdict(proof),
            *(worst(checks_of[name]) for name in ALL_COLUMNS),
        )
    out = io.StringIO()
    Console(file=out, width=400, highlight=False, no_color=True).print(table)
    lines = [line.rstrip() for line in out.getvalue().splitlines() if line.strip()]
    return "\n".join([*lines, "", EXPLANATION, *_failures(proofs), *_notes(proofs)])


def summary(proofs: Sequence[ProofRecord]) -> str:
    """All of them in one line: how many are equal, and which check came nearest to its budget or beyond it."""
    verdicts = [verdict(proof) for proof in proofs]
    words = {
        "equal": "equal",
        PREDICTIONS: "equal in predictions alone (at that size there is no training step)",
        "UNEQUAL": "UNEQUAL",
        "limit": "equal but for a limit of the framework's own",
    }
    counts = [f"{verdicts.count(name)} {text}" for name, text in words.items() if name in verdicts]
    judged = [
        (check, proof.who)
        for proof in proofs
        for check in proof.checks
        if 0 < check.budget < math.inf and not check.limit
    ]
    text = f"{len(proofs)} proofs: {', '.join(counts)}; {sum(len(proof.checks) for proof in proofs)} checks"
    if not judged:
        return text
    worst, who = max(judged, key=lambda pair: math.inf if math.isnan(pair[0].error) else pair[0].error / pair[0].budget)
    where = f"{who.label} {who.precision}, {worst.check}, {worst.group}: {worst.tensor}"
    return f"{text}, the worst at {worst.error / worst.budget:.2g} of its budget ({where})"


def verdict(proof: ProofRecord) -> str:
    """In a word or two."""
    if proof.passed:
        return "equal" if TRAINED & by_column([proof]).keys() else PREDICTIONS
    return "UNEQUAL" if proof.is_ours else "limit"


def column_of(check: Check) -> str:
    """Where a check is shown."""
    if check.check in RUNS:
        return LONG_RUNS
    if check.check == "generator":
        return "dropout"
    return _COLUMN_OF.get(check.group, CONDUCT)


def by_column(proofs: Iterable[ProofRecord]) -> dict[str, list[Check]]:
    """The checks of these proofs, by where they are shown."""
    checks_of: dict[str, list[Check]] = defaultdict(list)
    for proof in proofs:
        for check in proof.checks:
            checks_of[column_of(check)].append(check)
    return checks_of


def worst(checks: Sequence[Check]) -> str:
    """Error over budget of the worst; nothing where there is no check."""
    if not checks:
        return wording.NO_VALUE
    worst = max(checks, key=lambda check: (not check.passed, math.isnan(over_budget(check)), over_budget(check)))
    sign = "✓" if worst.passed else "limit" if all(check.passed or check.limit for check in checks) else "✗"
    return f"{sign} {wording.number(over_budget(worst), 2)}"


def _failures(proofs: Sequence[ProofRecord]) -> list[str]:
    lines = []
    for proof in proofs:
        size = wording.size(proof.axes)
        for check in proof.checks:
            if not check.passed:
                whose = f"  ({proof.who.framework}'s own: {check.limit})" if check.limit else ""
                lines.append(
                    f"{proof.who.label} {proof.who.precision} {size}: {check.check}, {check.group}: {check.tensor} "
                    f"off by {check.error:.2g}, allowed {check.budget:.2g}{whose}"
                )
    ended = ["A proof ends with the part that fails: nothing longer was asked."] if any(p.ours for p in proofs) else []
    return ["", "Failed:", *lines, *ended] if lines else []


def _notes(proofs: Sequence[ProofRecord]) -> list[str]:
    """What has no bound but is worth knowing: flips that were adopted, and differences between two runs as timed."""
    lines = []
    for proof in proofs:
        flips = sum(int(check.error) for check in proof.checks if check.group == "adopted choices")
        spread = max((check.error for check in proof.checks if check.group == "spread as timed"), default=0.0)
        who = f"{proof.who.label} {proof.who.precision}"
        lines += [f"{who}: the oracle adopted {flips} choices that rounding decides"] if flips else []
        lines += [f"{who}: two runs with the settings that are timed differ by {spread:.1g}"] if spread else []
        refused = [check.tensor for check in proof.checks if check.group == "no deterministic form"]
        lines += [f"{who}: no deterministic form of some operation ({operation})" for operation in refused]
    return ["", *dict.fromkeys(lines)] if lines else []
