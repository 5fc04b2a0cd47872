"""On a GPU: the same call by three clocks, each with its label. Part of a section."""

import statistics as stdlib
from collections.abc import Sequence

from benchmarks import statistics, wording
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.report.document import Block, table
from benchmarks.wording import NO_VALUE

_SURE = f"({wording.SURE})"
_HOW = (
    "The ranked time is a round's wall time over its calls, with one synchronisation at its end. Latency is one call and its "
    "synchronisation, from an idle device. One call more is the difference of rounds of N and of 2 N calls, over N: what is "
    "left when the cost of synchronising is shared by many. The device's own clock counts between two events in its stream, "
    "where the framework gives hold of it. Each is the median over the blocks; in brackets its 95% interval (– where there is none: one "
    "block, or a difference that is not above zero). Replaying a captured graph is not plain use, and is not "
    "measured."
)


def blocks(results: Results, groups: Sequence[ComparisonGroup]) -> list[Block]:
    """A table where anything was timed on a GPU, else nothing."""
    rows, frameworks = [], []
    for entry in (place.entry for group in groups for place in group.places if place.entry.time):
        cell = entry.cell
        if readings := [timing.device_clocks for timing in entry.timings.values() if timing.device_clocks]:
            events = [clocks.events_s for clocks in readings if clocks.events_s is not None]
            clocks = ([c.latency_s for c in readings], [c.slope_s for c in readings], events)
            name = f"{wording.label(results, cell.who)}, {wording.timed(cell.phase, cell.axes)}"
            rows.append([name, wording.with_interval(entry.time), *map(_median, clocks)])
            frameworks.append(cell.who.framework)
    columns = ["cell", f"#ranked: wall time, synchronised {_SURE}", f"#latency {_SURE}"]
    columns += [f"#one call more {_SURE}", f"#device events {_SURE}"]
    return table("Three clocks on the GPU", rows, *columns, frameworks=frameworks, note=_HOW)


def _median(seconds: Sequence[float]) -> str:
    """The median over the blocks with its interval and their number."""
    if not seconds:
        return NO_VALUE
    if min(seconds) > 0:
        return wording.with_interval(statistics.estimate(seconds))
    # One call more is a difference, which noise may bring below zero, and the interval is made of logarithms.
    median = stdlib.median(seconds)
    return wording.Quantity(f"{wording.duration(median)} ({NO_VALUE}; {len(seconds)})", median)
