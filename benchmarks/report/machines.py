"""Which machine and framework is fastest? Kinds of machines as rows, each against the fastest; runs of one kind side by side."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from benchmarks import wording
from benchmarks.analysis import machine_kinds
from benchmarks.analysis.loaded_run import LoadedRun
from benchmarks.analysis.machine_kinds import ByKind, Kind, OnKind, Timed
from benchmarks.analysis.ranking import phase_order
from benchmarks.records.configuration import size_order
from benchmarks.report import facts
from benchmarks.report.document import Block, Text, table
from benchmarks.wording import NO_VALUE

_HOW = (
    "A row is a kind of machine: processor or GPU, cores and threads. Its runs are taken together, be they of several machines or of one "
    "at several times. A cell holds the time on this kind over that on the fastest kind of its column, each the median of its runs (of a run "
    "the geometric mean over blocks). In brackets: every run here is held against every run there, from the lowest to the highest end of "
    "their 95% intervals (Welch). It is slower, or tied, where every pair is; else it is not settled. Then the implementation, the fastest "
    'of those that the most of a kind\'s runs measured, with its time; an "or" names others that were not slower in every run. Darker is slower.'
)
_SPREAD = "A run is on one machine, and two may have been on the same, one after the other. The two runs of a row are the furthest apart of their kind, so that some difference is to be expected. The interval is Welch's, from the blocks of both."


def findings(runs: Sequence[LoadedRun]) -> list[str]:
    """A sentence per network, where the runs are of several machines: the fastest at your size."""
    found, said = machine_kinds.by_kind(runs), list[str]()
    if len({facts.machine(run.results.environment) for run in runs}) < 2:
        return []
    for timed in machine_kinds.yours(runs, found):
        (kinds,) = machine_kinds.against_fastest([found[timed]])
        if len(kinds) > 1:
            what = f"{wording.timed(timed.phase, timed.axes)} ({timed.precision}, {timed.mode})"
            said.append(f"{_network(runs, timed)}, {what}: {_verdict(kinds)}.")
    return said


def blocks(runs: Sequence[LoadedRun]) -> list[Block]:
    """Every size by kind, every implementation at your size by kind, and the spread within a kind."""
    found = machine_kinds.by_kind(runs)
    settings: dict[Timed, list[Timed]] = defaultdict(list)
    for timed in sorted(found, key=_reading_order):
        settings[replace(timed, size=())].append(timed)
    tables: list[Block] = []
    for setting, sizes in settings.items():
        tables += _by_size(runs, setting, {timed: found[timed] for timed in sizes}, folded=bool(tables))
    for timed in machine_kinds.yours(runs, found):
        tables += _by_implementation(runs, timed, found[timed])
    return [*tables, *([Text(_HOW, "note")] if tables else []), *_spread(runs, found)]


def _verdict(kinds: Sequence[OnKind]) -> str:
    """Which kind is fastest and by how much, tied or not settled, in so many words."""
    first, *others = [f"{_names(on)} on {_kind(on.kind)}" for on in kinds]
    verdicts = [on.verdict for on in kinds[1:]]
    unclear = [name for name, verdict in zip(others, verdicts, strict=True) if verdict != "slower"]
    if "not settled" in verdicts:
        return f"{'; or '.join([first, *unclear])}, not settled"
    if len(unclear) > 1:
        return f"{'; and '.join(unclear)} are each tied with {first}"
    if unclear:
        return f"{first}; and {unclear[0]} are tied"
    ratio = kinds[1].ratio
    return f"{first} is fastest, {wording.ratio(ratio.value)} ({wording.ratio_interval(ratio)}) times as fast as {others[0]}{_one_run(kinds)}"


def _one_run(kinds: Sequence[OnKind]) -> str:
    """What one run each cannot say."""
    return (
        " (one run on a kind: another machine of it may differ as much)"
        if any(len(on.cells) < 2 for on in kinds[:2])
        else ""
    )


def _by_size(runs: Sequence[LoadedRun], setting: Timed, found: Mapping[Timed, ByKind], folded: bool) -> list[Block]:
    same = wording.same_axes([timed.axes for timed in found])
    sizes = [{name: value for name, value in timed.axes.items() if name not in same} or timed.axes for timed in found]
    what = ", ".join(filter(None, [wording.size(same) if same else "", setting.precision, setting.mode]))
    title = f"{_network(runs, setting)}, {wording.phase(setting.phase)}, the fastest on each kind of machine: times as long as on the fastest kind ({what})"
    return _matrix(
        title,
        [wording.size(size) for size in sizes],
        list(found.values()),
        lambda on: f"{_names(on)} {wording.duration(on.seconds)}",
        folded,
    )


def _by_implementation(runs: Sequence[LoadedRun], timed: Timed, at: ByKind) -> list[Block]:
    found = machine_kinds.by_framework(at)
    what = f"{wording.timed(timed.phase, timed.axes)} ({timed.precision}, {timed.mode})"
    title = f"{_network(runs, timed)}, {what}, each implementation: times as long as on the kind of machine where it is fastest"
    return _matrix(
        title,
        [wording.framework(name) for name in found],
        list(found.values()),
        lambda on: wording.duration(on.seconds),
        folded=True,
    )


def _matrix(
    title: str, columns: Sequence[str], found: Sequence[ByKind], told: Callable[[OnKind], str], folded: bool
) -> list[Block]:
    """A row per kind, the fastest first; nothing where there is one kind only."""
    rows_of: dict[Kind, dict[int, str]] = defaultdict(dict)
    runs_of: dict[Kind, set[str]] = defaultdict(set)
    for column, kinds in enumerate(machine_kinds.against_fastest(found)):
        for on in kinds:
            rows_of[on.kind][column] = _cell(on, told(on), len(kinds) == 1)
            runs_of[on.kind] |= on.cells.keys()
    if len(rows_of) < 2:
        return []

    def middle(kind: Kind) -> float:
        return statistics.median(getattr(cell, "value", math.inf) for cell in rows_of[kind].values())

    rows = [
        [_kind(kind), str(len(runs_of[kind])), *(rows_of[kind].get(k, NO_VALUE) for k in range(len(columns)))]
        for kind in sorted(rows_of, key=middle)
    ]
    names = ("kind of machine", "#runs", *(f"#{column}" for column in columns))
    return table(title, rows, *names, heat=True, folded=folded)


def _cell(on: OnKind, told: str, is_alone: bool) -> str:
    if not on.pairs:
        return wording.Quantity(f"{'only here' if is_alone else 'fastest'}: {told}", 1.0)
    interval = f" ({wording.ratio_interval(on.ratio)})" if on.ratio.blocks > 1 else ""
    hedge = "" if on.verdict == "slower" else f" {on.verdict}"
    return wording.Quantity(f"{wording.ratio(on.ratio.value)}{interval}{hedge}: {told}", on.ratio.value)


def _spread(runs: Sequence[LoadedRun], found: Mapping[Timed, ByKind]) -> list[Block]:
    """At your size, the fastest implementation of each kind of which there are several runs, in each of them."""
    rows = []
    for timed in machine_kinds.yours(runs, found):
        for on in machine_kinds.against_fastest([found[timed]])[0]:
            if len(on.cells) > 1:
                times = ", ".join(f"{name} {wording.duration(seconds)}" for name, seconds in on.ordered)
                what = f"{_network(runs, timed)}, {wording.timed(timed.phase, timed.axes)}, {wording.implementation(on.who, False)}"
                rows.append([_kind(on.kind), what, times, wording.ratio_with_interval(on.spread)])
    columns = (
        "kind of machine",
        "what is timed",
        "runs, from fast to slow",
        f"#slowest over fastest ({wording.SURE})",
    )
    return table("Runs on the same kind of machine", rows, *columns, note=_SPREAD)


def _names(on: OnKind) -> str:
    return wording.some(list(dict.fromkeys(wording.implementation(who, False) for who in (on.who, *on.rivals))))


def _kind(kind: Kind) -> str:
    """ "NVIDIA H100 beside Intel Xeon, 16 cores (4 usable), 4 threads"."""
    cores = wording.count(kind.cores, "core") if kind.cores else ""
    limited = kind.usable and kind.cores and kind.usable < kind.cores
    processor = f"{kind.gpu} beside {kind.cpu}" if kind.gpu else kind.cpu
    cores += f" ({kind.usable} usable)" if limited else ""
    return ", ".join(filter(None, [processor, cores, wording.count(kind.threads, "thread")]))


def _network(runs: Sequence[LoadedRun], timed: Timed) -> str:
    networks = [network for run in runs for network in run.results.run.networks if network.model == timed.model]
    return wording.network(networks[0])


def _reading_order(timed: Timed) -> tuple[object, ...]:
    plain = timed.mode != "plain"
    return timed.model, *phase_order(timed.phase), timed.precision, plain, timed.mode, size_order(timed.axes)
