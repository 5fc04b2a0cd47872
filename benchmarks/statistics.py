"""From samples to estimates and verdicts. Pure: no clock, no framework, no file.

A cell is measured in several blocks, each a fresh process; within a block there are many rounds. Rounds within a
process are not independent of one another, so they are reduced to their median first, and the spread that counts is
the spread between blocks. Two cells that took turns are compared round by round, because what disturbs a machine
disturbs both: the median of a block's log ratios is that block's value. Two runs that took no turns share no blocks:
theirs are compared unpaired, and what the machine did in between is in the ratio.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scipy.special import stdtr, stdtrit  # scipy.stats takes a second to import

from benchmarks.verdict_rule import MARGIN as MARGIN
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT

Verdict = Literal["faster", "slower", "tied", "not settled"]


@dataclass(frozen=True)
class Estimate:
    """A positive quantity with its 95% interval and the number of blocks behind it (one block: no interval)."""

    value: float
    low: float
    high: float
    blocks: int

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """Its ends; None where one block leaves no interval."""
        return (self.low, self.high) if self.blocks > 1 else (None, None)

    def dividing(self, amount: float) -> "Estimate":
        """`amount` over this quantity: work over a time is a rate, 1 over a ratio the ratio turned over.

        One block's interval reaches from 0 to infinity, and so does what it divides.
        """
        high = amount / self.low if self.low else math.inf
        return Estimate(amount / self.value, amount / self.high, high, self.blocks)


@dataclass(frozen=True)
class Comparison:
    """A ratio of times to the reference's (above 1: slower), with its 95% interval and what may be said of it."""

    ratio: Estimate
    p_value: float
    """Of equal times, two-sided; 1 where there is one block."""

    detected: bool
    verdict: Verdict
    detectable: float
    """The smallest true difference, as a fraction, that so many blocks as noisy as these find 8 times out of 10."""


def estimate(blocks: Sequence[float]) -> Estimate:
    """Median of the block medians, with a t interval on the logarithms."""
    value = statistics.median(blocks)
    if len(blocks) < 2:
        return Estimate(value, 0.0, math.inf, len(blocks))
    logs = [math.log(block) for block in blocks]
    mean, half = statistics.fmean(logs), float(stdtrit(len(logs) - 1, 0.975)) * _standard_error(logs)
    return Estimate(value, min(math.exp(mean - half), value), max(math.exp(mean + half), value), len(blocks))


def log_ratio(rounds: Sequence[float], reference: Sequence[float]) -> float:
    """One block: the median log ratio over the rounds that both took in turn, the last of one with the last of the other.

    Both hold seconds per call without the warm-up, which may have been longer for one of them.
    """
    shared = min(len(rounds), len(reference))
    pairs = zip(rounds[-shared:], reference[-shared:], strict=True)
    return statistics.median(math.log(a / b) for a, b in pairs)


def compare_logs(logs: Sequence[float], margin: float = MARGIN) -> Comparison:
    """The verdict over the blocks' log ratios: their mean with a t interval. Raises ValueError where there are none."""
    if not logs:
        raise ValueError("the two cells share no block")
    mean, freedom = statistics.fmean(logs), len(logs) - 1
    if not freedom:
        return _without_interval(mean, 1)
    return _comparison(mean, _standard_error(logs), freedom, len(logs), margin)


def compare_unpaired(blocks: Sequence[float], reference: Sequence[float], margin: float = MARGIN) -> Comparison:
    """Time over the reference's time where the two were not measured in turns, so that no block belongs to another.

    Both hold block medians in seconds, in any order and of any number. The difference of the mean logarithms with
    Welch's t interval (Welch 1947, Biometrika 34), its degrees of freedom after Satterthwaite (1946, Biometrics
    Bulletin 2): the two spreads need not be alike. `ratio.blocks` is the smaller number of blocks, because a verdict
    needs enough on either side; with one block on a side there is no interval. Raises ValueError where a side has none.
    """
    if not blocks or not reference:
        raise ValueError("one side has no block")
    ours, theirs = [math.log(value) for value in blocks], [math.log(value) for value in reference]
    mean, fewest = statistics.fmean(ours) - statistics.fmean(theirs), min(len(ours), len(theirs))
    if fewest < 2:
        return _without_interval(mean, fewest)
    return _comparison(mean, *_welch(ours, theirs), fewest, margin)


def fit(work: Sequence[float], seconds: Sequence[float]) -> tuple[float, float] | None:
    """(overhead in seconds, work per second) of seconds = overhead + work / rate; None where no positive rate fits.

    Least squares of the relative errors, so that small sizes count as much as large ones; no overhead below zero.
    """
    a = [1 / s for s in seconds]
    b = [w / s for w, s in zip(work, seconds, strict=True)]
    aa, ab, bb = (sum(x * y for x, y in zip(p, q, strict=True)) for p, q in ((a, a), (a, b), (b, b)))
    determinant = aa * bb - ab * ab
    if determinant <= 1e-9 * aa * bb:
        return None
    overhead = (sum(a) * bb - sum(b) * ab) / determinant
    per_work = (sum(b) * aa - sum(a) * ab) / determinant if overhead > 0 else sum(b) / bb
    return (max(overhead, 0.0), 1 / per_work) if per_work > 0 else None


def blocks_for(comparison: Comparison, difference: float, most: int) -> int | None:
    """How many blocks as noisy as a comparison's would find a true difference, a fraction, 8 times out of 10; None beyond `most`.

    Its standard error falls with the root of their number. Raises ValueError where there is no spread to go by (one block).
    """
    blocks = comparison.ratio.blocks
    if not math.isfinite(comparison.detectable):
        raise ValueError("one block has no spread")
    spread = math.log1p(comparison.detectable) / _quantiles(blocks - 1) * math.sqrt(blocks)
    enough = (k for k in range(2, most + 1) if math.expm1(_quantiles(k - 1) * spread / math.sqrt(k)) <= difference)
    return next(enough, None)


def holm(p_values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Which of a table's differences are detected when the whole table may err once in 20 (Holm 1979)."""
    detected = [False] * len(p_values)
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[i] > level / (len(p_values) - rank):
            break
        detected[i] = True
    return detected


def detected_together(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons of one table, each detected only where the whole table allows it."""
    detected = holm([comparison.p_value for comparison in comparisons])
    return [replace(comparison, detected=holds) for comparison, holds in zip(comparisons, detected, strict=True)]


def _without_interval(mean: float, blocks: int) -> Comparison:
    return Comparison(Estimate(math.exp(mean), 0.0, math.inf, blocks), 1.0, False, "not settled", math.inf)


def _comparison(mean: float, error: float, freedom: float, blocks: int, margin: float) -> Comparison:
    """Of a mean log ratio with its standard error and degrees of freedom."""
    half = float(stdtrit(freedom, 0.975)) * error
    ratio = Estimate(math.exp(mean), math.exp(mean - half), math.exp(mean + half), blocks)
    p_value, detectable = _two_sided(mean, error, freedom), math.expm1(_quantiles(freedom) * error)
    return Comparison(ratio, p_value, not ratio.low <= 1 <= ratio.high, _verdict(ratio, margin), detectable)


def _standard_error(logs: Sequence[float]) -> float:
    lowest = min(logs)
    away = [log - lowest for log in logs]  # equal logs have no spread at all, however their sum is rounded
    mean = statistics.fmean(away)
    return math.sqrt(math.fsum((x - mean) ** 2 for x in away) / (len(logs) - 1) / len(logs))  # stdev: 20 times slower


def _two_sided(mean: float, error: float, freedom: float) -> float:
    if error == 0:
        return 0.0 if mean else 1.0
    return 2 * float(stdtr(freedom, -abs(mean) / error))


def _welch(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """Standard error of the difference of the means, and its degrees of freedom."""
    errors = _standard_error(ours), _standard_error(theirs)
    error = math.hypot(*errors)
    if error == 0:
        return 0.0, len(ours) + len(theirs) - 2
    share = (errors[0] / error) ** 2  # a share, not a sum of fourth powers, which would underflow
    return error, 1 / (share**2 / (len(ours) - 1) + (1 - share) ** 2 / (len(theirs) - 1))


def _quantiles(freedom: float) -> float:
    """t_0.975 + t_0.8: exp of so many standard errors, less 1, is the usual normal approximation to the power of a t test."""
    return float(stdtrit(freedom, 0.975) + stdtrit(freedom, 0.8))


def _verdict(ratio: Estimate, margin: float) -> Verdict:
    """Against the margin on both sides: wholly outside, wholly inside, or neither."""
    if ratio.blocks < MIN_BLOCKS_FOR_VERDICT:
        return "not settled"
    if ratio.high < 1 / (1 + margin):
        return "faster"
    if ratio.low > 1 + margin:
        return "slower"
    if 1 / (1 + margin) <= ratio.low and ratio.high <= 1 + margin:
        return "tied"
    return "not settled"
