"""From trials to figures and claims. Pure: reads nothing, measures nothing."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.special import bdtrc

from benchmarks.selfcheck.peers import HEADLINE
from benchmarks.selfcheck.trials import OURS, Trial
from benchmarks.statistics import compare_logs

METHODS = (OURS, *HEADLINE)

WITHIN_S = 90.0
"""The time for a pair within which a difference is to be found."""

FURTHEST = 0.05
"""How far from the truth an estimate may be."""

ENOUGH = 20
"""Trials with which a share of 90% can be distinguished from one of 70%."""


@dataclass(frozen=True)
class Figures:
    """How a method did over some trials."""

    trials: int
    rms_error: float
    coverage: float
    half_width: float
    """The median."""


@dataclass(frozen=True)
class Power:
    """What so many blocks find: of true differences, those that were detected as what they are; of equals, those called
    different."""

    blocks: int
    seconds: float
    half_width: float
    detected: dict[int, tuple[int, int]]
    """By the candidate's extra units: how many of how many."""


@dataclass(frozen=True)
class Claim:
    """What the harness is to show, what was seen, and whether it holds."""

    claim: str
    seen: str
    holds: bool


def of(trials: Iterable[Trial], method: str, workload: str = "") -> list[Trial]:
    """A method's trials, of one workload or of all."""
    return [t for t in trials if t.method == method and workload in ("", t.workload)]


def shared(trials: Sequence[Trial]) -> list[Trial]:
    """The trials of comparisons that every method made."""
    made = [{(t.sitting, t.workload, t.extra) for t in of(trials, method)} for method in METHODS]
    common = set.intersection(*made)
    return [t for t in trials if (t.sitting, t.workload, t.extra) in common]


def figures(trials: Sequence[Trial]) -> Figures:
    """Raises ValueError where there are none."""
    if not trials:
        raise ValueError("no trials")
    return Figures(
        trials=len(trials),
        rms_error=math.sqrt(statistics.fmean(t.error**2 for t in trials)),
        coverage=statistics.fmean(t.covers for t in trials),
        half_width=statistics.median(t.half_width for t in trials),
    )


def missing(trials: Sequence[Trial]) -> int:
    """How many intervals do not hold the truth."""
    return sum(not t.covers for t in trials)


def power(trials: Sequence[Trial]) -> list[Power]:
    """Our detection by the number of blocks: half of a sitting's, all, and those of several, no block used twice at one number."""
    mine = of(trials, OURS)
    one, sittings = len(mine[0].logs), len({t.sitting for t in mine})
    return [_power(mine, int(one * n)) for n in (0.5, 1, 2, 4, 7, 14, 28) if n <= sittings]


def _power(mine: Sequence[Trial], blocks: int) -> Power:
    detected: dict[int, tuple[int, int]] = {}
    widths = []
    for extra in sorted({t.extra for t in mine}):
        comparisons = []
        for workload in dict.fromkeys(t.workload for t in mine):
            sittings = sorted((t.sitting, t.logs) for t in of(mine, OURS, workload) if t.extra == extra)
            logs = [log for _, of_one in sittings for log in of_one]
            comparisons += [compare_logs(logs[at : at + blocks]) for at in range(0, len(logs) - blocks + 1, blocks)]
        detected[extra] = sum(c.ratio.low > 1 if extra else c.detected for c in comparisons), len(comparisons)
        widths += [math.sqrt(c.ratio.high / c.ratio.low) - 1 for c in comparisons]
    seconds = statistics.fmean(t.seconds / len(t.logs) for t in mine) * blocks
    return Power(blocks, seconds, statistics.median(widths), detected)


def most_by_chance(trials: int, rate: float = 0.05, level: float = 0.975) -> int:
    """The most false detections that chance explains: the binomial distribution's quantile."""
    return next(k for k in range(trials + 1) if 1 - bdtrc(k, trials, rate) >= level)


def claims(trials: Sequence[Trial]) -> list[Claim]:
    """Every claim, and whether these trials support it.

    How many intervals miss the truth is judged by what chance explains: a fixed share of 93% would turn down 9 exact 95% intervals
    four times in ten, and 63 one time in five.
    """
    mine = of(trials, OURS)
    equals = [t for t in mine if t.extra == 0]
    tied, few = sum(t.verdict == "tied" for t in equals), power(trials)[0]
    false, compared = few.detected[0]
    bound = most_by_chance(compared)
    return [
        Claim("equals are called tied in at least 60% of the trials", f"{tied} of {len(equals)}", tied >= 0.6 * len(equals)),
        Claim(f"of {compared} equals in {few.blocks} blocks at most {bound} are called different", str(false), false <= bound),
        _holds_the_truth(mine),
        _is_near(mine),
        _detects(trials, 10, 0.9),
        _detects(trials, 6, 0.8),
        *_beside_others(shared(trials), mine),
    ]  # fmt: skip


def _holds_the_truth(mine: Sequence[Trial]) -> Claim:
    bound, seen = most_by_chance(len(mine)), missing(mine)
    return Claim(f"of {len(mine)} intervals at most {bound} miss the truth", str(seen), seen <= bound)


def _is_near(mine: Sequence[Trial]) -> Claim:
    furthest = max(abs(t.error) for t in mine)
    return Claim(f"no ratio is more than {FURTHEST:.0%} from the truth", f"{furthest:.1%}", furthest <= FURTHEST)


def _detects(trials: Sequence[Trial], extra: int, share: float) -> Claim:
    """At the longest time that was tried often enough; a longer time finds no less."""
    steps = [step for step in power(trials) if step.seconds <= WITHIN_S and step.detected[extra][1] >= ENOUGH]
    claim = f"a true difference of {extra / 2:g}% is found in at least {share:.0%} within {WITHIN_S:.0f} s per pair"
    if not steps:
        return Claim(claim, f"tried fewer than {ENOUGH} times", False)
    detected, tried = steps[-1].detected[extra]
    return Claim(claim, f"{detected} of {tried} in {steps[-1].seconds:.0f} s", detected >= share * tried)


def _beside_others(common: Sequence[Trial], mine: Sequence[Trial]) -> list[Claim]:
    """The width of an interval counts only where it holds the truth: by any method in these trials, by ours in all of its own."""
    figures_of = {method: figures(of(common, method)) for method in METHODS}
    best = min(HEADLINE, key=lambda method: figures_of[method].rms_error)
    ours, theirs = figures_of[OURS].rms_error, figures_of[best].rms_error
    half = "the root mean square error is at most half of the best other timer's"
    trials = figures_of[OURS].trials
    bound = most_by_chance(trials)
    covering = {m: f.half_width for m, f in figures_of.items() if missing(of(common, m)) <= bound}
    narrowest = min(covering, key=covering.__getitem__, default="none")
    least = f"of the methods whose intervals miss the truth at most {bound} times in {trials}, ours are the narrowest"
    return [
        Claim(half, f"{ours:.1%} beside {theirs:.1%} ({best})", ours <= theirs / 2),
        Claim(least, narrowest, narrowest == OURS and _holds_the_truth(mine).holds),
    ]
