"""What a reader may narrow the page to: phase, setting and size of a group, framework and device of an entry."""

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup


def of_group(group: ComparisonGroup) -> dict[str, str]:
    """What a group has in common with those of other sizes (`ranking.by_phase`)."""
    who = group.who
    return {
        "phase": wording.clean(wording.phase(group.phase)),
        "precision": wording.clean(who.precision),
        "mode": wording.clean(who.mode),
        "threads": wording.count(who.threads, "thread"),
    }


def of_size(group: ComparisonGroup) -> dict[str, str]:
    """At which size."""
    return {"size": wording.clean(wording.size(group.axes))}


def of_entry(entry: CellResult) -> dict[str, str]:
    """Whose time, and where."""
    who = entry.cell.who
    return {"framework": wording.clean(wording.framework(who.framework)), "device": wording.clean(who.device)}
