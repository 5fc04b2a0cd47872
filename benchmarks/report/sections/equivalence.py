"""Equivalence: for each implementation, the worst error of each group of tensors against its budget.

And what the frameworks themselves compute otherwise than they should, so that nobody takes it for our code.
"""

from collections import defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.records.record import Check, Configuration, ProofRecord
from benchmarks.report import proof_table
from benchmarks.report.document import Block, Section, Text, table
from benchmarks.wording import NO_VALUE

TITLE = "Are they equal?"
_HOW = (
    "Each is compared with the oracle (the network in NumPy, in float64), tensor by tensor, in the process and on the callable that is timed. "
    "A number is the worst error over its budget, what rounding may do there: ✓ up to 1, ✗ above. Conduct: a repeated step gives the same "
    "bits, inputs stay as they were, and the precision in force is the one that is named."
)


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """How many proofs passed; the matrix and every check that failed."""
    if not results.proofs:
        return Section("equivalence", TITLE, [], "No proof was recorded, so nothing can be ranked.")
    blocks = [Text(_HOW), *_matrix(results), *failures(results), Text(_detection(results))]
    return Section("equivalence", TITLE, blocks, verdict(results))


def _detection(results: Results) -> str:
    """What the proof itself was found to notice."""
    detection = results.run.fault_detection
    if not detection.faults:
        return "What the proof notices was not known when this run began; the command make prove finds out."
    planted = [noticed for by_framework in detection.faults.values() for noticed in by_framework.values()]
    dead = sum(any(noticed.values()) for noticed in planted)
    alarms = wording.count(detection.false_alarms, "false alarm")
    code = "of the same code" if detection.same_code else "of older code than that of this run"
    lacking = [each for each in results.run.networks if detection.networks and each.model not in detection.networks]
    others = f" Of the {wording.listed(map(wording.network, lacking))} that is not known yet." if lacking else ""
    return (
        f"The proof was judged itself ({code}): {dead} of {len(planted)} planted faults were noticed, and {detection.seeds:,} seeds without one "
        f"raised {alarms}. results/proof has the newest answers.{others}"
    )


def limits_section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """What the planned frameworks compute otherwise than they should; nothing where nothing is known."""
    rows = [[limit.name, wording.listed(map(wording.framework, limit.frameworks))] for limit in results.run.limits]
    note = "docs/limits.md says of each what the framework does, what follows from it, and what was done about it here."
    caption = "Where a framework computes something else than it should"
    blocks = table(caption, rows, "what", "frameworks", note=note)
    failed = [(proof, check) for proof in results.proofs for check in proof.checks if not check.passed]
    seen = {(check.limit, proof.who.base) for proof, check in failed}
    blocks += [
        Text(f"Seen here, {limit.name}: {limit.statement}")
        for limit in results.run.limits
        if seen & {(limit.name, framework) for framework in limit.frameworks}
    ]
    known = "is" if len(rows) == 1 else "are"
    summary = f"{wording.count(len(rows), 'limit')} {known} known of the frameworks of this run, each shown by a short program in tests/limits."
    return Section("limits", "Limits of the frameworks themselves", blocks, summary if rows else "")


def _matrix(results: Results) -> list[Block]:
    proofs_of: dict[Configuration, list[ProofRecord]] = defaultdict(list)
    for proof in results.proofs:
        proofs_of[proof.who].append(proof)
    by_column = {who: proof_table.by_column(proofs) for who, proofs in proofs_of.items()}
    names = [name for name in proof_table.ALL_COLUMNS if any(name in checks for checks in by_column.values())]
    rows = [_row(who, proofs, [by_column[who].get(name, []) for name in names]) for who, proofs in proofs_of.items()]
    columns = ("implementation", "device", "setting", "#proofs passed", *(f"#{name}" for name in names))
    frameworks = [who.framework for who in proofs_of]
    return table("Worst error over budget", rows, *columns, once=("setting", "device"), frameworks=frameworks)


def _row(who: Configuration, proofs: Sequence[ProofRecord], by_column: Sequence[Sequence[Check]]) -> list[str]:
    passed = f"{sum(proof.passed for proof in proofs)} of {len(proofs)}"
    names = (wording.implementation(who, with_device=False), who.device, wording.setting(who))
    return [*names, passed, *map(proof_table.worst, by_column)]


def verdict(results: Results) -> str:
    """How many proofs passed, and what became of the others."""
    passed = sum(proof.passed for proof in results.proofs)
    said = f"{passed} of {wording.count(len(results.proofs), 'proof')} passed."
    if passed == len(results.proofs):
        return said
    explained = not any(proof.is_ours for proof in results.proofs)
    others = "The others fail by listed limits of their frameworks, and have" if explained else "What did not pass has"
    return f"{said} {others} no rank."


def failures(results: Results) -> list[Block]:
    """Every check that failed."""
    failed = [(proof, check) for proof in results.proofs for check in proof.checks if not check.passed]
    rows, limited = [], any(check.limit for _, check in failed)
    for proof, check in failed:
        row = [wording.label(results, proof.who), f"{wording.size(proof.axes)} ({wording.setting(proof.who)})"]
        row += [str(proof.block), check.check, check.group, check.tensor]
        row += [wording.number(check.error), wording.number(check.budget)]
        rows.append([*row, *([check.limit or NO_VALUE] if limited else [])])
    columns = ["implementation", "size", "#block", "check", "group", "tensor", "#error", "#budget"]
    return table("Checks that failed", rows, *columns, *(["limit of the framework"] if limited else []))
