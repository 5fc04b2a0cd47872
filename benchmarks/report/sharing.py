"""A run as others see it: a line of the gallery, and what stands against sending it in."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import wording
from benchmarks.analysis.ranking import by_network, comparison_groups
from benchmarks.analysis.results import Results
from benchmarks.report import facts, nodes, sections
from benchmarks.report.sections import answer, equivalence
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT


@dataclass(frozen=True)
class Shared:
    """What a run is, in words."""

    machine: str
    measured: str
    extent: str
    answers: Sequence[str]
    proofs: str
    notes: Sequence[str]
    """What a reader should know of it."""

    problems: Sequence[str]
    """Why it cannot be shown, each with what to do; none where it can."""


def shared(results: Results) -> Shared:
    """The run in words, and its problems."""
    return Shared(
        machine=facts.machine(results.environment),
        measured=results.run.started_at[:10],
        extent=f"profile {results.run.profile}, {facts.blocks(results)}",
        answers=answer.firsts(by_network(results, comparison_groups(results))),
        proofs=equivalence.verdict(results),
        notes=[*filter(None, [sections.warning(results), _names(results)]), *results.problems],
        problems=_problems(results),
    )


def _names(results: Results) -> str:
    """A sentence where the records hold names of machines, as they do under Slurm; elsewhere they hold hashes."""
    named = any(block.node not in ("", results.environment.get("host")) for block in results.blocks)
    return f"The records name the machine: {nodes.of(results)}." if named else ""


def _problems(results: Results) -> list[str]:
    done, planned, least = len(results.blocks), results.run.blocks, MIN_BLOCKS_FOR_VERDICT
    found = [
        (not results.environment, "environment.json, which says what machine it is, is missing: measure again"),
        (done < planned, f"{done} of {planned} blocks are there: give the same command again, which goes on with it"),
        (planned < least, f"it has {wording.count(planned, 'block')}, and a verdict needs {least}: measure with --blocks {least}"),
        (bool(results.run.code.dirty), "the code had been changed: measure with a commit as it is (git status)"),
    ]  # fmt: skip
    return [text for is_so, text in found if is_so]
