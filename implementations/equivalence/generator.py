"""Dropout's randomness: masks must be what the specification says, zero as often as it says, and each drawn anew.

A wrong mask is handed to the oracle like a right one, so the replay alone would not notice it.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from implementations.contract import Arrays, Spec
from implementations.declarations import Mask
from implementations.equivalence import tolerances
from implementations.equivalence.tolerances import FACTOR, SIGMAS, Check

LARGE_DRAW = 2**24
"""Units in the two draws that the keep rate is judged by: enough to tell a probability of 1/5 from 51/256."""

SEQUENCE = 2**21
"""Units, over several steps, in which correlations are sought."""

MOST_STEPS = 64
PERIOD = 2000
"""Steps in a row of which no two may draw the same masks."""

BITS = 64
"""Masks that differ by so much do not come out alike by chance."""

COINCIDENCES = 300
"""Expected number of them from which on their count is nearly normal."""

Draw = Callable[[int], Arrays]


def mask_checks(check: str, masks: Arrays, spec: Spec, batch: int, arithmetic: str) -> list[Check]:
    """The masks of one step: 0 or 1/(1-p) to within rounding, zero as often as p says, nothing repeated in them, no rows alike."""
    budget = FACTOR * tolerances.UNIT_ROUNDOFF[arithmetic]
    checks, drawn = [], []
    for name, of in spec.masks(batch).items():
        mask, rate = np.asarray(masks.get(name, np.nan), np.float64), of.rate
        if mask.shape != of.shape:
            return [Check(check, "mask scale", name, float("inf"), budget)]
        scale = float(np.max(np.abs(mask[mask != 0] * (1 - rate) - 1), initial=0.0))
        checks.append(Check(check, "mask scale", name, scale, budget))
        checks.append(Check(check, "mask keep rate", name, abs(_keep_rate(mask != 0, rate)), SIGMAS))
        drawn.append((mask != 0, rate))
    if drawn:
        checks.append(Check(check, "mask repeats nothing", "all masks", _self_correlation(drawn), SIGMAS))
        checks.append(Check(check, "mask rows differ", "all masks", _rows_alike(drawn), SIGMAS))
    return tolerances.worst_by_group(checks)


def drawn_anew(check: str, one: Arrays, next_one: Arrays, spec: Spec, batch: int) -> Check:
    """The masks of two steps in a row are not alike, where they have so many units that chance would not make them so."""
    judged = [name for name, mask in spec.masks(batch).items() if _bits(mask) >= BITS]
    alike = [name for name in judged if np.array_equal(_nonzero(one, [name]), _nonzero(next_one, [name]))]
    return tolerances.exact(check, "masks are drawn anew", ", ".join(alike) or "all masks", not alike)


def statistics(draw_masks: Draw, spec: Spec, batch: int) -> list[Check]:
    """The masks of many steps. Every number is in standard deviations of what chance does.

    Keep rate; kept evenly over units and along every axis, samples first (chi-square); no correlation of the whole
    sequence of masks with itself, whatever the distance: within a mask, between layers, between steps; no rows alike, wherever
    they stand; no two steps alike.
    """
    masks = spec.masks(batch)
    if not masks:
        return []
    units = sum(math.prod(mask.shape) for mask in masks.values())
    steps = [_nonzero(draw_masks(batch), masks) for _ in range(int(np.clip(SEQUENCE // units, 2, MOST_STEPS)))]
    rows = max(LARGE_DRAW // (units // batch), 1)
    large = [_nonzero(draw_masks(rows), masks) for _ in range(2)]
    checks = []
    for k, (name, mask) in enumerate(masks.items()):
        deviations = {"keep rate": _keep_rate(np.stack([draw[k] for draw in large]), mask.rate)}
        deviations |= _evenness_of(np.stack([step[k] for step in steps]), mask.rate)
        checks += [Check("generator", group, name, abs(sigmas), SIGMAS) for group, sigmas in deviations.items()]
    rates = [mask.rate for mask in masks.values()]
    sequence = [drawn for step in steps for drawn in zip(step, rates, strict=True)]
    checks.append(Check("generator", "uncorrelated", "all masks", _self_correlation(sequence), SIGMAS))
    checks.append(Check("generator", "rows differ", "all masks", _rows_alike(sequence), SIGMAS))
    return [*tolerances.worst_by_group(checks), _never_again(draw_masks, spec)]


def _evenness_of(drawn: np.ndarray, rate: float) -> dict[str, float]:
    """Of masks of many steps (steps, B, ...): over the units of a sample, over samples, and along the further axes."""
    flat = drawn.reshape(*drawn.shape[:2], -1)
    counts = {"even over units": flat.sum(axis=(0, 1)), "even over samples": flat.sum(axis=(0, 2))}
    for axis in range(2, drawn.ndim if drawn.ndim > 3 else 0):
        others = tuple(k for k in range(drawn.ndim) if k != axis)
        counts[f"even along axis {axis - 1}"] = drawn.sum(axis=others)
    return {group: _evenness(count, drawn.size // len(count), rate) for group, count in counts.items()}


def _never_again(draw_masks: Draw, spec: Spec) -> Check:
    """Masks of so few samples that drawing many is quick, of so many that no two of a layer are alike by chance."""
    masks = spec.masks(1)
    rows = math.ceil(BITS / min(map(_bits, masks.values())))
    drawn: set[tuple[int, bytes]] = set()
    for _ in range(PERIOD):
        drawn |= {(k, np.packbits(mask).tobytes()) for k, mask in enumerate(_nonzero(draw_masks(rows), masks))}
    return Check("generator", "no two steps alike", f"{PERIOD} steps", PERIOD * len(masks) - len(drawn), 0)


def _bits(mask: Mask) -> float:
    """What a mask's units contribute, in bits, to two draws of it being different."""
    return -math.prod(mask.shape) * math.log2(mask.rate**2 + (1 - mask.rate) ** 2)


def _nonzero(masks: Arrays, names: Iterable[str]) -> list[np.ndarray]:
    return [np.asarray(masks[name]) != 0 for name in names]


def _keep_rate(nonzero: np.ndarray, rate: float) -> float:
    """Of a binomial count, the deviate of Anscombe (1948), which is near normal where few are dropped, too."""
    share = (nonzero.size - np.count_nonzero(nonzero) + 3 / 8) / (nonzero.size + 3 / 4)
    return float(2 * np.sqrt(nonzero.size) * (np.arcsin(np.sqrt(share)) - np.arcsin(np.sqrt(rate))))


def _evenness(counts: np.ndarray, trials: int, rate: float) -> float:
    """Chi-square of binomial counts, as a normal deviate (Wilson & Hilferty 1931); 0 where they are too small for it."""
    if trials * min(rate, 1 - rate) < 25:
        return 0.0
    chi2 = float(np.sum((counts - trials * (1 - rate)) ** 2) / (trials * rate * (1 - rate)))
    spread = 2 / (9 * counts.size)
    return float(((chi2 / counts.size) ** (1 / 3) - (1 - spread)) / np.sqrt(spread))


def _self_correlation(masks: Sequence[tuple[np.ndarray, float]]) -> float:
    """The largest correlation of the masks, one after the other, with themselves some distance on; each with its rate.

    By the Fourier transform, at every distance that leaves enough to count; smaller, as the largest of so many is larger.
    """
    centred = np.concatenate([((mask - (1 - rate)) / np.sqrt(rate * (1 - rate))).reshape(-1) for mask, rate in masks])
    overlap_needed = max(1000, *(COINCIDENCES / min(rate, 1 - rate) ** 2 for _, rate in masks))
    lags = int(len(centred) - overlap_needed)
    if lags < 1:
        return 0.0
    size = 2 ** int(np.ceil(np.log2(2 * len(centred))))
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    correlation = np.fft.irfft(power, size)[1 : lags + 1] / np.sqrt(len(centred) - np.arange(1, lags + 1))
    return float(np.max(np.abs(correlation)) / np.sqrt(1 + 2 * np.log(lags) / SIGMAS**2))


def _rows_alike(masks: Sequence[tuple[np.ndarray, float]]) -> float:
    """By how many deviations more rows of units are alike than by chance, whichever masks they are in; each mask with its rate.

    A mask that repeats another's rows at a distance that is another one for each sample shows at no distance. Pairs of rows that are so
    long that few are alike by chance are counted; near a Poisson distribution, the square root of the count has a deviation of 1/2.
    """
    rows: dict[tuple[int, float], list[np.ndarray]] = {}
    for mask, rate in masks:
        rows.setdefault((mask.shape[-1], rate), []).append(mask.reshape(-1, mask.shape[-1]))
    most = 0.0
    for (length, rate), found in rows.items():
        _, counts = np.unique(np.packbits(np.concatenate(found), axis=1), axis=0, return_counts=True)
        expected = math.comb(int(counts.sum()), 2) * (rate**2 + (1 - rate) ** 2) ** length
        if expected < 1:
            alike = sum(math.comb(int(count), 2) for count in counts[counts > 1])
            most = max(most, 2 * (math.sqrt(alike) - math.sqrt(expected)))
    return most
