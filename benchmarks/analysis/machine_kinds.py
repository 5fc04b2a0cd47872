"""Runs by kind of machine: the fastest implementation on each kind, and each kind against the fastest. No text."""

import itertools
import statistics as stdlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks import statistics
from benchmarks.analysis import machine_facts
from benchmarks.analysis.answer import answers
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.loaded_run import LoadedRun
from benchmarks.analysis.ranking import by_network, compare
from benchmarks.records.configuration import Axes, Configuration
from benchmarks.statistics import Comparison, Estimate
from benchmarks.verdict_rule import MARGIN


@dataclass(frozen=True)
class Kind:
    """What computes, and on how many cores and threads. Without a GPU, `gpu` is empty; None is what was not written down."""

    cpu: str
    gpu: str
    cores: int | None
    usable: int | None
    threads: int


@dataclass(frozen=True)
class Timed:
    """What is timed in which setting, at one size."""

    model: str
    phase: str
    precision: str
    mode: str
    size: tuple[tuple[str, int | str], ...]

    @property
    def axes(self) -> Axes:
        """The size by axis."""
        return dict(self.size)


@dataclass(frozen=True)
class OnKind:
    """The implementation that is fastest on one kind of machine: its cell in every run there, by the run's name.

    `rivals` are those that it was not clearly faster than in every run. `pairs` holds every run here against every run of the
    fastest kind, and `fastest_s` that kind's seconds; of that one itself, nothing.
    """

    kind: Kind
    cells: Mapping[str, CellResult]
    rivals: Sequence[Configuration] = ()
    pairs: Sequence[Comparison] = ()
    fastest_s: float = 0.0

    @property
    def who(self) -> Configuration:
        """The implementation."""
        return next(iter(self.cells.values())).cell.who

    @property
    def seconds(self) -> float:
        """Per call: the median over the runs."""
        return stdlib.median(seconds for _, seconds in self.ordered)

    @property
    def ratio(self) -> Estimate:
        """This kind's seconds over the fastest's, and from the lowest to the highest end of the pairs' intervals."""
        ratios = [pair.ratio for pair in self.pairs]
        low, high = min(ratio.low for ratio in ratios), max(ratio.high for ratio in ratios)
        blocks = min(ratio.blocks for ratio in ratios)
        return Estimate(self.seconds / self.fastest_s, low, high, blocks)

    @property
    def verdict(self) -> str:
        """Slower (and detected) or tied where every pair is, else "not settled"; of the fastest kind nothing."""
        said = {pair.verdict for pair in self.pairs}
        if said == {"slower"} and not all(pair.detected for pair in self.pairs):
            return "not settled"
        return "not settled" if said - {"slower", "tied"} or len(said) > 1 else "".join(said)

    @property
    def ordered(self) -> list[tuple[str, float]]:
        """The runs by name with their seconds per call, from fast to slow: the geometric mean over blocks, which is what is compared."""
        means = {name: stdlib.geometric_mean(cell.medians.values()) for name, cell in self.cells.items()}
        return sorted(means.items(), key=lambda item: item[1])

    @property
    def spread(self) -> Estimate:
        """The slowest run over the fastest."""
        slowest, fastest = (list(self.cells[self.ordered[at][0]].medians.values()) for at in (-1, 0))
        return statistics.compare_unpaired(slowest, fastest, MARGIN).ratio


ByKind = Mapping[Kind, Mapping[Configuration, Mapping[str, CellResult]]]
"""The ranked cells of one size: by kind, implementation and run."""

_ByKind = defaultdict[Kind, dict[Configuration, Mapping[str, CellResult]]]


def by_kind(runs: Sequence[LoadedRun]) -> dict[Timed, ByKind]:
    """Everything that may be compared: of each model the runs that trained the same network on the same data as the first with it."""
    found: dict[Timed, dict[Kind, dict[Configuration, dict[str, CellResult]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    networks: dict[str, object] = {}
    ranked = [(run, entry) for run in runs for entry in run.results.entries if entry.standing == "ranked"]
    for run, entry in ranked:
        who = entry.cell.who
        if networks.setdefault(who.model, run.network(who.model)) == run.network(who.model):
            found[_timed(who, entry.cell.phase, entry.cell.axes)][kind(run, who)][who][run.name] = entry
    return dict(found)


def _timed(who: Configuration, phase: str, axes: Axes) -> Timed:
    return Timed(who.model, phase, who.precision, who.mode, tuple(sorted(axes.items())))


def kind(run: LoadedRun, who: Configuration) -> Kind:
    """The kind of machine that this implementation ran on. A machine of which nothing was written down is like no other."""
    facts, (device, _, index) = run.results.environment, who.device.partition(":")
    gpus = dict(enumerate(name for name, *_ in machine_facts.gpus(facts)))
    gpu = "" if device == "cpu" else gpus.get(int(index) if index.isdecimal() else 0, "unknown GPU")
    cpu = str(facts.get("cpu") or f"unknown machine of {run.name}")
    cores, usable = (n if isinstance(n := facts.get(name), int) else None for name in ("cores", "usable_cores"))
    return Kind(cpu, gpu, cores, usable, who.threads)


def yours(runs: Sequence[LoadedRun], found: Mapping[Timed, ByKind]) -> list[Timed]:
    """Of each model the first answer of the first run that has one."""
    first: dict[str, Timed] = {}
    for run in runs:
        for results, groups in by_network(run.results, run.groups):
            for answer in answers(results, groups)[:1]:
                first.setdefault(
                    answer.yours.who.model, _timed(answer.yours.who, answer.yours.phase, answer.yours.axes)
                )
    return [timed for timed in first.values() if timed in found]


def by_framework(at: ByKind) -> dict[str, ByKind]:
    """The same for each framework alone."""
    split: dict[str, _ByKind] = defaultdict(lambda: defaultdict(dict))
    for kind, cells in at.items():
        for who, of in cells.items():
            split[who.framework][kind][who] = of
    return dict(split)


def against_fastest(sizes: Sequence[ByKind]) -> list[list[OnKind]]:
    """At each of these sizes, the kinds from fast to slow. What counts as detected, all of them together allow (Holm)."""
    compared = [_against_fastest([_on_kind(kind, cells) for kind, cells in at.items()]) for at in sizes]
    pairs = [pair for at in compared for on in at for pair in on.pairs]
    detected = iter(statistics.detected_together(pairs))
    return [[replace(on, pairs=list(itertools.islice(detected, len(on.pairs)))) for on in at] for at in compared]


def _on_kind(kind: Kind, cells: Mapping[Configuration, Mapping[str, CellResult]]) -> OnKind:
    most = max(map(len, cells.values()))
    first, *others = sorted(
        (OnKind(kind, of) for of in cells.values()), key=lambda on: (len(on.cells) < most, on.seconds)
    )
    return replace(first, rivals=[other.who for other in others if _may_be_as_fast(other, first)])


def _may_be_as_fast(one: OnKind, other: OnKind) -> bool:
    shared = one.cells.keys() & other.cells.keys()
    comparisons = [compare(one.cells[name], other.cells[name]) for name in shared]
    return not comparisons or any(found is None or found.verdict != "slower" for found in comparisons)


def _against_fastest(kinds: Sequence[OnKind]) -> list[OnKind]:
    fastest, *others = sorted(kinds, key=lambda on: on.seconds)
    return [fastest, *(replace(on, pairs=_pairs(on, fastest), fastest_s=fastest.seconds) for on in others)]


def _pairs(one: OnKind, other: OnKind) -> list[Comparison]:
    medians, theirs = ([list(cell.medians.values()) for cell in on.cells.values()] for on in (one, other))
    return [statistics.compare_unpaired(a, b, MARGIN) for a, b in itertools.product(medians, theirs)]
