"""Domains, ticks, and places for labels: numbers only."""

import itertools
import math
from collections.abc import Sequence


def apart(positions: Sequence[float], gap: float, height: float) -> list[float]:
    """Positions at least `gap` apart, near the wanted ones, within the height where there is room."""
    order = sorted(range(len(positions)), key=lambda k: positions[k])
    placed = list(positions)
    for before, after in itertools.pairwise(order):
        placed[after] = max(placed[after], placed[before] + gap)
    limit = max(height, gap * (len(positions) - 1))
    for k in reversed(order):
        placed[k] = min(placed[k], limit)
        limit = placed[k] - gap
    return [round(position, 2) for position in placed]


def share(value: float, domain: list[float], log: bool) -> float:
    """Where a value lies in the domain: 0 at its low end, 1 at its high end."""
    low, high, value = (math.log(v) if log else v for v in (*domain, value))
    return (value - low) / (high - low)


def padded(low: float, high: float, log: bool) -> list[float]:
    """The domain from a lowest to a highest value, with some room at both ends."""
    if log:
        return [low / 1.25, high * 1.25]
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return [low - room, high + room]


def around(ratios: Sequence[float], intervals: Sequence[tuple[float | None, float | None]]) -> list[float]:
    """The domain of ratios; an interval widens it, but by no more than a factor of 1.5: with few blocks it may be endless."""
    low, high = min(ratios), max(ratios)
    ends = [end for interval in intervals for end in interval if end is not None]
    low, high = max(min([low, *ends]), low / 1.5), min(max([high, *ends]), high * 1.5)
    room = max((high / low) ** 0.04, 1.02)
    return [min(low / room, 0.95), max(high * room, 1.1)]


def log_ticks(domain: list[float], nice: Sequence[float], room: float) -> list[float]:
    """Round numbers within the domain, powers of ten first, with room for their labels."""
    powers = range(math.floor(math.log10(domain[0])), math.ceil(math.log10(domain[1])) + 1)
    rounded = [float(f"{number * 10.0**power:.3g}") for number in nice for power in powers]
    positions: dict[float, float] = {}
    for tick in rounded:
        at = share(tick, domain, log=True)
        if 0 <= at <= 1 and all(abs(at - taken) > room for taken in positions.values()):
            positions[tick] = at
    return sorted(positions)
