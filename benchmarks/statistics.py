"""From samples to estimates and verdicts. Pure: no clock, no framework, no file.

A cell is measured in several blocks, each a fresh process; within a block there are many rounds. Rounds within a
process are not independent of one another, so they are reduced to their median first, and the spread that counts is
the spread between blocks. Two cells are compared block by block, because what disturbs a machine disturbs both.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.special import stdtrit  # scipy.stats takes a second to import

MARGIN = 0.03
"""Differences inside this margin are called a tie."""

ENOUGH_BLOCKS = 6
"""With fewer blocks there is an interval, but no verdict."""

Verdict = Literal["faster", "slower", "tied", "inconclusive"]


@dataclass(frozen=True)
class Estimate:
    """A positive quantity with its 95% interval and the number of blocks behind it (one block: no interval)."""

    value: float
    low: float
    high: float
    blocks: int


@dataclass(frozen=True)
class Comparison:
    """A ratio of times to the reference's (above 1: slower), with its 95% interval and what may be said of it."""

    ratio: Estimate
    detected: bool
    verdict: Verdict


def block_median(elapsed_s: Sequence[float], warmup_rounds: int, loops: int) -> float:
    """Seconds per call: the median over a block's rounds after the warm-up."""
    return statistics.median(elapsed_s[warmup_rounds:]) / loops


def estimate(blocks: Sequence[float]) -> Estimate:
    """Median of the block medians, with a t interval on the logarithms."""
    _, low, high = _log_interval([math.log(value) for value in blocks])
    value = statistics.median(blocks)
    return Estimate(value, min(low, value), max(high, value), len(blocks))


def compare(blocks: Mapping[int, float], reference: Mapping[int, float], margin: float = MARGIN) -> Comparison:
    """Time over the reference's time, paired by block number: mean log ratio with a paired t interval.

    Raises ValueError where the two share no block.
    """
    shared = sorted(blocks.keys() & reference.keys())
    if not shared:
        raise ValueError("the two cells share no block")
    value, low, high = _log_interval([math.log(blocks[k] / reference[k]) for k in shared])
    ratio = Estimate(value, low, high, len(shared))
    return Comparison(ratio, detected=not low <= 1 <= high, verdict=_verdict(ratio, margin))


def _log_interval(logs: Sequence[float]) -> tuple[float, float, float]:
    mean = statistics.fmean(logs)
    if len(logs) < 2:
        return math.exp(mean), 0.0, math.inf
    half = float(stdtrit(len(logs) - 1, 0.975)) * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def _verdict(ratio: Estimate, margin: float) -> Verdict:
    """Against the margin on both sides: wholly outside, wholly inside, or neither."""
    if ratio.blocks < ENOUGH_BLOCKS:
        return "inconclusive"
    if ratio.high < 1 / (1 + margin):
        return "faster"
    if ratio.low > 1 + margin:
        return "slower"
    if 1 / (1 + margin) <= ratio.low and ratio.high <= 1 + margin:
        return "tied"
    return "inconclusive"
