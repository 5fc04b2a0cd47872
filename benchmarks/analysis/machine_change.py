"""Whether the machine itself changed between two runs, told by what moved together. No text.

What is neither the code nor a framework's new version tells: the floors (matrix products, a large product, a large copy) of the
frameworks whose versions, and whose libraries' routines, are the same in both runs. Where a run has no floors, the proved cells of
these frameworks stand in for them, if the code is the same too. The geometric mean of their times in a block is one time of the
machine; between the two runs it is compared as every cell is (Welch's interval, the margin, six blocks). The machine changed where

1. that time is slower or faster beyond the margin;
2. the proved cells of these frameworks, taken together in the same way, are too, in the same direction: floors alone are not all;
3. it is about the same factor: the interval of each floor, and of the cells together, holds something from its square root to
   its power of 3/2 (1.4 to 2.8 where the factor is 2).

So one framework that became slower is not the machine, and neither are all of them while the floors stand, floors that moved alone,
or a library (BLAS) with a new version. Each device, with each number of threads, is judged by itself: a GPU may change alone.

The factor is taken out block by block: a cell's time over the machine's. Machines do not slow everything down alike. So what is
left of a cell is held against the margin and, on top of it, what is left beyond doubt of the floor that fits the factor worst.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks import statistics
from benchmarks.analysis.cell_results import CellResult
from benchmarks.records.record import FLOORS
from benchmarks.statistics import Comparison, Estimate

ABOUT = 0.5
"""How far a movement may lie from the common one, as a share of it, in logarithms."""

Pair = tuple[CellResult, CellResult]
"""One cell in the older and in the newer run, timed in both."""

Blocks = Mapping[int, float]
"""Seconds by block."""


@dataclass(frozen=True)
class MachineChange:
    """The machine's times in both runs, on one device with so many threads.

    `phases` says which floors told it; empty where cells stood in for them. `left` is what is left beyond doubt of the one that fits
    the factor worst, as a fraction.
    """

    device: str
    threads: int
    phases: Sequence[str]
    old: Blocks
    new: Blocks
    comparison: Comparison
    """The newer run's time over the older's."""

    left: float

    def taken_out(self, pair: Pair, margin: float) -> Comparison | None:
        """The newer time of a cell over the older without the machine's factor; None where no block has both."""
        return _without(pair, self.old, self.new, (1 + margin) * (1 + self.left) - 1)


def changes(
    pairs: Sequence[Pair], unchanged: Collection[str], same_code: bool, margin: float
) -> dict[tuple[str, int], MachineChange]:
    """By device and number of threads, where the machine changed.

    `pairs` are floors and proved cells; `unchanged` are the frameworks with the same versions in both runs.
    """
    by_setting = _by_setting(pairs, unchanged)
    found = {setting: _change(*setting, of, same_code, margin) for setting, of in by_setting.items()}
    return {setting: change for setting, change in found.items() if change}


def floors(pairs: Sequence[Pair], unchanged: Collection[str], margin: float) -> dict[tuple[str, int], Comparison]:
    """The floors' times in the newer run over those in the older, by device and number of threads; of the same `pairs`."""
    of_floors = [pair for pair in pairs if pair[0].cell.phase in FLOORS]
    together = {setting: _together(of) for setting, of in _by_setting(of_floors, unchanged).items()}
    return {setting: _compare(old, new, margin) for setting, (old, new) in together.items() if old and new}


def _by_setting(pairs: Sequence[Pair], unchanged: Collection[str]) -> dict[tuple[str, int], list[Pair]]:
    by_setting: dict[tuple[str, int], list[Pair]] = defaultdict(list)
    for pair in pairs:
        who = pair[0].cell.who
        if who.framework in unchanged:
            by_setting[who.device, who.threads].append(pair)
    return by_setting


def _change(device: str, threads: int, pairs: Sequence[Pair], same_code: bool, margin: float) -> MachineChange | None:
    floors = [pair for pair in pairs if pair[0].cell.phase in FLOORS]
    cells = [pair for pair in pairs if pair[0].cell.phase not in FLOORS]
    witnesses = floors or (cells if same_code else [])
    if not (witnesses and cells):
        return None
    (old, new), (old_cells, new_cells) = _together(witnesses), _together(cells)
    if not (old and new and old_cells and new_cells):
        return None
    factor, moved = _compare(old, new, margin), _compare(old_cells, new_cells, margin)
    each = [moved, *(_compare(before.medians, after.medians, margin) for before, after in witnesses)]
    if factor.verdict not in ("slower", "faster") or moved.verdict != factor.verdict:
        return None
    if not all(_is_about(one.ratio, factor.ratio.value) for one in each):
        return None
    rests = [rest.ratio for pair in witnesses if (rest := _without(pair, old, new, margin))]
    left = max(max(rest.low, 1 / rest.high, 1.0) for rest in rests) - 1
    phases = [phase for phase in FLOORS if any(pair[0].cell.phase == phase for pair in floors)]
    return MachineChange(device, threads, phases, old, new, factor, left)


def _together(pairs: Sequence[Pair]) -> tuple[Blocks, Blocks]:
    """The geometric mean of the times in each block of either run. What has no time in some block is left out."""
    most = [max(len(pair[run].medians) for pair in pairs) for run in (0, 1)]
    whole = [pair for pair in pairs if [len(result.medians) for result in pair] == most]
    old, new = ([pair[run].medians for pair in whole] for run in (0, 1))
    return _geometric_mean(old), _geometric_mean(new)


def _geometric_mean(medians: Sequence[Blocks]) -> Blocks:
    blocks = set.intersection(*map(set, medians)) if medians else set()
    return {k: math.exp(fmean(math.log(of[k]) for of in medians)) for k in sorted(blocks)}


def _without(pair: Pair, old: Blocks, new: Blocks, margin: float) -> Comparison | None:
    before, after = (
        {k: seconds / machine[k] for k, seconds in result.medians.items() if k in machine}
        for result, machine in zip(pair, (old, new), strict=True)
    )
    return _compare(before, after, margin) if before and after else None


def _compare(old: Blocks, new: Blocks, margin: float) -> Comparison:
    return statistics.compare_unpaired(list(new.values()), list(old.values()), margin)


def _is_about(ratio: Estimate, factor: float) -> bool:
    low, high = sorted((factor ** (1 - ABOUT), factor ** (1 + ABOUT)))
    return bool(ratio.low <= high and low <= ratio.high)
