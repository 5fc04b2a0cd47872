"""The end of a run in a terminal: the answer in a few lines."""

from collections.abc import Sequence

from benchmarks.analysis.answer import answers
from benchmarks.analysis.ranking import ComparisonGroup, by_network
from benchmarks.analysis.results import Results
from benchmarks.report.sections import answer, run_quality, warning

MOST = 3
"""Phases that are told of a network, each in its first setting; the report has all."""


def lines(results: Results, groups: Sequence[ComparisonGroup]) -> list[str]:
    """Per network the fastest by phase, and of one that was named why and how sure that is; then what this run does not say."""
    told = [warning(results)] if warning(results) else []
    for of, its_groups in by_network(results, groups):
        found = answers(of, its_groups)
        first = {row.yours.phase: number for number, row in reversed(list(enumerate(found)))}
        told += [answer.lead(of, found, number) for number in sorted(first.values())[:MOST]] or [answer.nothing(of)]
        told += answer.without_rank(of)
        if of.network.unnamed:
            continue
        told += [f"Why: {reason}" for reason in (answer.whys(of, found[0].yours)[-1:] if found else [])]
        told += [f"How sure: {' '.join(run_quality.sure(of, its_groups))}"] if found else []
    more = answer.unsaid_items(results)
    return [*told, *([f"Not said here: {' '.join(more)}"] if more else [])]
