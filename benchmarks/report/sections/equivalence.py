"""Equivalence: for each implementation, the worst error of each group of tensors against its budget.

And what the frameworks themselves compute otherwise than they should, so that nobody takes it for our code.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from benchmarks import wording
from benchmarks.analysis.cell_results import over_budget
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.records.record import Check, Configuration, ProofRecord
from benchmarks.report import proof_table
from benchmarks.report.document import Block, Heading, Section, Text, table
from benchmarks.wording import NO_VALUE


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """The matrix, every check that failed, and the limits of the frameworks."""
    return Section("equivalence", "Equivalence", [*_proofs(results), *_limits(results)])


def _proofs(results: Results) -> list[Block]:
    if not results.proofs:
        return [Text("No proof was recorded, so nothing can be ranked.")]
    note = (
        "Each implementation is compared with the oracle (the network in NumPy, in float64), tensor by tensor, in the process and "
        "on the callable that is timed. A number is the worst error over all tensors of the group, sizes and blocks, divided by "
        "its budget (what rounding may do there): ✓ up to 1, ✗ above. A cell that fails is not ranked. There is a proof for each size in each block: "
        "a step and a prediction from the middle of training, in the first block also from its beginning. Trajectories of many steps "
        "are asked by the command verify, not in a run. Conduct: repeating the step gives the same bits, the inputs "
        "are as they were, and the precision that is in force is the one that is named."
    )
    return [Text(note), *_matrix(results), *failures(results)]


def _matrix(results: Results) -> list[Block]:
    proofs_of: dict[Configuration, list[ProofRecord]] = defaultdict(list)
    for proof in results.proofs:
        proofs_of[proof.who].append(proof)
    by_column = {who: _by_column(proofs) for who, proofs in proofs_of.items()}
    names = [name for name in proof_table.ALL_COLUMNS if any(name in checks for checks in by_column.values())]
    rows = [_row(who, proofs, [by_column[who].get(name, []) for name in names]) for who, proofs in proofs_of.items()]
    columns = ("implementation", "device", "setting", "#proofs passed", *(f"#{name}" for name in names))
    frameworks = [who.framework for who in proofs_of]
    return table("Worst error over budget", rows, *columns, frameworks=frameworks)


def _by_column(proofs: Iterable[ProofRecord]) -> dict[str, list[Check]]:
    checks_of: dict[str, list[Check]] = defaultdict(list)
    for proof in proofs:
        for check in proof.checks:
            checks_of[proof_table.column_of(check)].append(check)
    return checks_of


def _row(who: Configuration, proofs: Sequence[ProofRecord], by_column: Sequence[Sequence[Check]]) -> list[str]:
    passed = f"{sum(proof.passed for proof in proofs)} of {len(proofs)}"
    names = (wording.implementation(who, with_device=False), who.device, wording.setting(who))
    return [*names, passed, *map(_worst, by_column)]


def _worst(checks: Sequence[Check]) -> str:
    if not checks:
        return NO_VALUE
    worst = max(checks, key=lambda check: (not check.passed, math.isnan(over_budget(check)), over_budget(check)))
    return f"{'✓' if worst.passed else '✗'} {wording.number(over_budget(worst), 2)}"


def verdict(results: Results) -> str:
    """How many proofs passed."""
    passed = sum(proof.passed for proof in results.proofs)
    return f"{passed} of {wording.count(len(results.proofs), 'proof')} passed. What did not pass is not ranked."


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


def _limits(results: Results) -> list[Block]:
    """What the planned frameworks compute otherwise than they should; nothing where nothing is known."""
    rows = [
        [
            wording.listed(map(wording.framework, limit.frameworks)),
            *(limit.name, limit.statement, limit.consequence, limit.answer, limit.reproduction),
        ]
        for limit in results.run.limits
    ]
    note = (
        "This is not the code of this project: each row is shown by a short program that has nothing but the framework in "
        "it. A test runs them all, and fails when a fault is gone. Where a program speaks of several backends of Keras, "
        "the environment variable KERAS_BACKEND chooses one."
    )
    columns = ("framework", "limit", "what it does", "consequence", "what samenet does about it", "shown by")
    blocks = table("Where a framework computes something else than it should", rows, *columns)
    return [Heading("Limits of the frameworks themselves"), Text(note), *blocks] if blocks else []
