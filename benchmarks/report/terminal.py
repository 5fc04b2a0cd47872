"""The end of a run in a terminal: the answer in a few lines."""

from collections.abc import Sequence

from benchmarks.analysis.answer import answers, reasons
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.report.sections import answer, networks, warning

MOST = 3
"""Settings and phases that are told of a network; the report has all."""


def lines(results: Results, groups: Sequence[ComparisonGroup]) -> list[str]:
    """Per network the fastest by phase and why; then how sure that is, and what this run does not say."""
    told = [warning(results)] if warning(results) else []
    for of, its_groups in networks(results, groups):
        found = answers(of, its_groups)
        told += [answer.sentence(of, row.yours) for row in found[:MOST]] or [answer.nothing(of)]
        behind = reasons(of, found[0].yours) if found else []
        told += [f"Why: {answer.why(of, found[0].yours, behind[-1])}"] if behind else []
        told += [f"How sure: {' '.join(answer.sure(of, its_groups))}"] if found else []
    more = answer.unsaid_items(results)
    return [*told, *([f"Not said here: {' '.join(more)}"] if more else [])]
