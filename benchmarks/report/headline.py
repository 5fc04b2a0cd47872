"""What is missing from a run, and from when on a GPU pays, as sentences."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.ranking import ComparisonGroup, by_phase, compare_devices
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import numbers


def partial(results: Results) -> str:
    """What is missing from the plan, or nothing."""
    lost = [lost_trainings(results)] if results.untrained else []
    missing = [*_without_timing(results), *lost, *_without_costs(results)]
    return f"Partial results: {'; '.join(missing)}." if missing else ""


def lost_trainings(results: Results) -> str:
    """Whose trainings on the data were lost."""
    whose = wording.listed(wording.label(results, lost.who) for lost in results.untrained)
    return f"the trainings of {whose} were lost"


def _without_timing(results: Results) -> list[str]:
    holes = results.holes()
    if not holes:
        return []
    planned = sum(entry.planned for entry in results.entries)
    kinds = Counter("measured in some blocks only" if hole.medians else hole.status for hole in holes)
    counts = wording.listed(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    cells = wording.count(planned, "planned cell")
    return [f"{len(holes)} of {cells} lack a timing in at least one block ({counts}), see Coverage"]


def _without_costs(results: Results) -> list[str]:
    """They are measured last: a run may be stopped between its last block and them."""
    if not results.lacking_costs:
        return []
    whom = wording.count(len(results.lacking_costs), "implementation")
    return [f"starting, memory or energy of {whom} was not measured (the same command goes on with it)"]


def gpu(results: Results, groups: Sequence[ComparisonGroup]) -> list[str]:
    """From which batch on the GPU pays: a sentence per phase and setting that ran on both, with each remaining size."""
    sentences = []
    for same_phase in by_phase(groups):
        verdicts_at: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for group in same_phase:
            if pair := compare_devices(group):
                other_axes = {name: value for name, value in group.axes.items() if name != "batch"}
                at = f"at {wording.size(other_axes)} " if other_axes else ""
                verdicts_at[at].append((numbers(group.axes).get("batch", 0), pair.comparison.verdict))
        answers = "; ".join(at + _from_batch(sorted(verdicts)) for at, verdicts in verdicts_at.items())
        if answers:
            what = wording.timed_in(same_phase[0].phase, same_phase[0].who)
            sentences.append(f"GPU, {what}, best on the GPU against best on the CPU: {answers}.")
    return sentences


def _from_batch(verdicts: Sequence[tuple[int, str]]) -> str:
    batches = f"(measured at {wording.listed(f'{batch}' for batch, _ in verdicts)})"
    paying = list(itertools.takewhile(lambda pair: pair[1] == "faster", reversed(verdicts)))
    if paying:
        return f"the GPU pays from batch {paying[-1][0]} on {batches}"
    if all(verdict == "slower" for _, verdict in verdicts):
        return f"the GPU does not pay at any batch {batches}"
    return f"from which batch on the GPU pays was not settled {batches}"
