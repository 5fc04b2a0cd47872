"""What is missing from a run, as sentences."""

from collections import Counter

from benchmarks import wording
from benchmarks.analysis.results import Results


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
