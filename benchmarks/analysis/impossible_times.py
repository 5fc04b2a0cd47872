"""Times that no arithmetic here allows: more operations per second than a large matrix product reaches, and half as many again.

A call's operations are those of its matrix products that no algorithm avoids, so an honest call stays below that rate. A network's own products do
not say what is possible where they are small: a cell is judged only where a large one was timed on its device, with its threads, in its
precision, in a block in which other programs left the processors to it. Whoever waits for them may be ten times slower than the machine.
"""

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.analysis.cell_results import CellResult
from benchmarks.records.record import PEAK, PRODUCTS, BlockRecord

MOST = 1.5
"""Times the best rate that was measured: libraries differ, and so do minutes; a time without its work is far beyond."""

MUCH = 0.25
"""Of the processors' time in a block: where other programs had more, its products do not say what is possible."""

Setting = tuple[str, int, str]


def judged(entries: Sequence[CellResult], blocks: Sequence[BlockRecord]) -> list[CellResult]:
    """The same entries; those with an impossible time have lost their rank, and say why."""
    best = _best_rates(entries, blocks)
    return [_judged(entry, best.get(_setting(entry))) for entry in entries]


def unjudged(entries: Sequence[CellResult], blocks: Sequence[BlockRecord]) -> bool:
    """Whether some ranked time was held against no rate, because none was measured undisturbed."""
    best = _best_rates(entries, blocks)
    return any(entry.standing == "ranked" and _setting(entry) not in best for entry in entries)


def _judged(entry: CellResult, best: float | None) -> CellResult:
    if best is None or entry.time is None or not entry.is_proved:
        return entry
    timing = next(iter(entry.timings.values()))
    flops = timing.flops_per_call if timing.least_flops_per_call is None else timing.least_flops_per_call
    rate = flops / entry.seconds
    if rate <= MOST * best:
        return entry
    reason = (
        f"the time is impossible: its matrix products alone would run at {rate / 1e9:.3g} GFLOP/s, "
        f"{rate / best:.3g} times the best rate measured here, {best / 1e9:.3g} GFLOP/s"
    )
    return replace(entry, standing="impossible", reason="; ".join(filter(None, [entry.reason, reason])))


def _best_rates(entries: Sequence[CellResult], blocks: Sequence[BlockRecord]) -> dict[Setting, float]:
    """Operations per second of the fastest round of any product, where a large one is among them."""
    disturbed = {block.block for block in blocks if (block.others_share or 0.0) > MUCH}
    best: dict[Setting, float] = {}
    large: set[Setting] = set()
    for entry in entries:
        timings = [timing for block, timing in entry.timings.items() if block not in disturbed and timing.per_call]
        if timings and entry.cell.phase in (PEAK, PRODUCTS):
            rate = max(timing.flops_per_call / min(timing.per_call) for timing in timings)
            best[_setting(entry)] = max(best.get(_setting(entry), 0.0), rate)
            large |= {_setting(entry)} if entry.cell.phase == PEAK else set()
    return {setting: rate for setting, rate in best.items() if setting in large}


def _setting(entry: CellResult) -> Setting:
    who = entry.cell.who
    return who.device, who.threads, who.precision
