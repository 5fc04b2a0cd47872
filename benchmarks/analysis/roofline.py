"""Every time against its floor, and each implementation's overhead and rate over the sizes. No text.

The floor of a call is the time that its matrix products take at the rate of one large product in the same framework's
library, and its least bytes at the speed of the best large copy on the same device: nothing overlaps, and nothing is moved
twice. (A framework whose arrays cannot be written to copies into new memory, which is slower than memory is.)
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks import statistics
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import phase_order
from benchmarks.analysis.results import Results
from benchmarks.records.record import Configuration
from benchmarks.statistics import Estimate

PHASES = ("train_step", "predict")
FEWEST_SIZES = 3
"""For two unknowns."""

Rates = dict[Configuration, dict[int, float]]


@dataclass(frozen=True)
class Floor:
    """One cell's time over its floor; `products_s` and `bytes_s` are what the floor consists of, in the median block."""

    entry: CellResult
    flops: int
    least_bytes: int
    """Of one call."""

    products_s: float
    bytes_s: float
    efficiency: Estimate
    """Floor over time: 1 is what the library's own rates would allow."""

    @property
    def intensity(self) -> float:
        """Operations per byte."""
        return self.flops / self.least_bytes

    @property
    def can_be_beaten(self) -> bool:
        """Whether there are ways to compute the call with fewer operations than its products have."""
        least = next(iter(self.entry.timings.values())).least_flops_per_call
        return least is not None and least < self.flops

    @property
    def attained(self) -> Estimate:
        """Operations per second."""
        assert self.entry.time is not None
        return self.entry.time.dividing(self.flops)


@dataclass(frozen=True)
class Fit:
    """time = overhead + operations / rate, over the sizes of one implementation and phase, each with its interval."""

    who: Configuration
    phase: str
    overhead_s: Estimate | None
    """None where every block's best fit has none."""

    flops_per_s: Estimate
    sizes: int


@dataclass(frozen=True)
class Peaks:
    """What one implementation's library reaches on its device: operations per second, and bytes (None: no copy timed)."""

    who: Configuration
    flops_per_s: Estimate
    bytes_per_s: Estimate | None


def peaks(results: Results) -> list[Peaks]:
    """By library, device, threads and precision, in the order of the plan."""
    products, copies = _rates(results, "peak"), _rates(results, "copy")
    return [
        Peaks(who, _estimate(rates.values()), _estimate(copies[who].values()) if who in copies else None)
        for who, rates in products.items()
    ]


def floors(results: Results) -> list[Floor]:
    """Of every ranked training step and prediction whose peaks are known, in reading order."""
    products, copies = _rates(results, "peak"), _best_copies(results)
    floors_of_cells = []
    for entry in results.entries:
        if entry.standing == "ranked" and entry.cell.phase in PHASES:
            who = _library(entry.cell.who)
            peak, copy = products.get(who, {}), copies.get((who.device, who.threads), {})
            blocks = sorted(entry.medians.keys() & peak.keys() & copy.keys())
            parts = [
                (timing.flops_per_call / peak[block], timing.bytes_per_call / copy[block])
                for block in blocks
                if (timing := entry.timings[block])
            ]
            if parts:
                logs = [math.log(sum(part) / entry.medians[block]) for part, block in zip(parts, blocks, strict=True)]
                middle = sorted(parts, key=sum)[len(parts) // 2]
                timing = entry.timings[blocks[0]]
                ratio = statistics.compare_logs(logs).ratio
                floors_of_cells.append(Floor(entry, timing.flops_per_call, timing.bytes_per_call, *middle, ratio))
    return sorted(floors_of_cells, key=lambda floor: (*phase_order(floor.entry.cell.phase), floor.entry.cell.who.mode))


def fits(results: Results) -> list[Fit]:
    """One per implementation and phase with enough sizes, block by block."""
    sizes: dict[tuple[Configuration, str], list[CellResult]] = defaultdict(list)
    for entry in results.entries:
        if entry.standing == "ranked" and entry.cell.phase in PHASES:
            sizes[entry.cell.who, entry.cell.phase].append(entry)
    fits_or_none = [
        _fit(who, phase, entries) for (who, phase), entries in sizes.items() if len(entries) >= FEWEST_SIZES
    ]
    return [fit for fit in fits_or_none if fit]


def _fit(who: Configuration, phase: str, entries: Sequence[CellResult]) -> Fit | None:
    blocks = sorted(set.intersection(*(set(entry.medians) for entry in entries)))
    work = [float(next(iter(entry.timings.values())).flops_per_call) for entry in entries]
    fitted = [f for block in blocks if (f := statistics.fit(work, [entry.medians[block] for entry in entries]))]
    if not fitted:
        return None
    overheads = [overhead for overhead, _ in fitted if overhead > 0]
    overhead_s = _estimate(overheads) if len(overheads) == len(fitted) else None
    return Fit(who, phase, overhead_s, _estimate([rate for _, rate in fitted]), len(entries))


def _rates(results: Results, phase: str) -> Rates:
    """Operations or bytes per second by library and block."""
    rates: Rates = defaultdict(dict)
    for entry in results.entries:
        if entry.cell.phase == phase:
            for block, timing in entry.timings.items():
                work = timing.flops_per_call if phase == "peak" else timing.bytes_per_call
                rates[_library(entry.cell.who)][block] = work / entry.medians[block]
    return dict(rates)


def _best_copies(results: Results) -> dict[tuple[str, int], dict[int, float]]:
    """Bytes per second by device, threads and block: the best of the libraries there."""
    best_copies: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    for who, rates in _rates(results, "copy").items():
        best = best_copies[who.device, who.threads]
        for block, rate in rates.items():
            best[block] = max(rate, best.get(block, 0.0))
    return dict(best_copies)


def _library(who: Configuration) -> Configuration:
    """Modes and variants of a framework compute with the same library."""
    return who.model_copy(update={"mode": "plain", "variant": "spec"})


def _estimate(values: Iterable[float]) -> Estimate:
    return statistics.estimate(list(values))
