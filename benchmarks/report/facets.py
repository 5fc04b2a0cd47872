"""What a reader may narrow the page to: phase, setting and size of a heat, framework and device of an entry."""

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import Heat


def of_group(heat: Heat) -> dict[str, str]:
    """What a heat has in common with those of other sizes (`ranking.phase_groups`)."""
    who = heat.who
    return {
        "phase": wording.clean(wording.phase(heat.phase)),
        "precision": wording.clean(who.precision),
        "mode": wording.clean(who.mode),
        "threads": wording.count(who.threads, "thread"),
    }


def of_size(heat: Heat) -> dict[str, str]:
    """At which size."""
    return {"size": wording.clean(wording.size(heat.axes))}


def of_entry(entry: CellResult) -> dict[str, str]:
    """Whose time, and where."""
    who = entry.cell.who
    return {"framework": wording.clean(wording.framework(who.framework)), "device": wording.clean(who.device)}
