"""Which cells are compared, and what may be said of them: groups, ranks, verdicts. No text, no chart.

A rank is 1 plus the number of entries that are faster beyond the margin. Where an order was not settled, the rank is
a range: nobody is placed by a difference that the measurement does not support.
"""

import itertools
import math
import statistics as stdlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from benchmarks import statistics
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import Axes, size_order
from benchmarks.records.record import Configuration, TimingRecord
from benchmarks.statistics import Comparison, Estimate
from benchmarks.verdict_rule import MARGIN, MIN_BLOCKS_FOR_VERDICT

PHASE_ORDER = ("train_step", "predict", "epoch")
_STANDING_ORDER = {"ranked": 0, "own variant": 1, "not proved": 2, "impossible": 2, "beside": 3, "no time": 4}


@dataclass(frozen=True)
class Placement:
    """One row of a group: an entry, how it compares with the reference (None: it is the reference, or may not be
    compared), and the best and worst rank it may have (None: no rank)."""

    entry: CellResult
    comparison: Comparison | None
    ranks: tuple[int, int] | None
    is_reference: bool = False


@dataclass(frozen=True)
class ComparisonGroup:
    """The cells of one group and mode, which are compared with one another, the ranked ones first, each group from fast to slow."""

    places: Sequence[Placement]

    @property
    def who(self) -> Configuration:
        """An implementation of the group; precision, mode and threads are those of all."""
        return self.places[0].entry.cell.who

    @property
    def cells(self) -> tuple[str, ...]:
        """What its cells have in common, in whatever mode: those took turns with one another."""
        return self.places[0].entry.comparison_group

    @property
    def key(self) -> tuple[str, ...]:
        """The same with the mode: equal for the same group of another run."""
        return (*self.cells, self.who.mode)

    @property
    def phase(self) -> str:
        """What is timed."""
        return self.places[0].entry.cell.phase

    @property
    def axes(self) -> Axes:
        """At which size."""
        return self.places[0].entry.cell.axes

    @property
    def reference(self) -> CellResult | None:
        """The entry that the others are compared with: the fastest of the ranked ones."""
        return next((place.entry for place in self.places if place.is_reference), None)

    @property
    def rivals(self) -> list[Placement]:
        """The ranked entries other than the reference."""
        return [place for place in self.places if place.entry.standing == "ranked" and not place.is_reference]

    def with_verdict(self, *verdicts: str) -> list[Placement]:
        """The rivals of whom this can be said."""
        return [place for place in self.rivals if verdict(place) in verdicts]

    @property
    def is_beside(self) -> bool:
        """Whether it holds nothing but what stands beside the ranking."""
        return all(place.entry.standing == "beside" for place in self.places)

    @property
    def blocks(self) -> int:
        """Blocks behind the best supported comparison: where these are too few, there is no verdict at all."""
        shared = [place.comparison.ratio.blocks if place.comparison else 0 for place in self.rivals]
        return max(shared, default=len(self.reference.medians) if self.reference else 0)


def comparison_groups(results: Results) -> list[ComparisonGroup]:
    """All groups of the run in reading order: by phase, setting and size. What is detected, all of them together allow."""
    by_setting: dict[tuple[str, ...], list[CellResult]] = defaultdict(list)
    for entry in results.entries:
        by_setting[(*entry.comparison_group, entry.cell.who.mode)].append(entry)
    return _together(sorted((_group(entries) for entries in by_setting.values()), key=_reading_order))


def _together(groups: Sequence[ComparisonGroup]) -> list[ComparisonGroup]:
    """Of the ranked times each difference is detected only where the whole table of them allows it (Holm)."""
    compared = {place.entry.id: place.comparison for group in groups for place in group.rivals if place.comparison}
    detected = dict(zip(compared, statistics.detected_together(list(compared.values())), strict=True))
    return [
        ComparisonGroup(
            [replace(place, comparison=detected.get(place.entry.id, place.comparison)) for place in group.places]
        )
        for group in groups
    ]


def by_network(
    results: Results, groups: Sequence[ComparisonGroup]
) -> Iterator[tuple[Results, Sequence[ComparisonGroup]]]:
    """The results and the groups of each network of the run."""
    for network in results.run.networks:
        yield results.of(network.model), [group for group in groups if group.who.model == network.model]


def may_be_chance(places: Sequence[Placement]) -> bool:
    """Whether one of these is slower or faster by itself, and a table as large as the run's has such by chance."""
    return any(
        verdict(place) in ("slower", "faster") and place.comparison and not place.comparison.detected
        for place in places
    )


def tied_together(places: Sequence[Placement]) -> bool:
    """Whether each is tied with each other; all of them are with the reference."""
    pairs_ = itertools.combinations([place.entry for place in places], 2)
    return all((found := compare(*pair)) and found.verdict == "tied" for pair in pairs_)


def verdict(place: Placement) -> str:
    """faster, slower, tied or not settled against the reference; "not compared" where no block is shared."""
    return place.comparison.verdict if place.comparison else "not compared"


def compare(entry: CellResult, reference: CellResult, margin: float = MARGIN) -> Comparison | None:
    """The comparison of two entries of one run, or None where they share no block."""
    logs = log_ratios(entry, reference)
    return statistics.compare_logs(logs, margin) if logs else None


def log_ratios(entry: CellResult, reference: CellResult) -> list[float]:
    """The log ratio of their times in each block that they share."""
    shared = sorted(entry.timings.keys() & reference.timings.keys())
    return [log_ratio(entry.timings[block], reference.timings[block]) for block in shared]


def log_ratio(timing: TimingRecord, reference: TimingRecord) -> float:
    """Of one block: round by round where the two took turns with one another, else by their medians. Both hold usable times."""
    if _took_turns(timing, reference):
        return statistics.log_ratio(timing.per_call, reference.per_call)
    return math.log(stdlib.median(timing.per_call) / stdlib.median(reference.per_call))


def _took_turns(one: TimingRecord, other: TimingRecord) -> bool:
    """Each of their last rounds in turn before either's next. Two cells of one process have their turns one after the other."""
    by_rounds = one.schedule == other.schedule == "rounds"
    if not by_rounds or one.cell.comparison_group != other.cell.comparison_group:
        return False
    begun = [timing.started_at_s[: len(timing.elapsed_s)] for timing in (one, other)]
    shared = min(len(timing.per_call) for timing in (one, other))
    rounds = list(zip(*(times[-shared:] for times in begun), strict=True)) if shared else []
    return bool(rounds) and all(max(these) < min(those) for these, those in pairwise(rounds))


Pair = tuple[CellResult, CellResult, Comparison]
"""Two entries that differ in how they were run, and the first one's time over the second's."""


def pairs(results: Results, other_of: Callable[[Configuration], Configuration | None]) -> list[Pair]:
    """Each ranked entry with what ran as `other_of` says (None: nothing) in the same phase at the same size, in reading order."""
    ranked = {entry.id: entry for entry in results.entries if entry.standing == "ranked"}
    found = []
    for entry in ranked.values():
        who = other_of(entry.cell.who)
        other = ranked.get(entry.cell.model_copy(update={"who": who}).id) if who else None
        if other and (comparison := compare(entry, other)):
            found.append((entry, other, comparison))
    return sorted(found, key=lambda pair: (phase_order(pair[0].cell.phase), size_order(pair[0].cell.axes)))


def fastest(entries: Sequence[CellResult]) -> CellResult:
    """The entry with the lowest time, unless another one that was paired with it block by block is faster.

    Raises ValueError where there are none.
    """
    best = min(entries, key=lambda entry: entry.seconds)
    for _ in entries:
        others = [(k, entry) for k, entry in enumerate(entries) if entry is not best]
        faster = [(c.ratio.value, k) for k, e in others if (c := compare(e, best)) and c.verdict == "faster"]
        if not faster:
            break
        best = entries[min(faster)[1]]
    return best


@dataclass(frozen=True)
class DeviceComparison:
    """The fastest ranked entry on a GPU against the fastest on the CPU, at one size."""

    group: ComparisonGroup
    cpu: CellResult
    gpu: CellResult
    comparison: Comparison
    """The GPU's time over the CPU's."""

    @property
    def gain(self) -> Estimate:
        """How many times as fast the GPU is."""
        return self.comparison.ratio.dividing(1)


def compare_devices(group: ComparisonGroup) -> DeviceComparison | None:
    """GPU against CPU, or None where one of the two is missing, or they share no block."""
    ranked = [place.entry for place in group.places if place.entry.standing == "ranked"]
    on_gpu = [entry for entry in ranked if entry.cell.who.device.startswith("cuda")]
    on_cpu = [entry for entry in ranked if not entry.cell.who.device.startswith("cuda")]
    if not on_gpu or not on_cpu:
        return None
    cpu, gpu = fastest(on_cpu), fastest(on_gpu)
    comparison = compare(gpu, cpu)
    return DeviceComparison(group, cpu, gpu, comparison) if comparison else None


def _group(entries: Sequence[CellResult]) -> ComparisonGroup:
    ranked = [entry for entry in entries if entry.standing == "ranked"]
    reference = fastest(ranked) if ranked else None
    places, ranks = [], _ranks(ranked)
    for entry in entries:
        comparable = reference and entry is not reference and entry.standing in ("ranked", "own variant", "beside")
        comparison = compare(entry, reference) if reference and comparable else None
        places.append(Placement(entry, comparison, ranks.get(entry.id), entry is reference))
    return ComparisonGroup(sorted(places, key=_place_order))


def _ranks(ranked: Sequence[CellResult]) -> dict[str, tuple[int, int]]:
    """Best and worst rank by cell; none for an entry that has no verdict against any other."""
    faster: Counter[str] = Counter()
    unsettled: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    for a, b in itertools.combinations(ranked, 2):
        comparison, ids = compare(a, b), (a.id, b.id)
        verdict_ = comparison.verdict if comparison else "not settled"
        if verdict_ in ("faster", "slower"):
            faster[ids[1] if verdict_ == "faster" else ids[0]] += 1
        elif verdict_ == "not settled":
            unsettled.update(ids)
        if comparison and comparison.ratio.blocks >= MIN_BLOCKS_FOR_VERDICT:
            compared.update(ids)
    return {
        name: (1 + faster[name], 1 + faster[name] + unsettled[name])
        for name in (entry.id for entry in ranked)
        if compared[name] or len(ranked) == 1
    }


def _place_order(place: Placement) -> tuple[int, float, float, str]:
    ratio = place.comparison.ratio.value if place.comparison else 1.0 if place.is_reference else math.inf
    return _STANDING_ORDER[place.entry.standing], ratio, place.entry.seconds, place.entry.id


def _reading_order(group: ComparisonGroup) -> tuple[object, ...]:
    setting = (group.who.model, group.who.precision, group.who.mode, group.who.threads)
    return (*phase_order(group.phase), *setting, size_order(group.axes))


def phase_order(phase: str) -> tuple[int, str]:
    """A phase's place in the report; a model may have further ones."""
    return PHASE_ORDER.index(phase) if phase in PHASE_ORDER else len(PHASE_ORDER), phase


def by_phase(groups: Sequence[ComparisonGroup]) -> list[list[ComparisonGroup]]:
    """Groups that differ in nothing but their size, together."""
    by_setting: dict[tuple[object, ...], list[ComparisonGroup]] = defaultdict(list)
    for group in groups:
        by_setting[group.phase, group.who.model, group.who.precision, group.who.mode, group.who.threads].append(group)
    return list(by_setting.values())
