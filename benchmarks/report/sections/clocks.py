"""On a GPU: the same call by three clocks, each with its label. Part of a section."""

import statistics
from collections.abc import Iterable, Sequence

from benchmarks.report import wording
from benchmarks.report.document import Block, Heading, Text, table
from benchmarks.report.ranking import Heat
from benchmarks.report.results import Results
from benchmarks.report.wording import NO_VALUE

_HOW = (
    "The ranked time is a round's wall time over its calls, with one synchronisation at its end. Latency is one call and its "
    "synchronisation, from an idle device. One call more is the difference of rounds of N and of 2 N calls, over N: what is "
    "left when the cost of synchronising is shared by many. The device's own clock counts between two events in its stream, "
    "where the framework gives hold of it. Medians over the blocks. Replaying a captured graph is not plain use, and is not "
    "measured."
)


def blocks(results: Results, heats: Sequence[Heat]) -> list[Block]:
    """A table where anything was timed on a GPU, else nothing."""
    rows, frameworks = [], []
    for entry in (place.entry for heat in heats for place in heat.places if place.entry.time):
        found = [timing.device_clocks for timing in entry.timings.values() if timing.device_clocks]
        if not found:
            continue
        events = [clocks.events_s for clocks in found if clocks.events_s is not None]
        medians = _median(c.latency_s for c in found), _median(c.slope_s for c in found), _median(events)
        name = f"{results.label(entry.cell.who)}, {wording.phase(entry.cell.phase)}, {wording.size(entry.cell.axes)}"
        rows.append([name, wording.with_interval(entry.time), *map(_shown, medians)])
        frameworks.append(entry.cell.who.framework)
    columns = (
        "cell",
        "#ranked: wall time, synchronised (95% interval; blocks)",
        "#latency",
        "#one call more",
        "#device events",
    )
    shown = table("Clocks on the GPU", rows, *columns, frameworks=frameworks)
    return [Heading("Three clocks on the GPU"), *shown, Text(_HOW, "note")] if shown else []


def _shown(seconds: float | None) -> str:
    return NO_VALUE if seconds is None else wording.duration(seconds)


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None
