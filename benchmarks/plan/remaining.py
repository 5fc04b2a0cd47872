"""What a run has still to measure after its blocks: the costs of what it timed. Records in, no process started."""

from collections.abc import Iterable

from benchmarks.plan.schedule import by_implementation
from benchmarks.records.configuration import size_order
from benchmarks.records.record import (
    Axes,
    Cell,
    Configuration,
    InstalledRecord,
    Record,
    ResourceRecord,
    StartRecord,
    TimingRecord,
)

Key = tuple[object, ...]


def costs(cells: Iterable[Cell], records: Iterable[Record]) -> dict[Configuration, list[Cell]]:
    """Training steps whose costs are not known yet, from small to large, by process; empty where all is known.

    Only what was timed has costs: everything else is a hole already, with its reason. A process may have nothing left
    but its import or the size of its installation.
    """
    records = list(records)
    recorded = {key(record) for record in records}
    timed = {r.cell.id for r in records if isinstance(r, TimingRecord) and r.ranked and not r.control}
    left: dict[Configuration, list[Cell]] = {}
    for who, its_cells in by_implementation(cell for cell in cells if cell.id in timed).items():
        steps = [c for c in its_cells if c.phase == "train_step" and of_resources(c.who, c.axes) not in recorded]
        if steps or not {("start", who), ("installed", who.framework)} <= recorded:
            left[who] = sorted(steps, key=lambda cell: size_order(cell.axes))
    return left


def key(record: Record) -> Key:
    """Which cost a record holds, each once per run; empty for other records."""
    match record:
        case StartRecord():
            return "start", record.who
        case InstalledRecord():
            return "installed", record.framework
        case ResourceRecord():
            return of_resources(record.who, record.axes)
    return ()


def of_resources(who: Configuration, axes: Axes) -> Key:
    """The key of a size's memory and energy."""
    return "resources", who, size_order(axes)
