"""Dropout's randomness: masks must be what the specification says, zero as often as it says, and each drawn anew.

A wrong mask is handed to the oracle like a right one, so the replay alone would not notice it.
"""

from collections.abc import Callable, Sequence

import numpy as np

from implementations.contract import Arrays, Spec
from implementations.equivalence import tolerances
from implementations.equivalence.tolerances import FACTOR, SIGMAS, Check

LARGE_DRAW = 2**24
"""Units in the two draws that the keep rate is judged by: enough to tell a probability of 1/5 from 51/256."""

SEQUENCE = 2**21
"""Units, over several steps, in which correlations are sought."""

MOST_STEPS = 64
PERIOD = 2000
"""Steps in a row of which no two may draw the same masks."""

COINCIDENCES = 300
"""Expected number of them from which on their count is nearly normal."""

Draw = Callable[[int], Arrays]


def mask_checks(check: str, masks: Arrays, spec: Spec, batch: int, arithmetic: str) -> list[Check]:
    """The masks of one step: 0 or 1/(1-p) to within rounding, zero as often as p says, nothing repeated in them."""
    rate, budget = spec.dropout, FACTOR * tolerances.UNIT_ROUNDOFF[arithmetic]
    checks, nonzero = [], []
    for name, shape in spec.masks(batch).items():
        mask = np.asarray(masks.get(name, np.nan), np.float64)
        if mask.shape != shape:
            return [Check(check, "mask scale", name, float("inf"), budget)]
        scale = float(np.max(np.abs(mask[mask != 0] * (1 - rate) - 1), initial=0.0))
        checks.append(Check(check, "mask scale", name, scale, budget))
        checks.append(Check(check, "mask keep rate", name, abs(_keep_rate(mask != 0, rate)), SIGMAS))
        nonzero.append(mask != 0)
    if nonzero:
        checks.append(Check(check, "mask repeats nothing", "all masks", _self_correlation(nonzero, rate), SIGMAS))
    return tolerances.worst_by_group(checks)


def statistics(draw_masks: Draw, spec: Spec, batch: int) -> list[Check]:
    """The masks of many steps. Every number is in standard deviations of what chance does.

    Keep rate; kept evenly over units and over samples (chi-square); no correlation of the whole sequence of masks with
    itself, whatever the distance: within a mask, between layers, between steps; no two steps alike.
    """
    names = list(spec.masks(batch))
    if not names:
        return []
    rate, units = spec.dropout, sum(int(np.prod(shape)) for shape in spec.masks(batch).values())
    steps = [_nonzero(draw_masks(batch), names) for _ in range(int(np.clip(SEQUENCE // units, 2, MOST_STEPS)))]
    rows = max(LARGE_DRAW // (units // batch), 1)
    large = [_nonzero(draw_masks(rows), names) for _ in range(2)]
    checks = []
    for k, name in enumerate(names):
        drawn = np.stack([step[k] for step in steps])
        over_units, over_samples = drawn.sum(axis=(0, 1)), drawn.sum(axis=(0, 2))
        deviations = {
            "keep rate": _keep_rate(np.stack([draw[k] for draw in large]), rate),
            "even over units": _evenness(over_units, drawn.size // len(over_units), rate),
            "even over samples": _evenness(over_samples, drawn.size // len(over_samples), rate),
        }
        checks += [Check("generator", group, name, abs(sigmas), SIGMAS) for group, sigmas in deviations.items()]
    sequence = [mask for step in steps for mask in step]
    checks.append(Check("generator", "uncorrelated", "all masks", _self_correlation(sequence, rate), SIGMAS))
    return [*tolerances.worst_by_group(checks), _never_again(draw_masks, spec, names)]


def _never_again(draw_masks: Draw, spec: Spec, names: Sequence[str]) -> Check:
    """Masks of so few samples that drawing many is quick, of so many that no two of a layer are alike by chance."""
    width = min(shape[-1] for shape in spec.masks(1).values())
    bits = -np.log2(spec.dropout**2 + (1 - spec.dropout) ** 2)  # that a unit contributes to two masks being different
    rows = int(np.ceil(64 / (width * bits)))
    drawn: set[tuple[int, bytes]] = set()
    for _ in range(PERIOD):
        drawn |= {(k, np.packbits(mask).tobytes()) for k, mask in enumerate(_nonzero(draw_masks(rows), names))}
    return Check("generator", "no two steps alike", f"{PERIOD} steps", PERIOD * len(names) - len(drawn), 0)


def _nonzero(masks: Arrays, names: Sequence[str]) -> list[np.ndarray]:
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


def _self_correlation(masks: Sequence[np.ndarray], rate: float) -> float:
    """The largest correlation of the masks, one after the other, with themselves some distance on.

    By the Fourier transform, at every distance that leaves enough to count; smaller, as the largest of so many is larger.
    """
    flat = np.concatenate([mask.reshape(-1) for mask in masks])
    centred = (flat - (1 - rate)) / np.sqrt(rate * (1 - rate))
    overlap_needed = max(1000, COINCIDENCES / min(rate, 1 - rate) ** 2)
    lags = int(len(flat) - overlap_needed)
    if lags < 1:
        return 0.0
    size = 2 ** int(np.ceil(np.log2(2 * len(flat))))
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    correlation = np.fft.irfft(power, size)[1 : lags + 1] / np.sqrt(len(flat) - np.arange(1, lags + 1))
    return float(np.max(np.abs(correlation)) / np.sqrt(1 + 2 * np.log(lags) / SIGMAS**2))
