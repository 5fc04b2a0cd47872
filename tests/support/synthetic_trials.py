"""Trials that were never measured, for the summary and the page."""

from collections.abc import Sequence

from benchmarks.selfcheck import trials, units
from benchmarks.selfcheck.peers import HEADLINE
from benchmarks.selfcheck.trials import Trial

SPREAD = (-0.01, -0.005, -0.002, 0.002, 0.005, 0.01)
"""Log ratios of six blocks about the truth: a half-width of some 0.8%."""


def ours(sitting: int, workload: str, extra: int, off: float = 0.0) -> Trial:
    from math import log

    logs = [log(units.true_ratio(extra)) + off + noise for noise in SPREAD]
    return trials.ours(sitting, workload, extra, 3.0, logs)


def peer(sitting: int, method: str, workload: str, extra: int, off: float = 0.1) -> Trial:
    reference = [1.0, 1.01, 0.99, 1.0]
    candidate = [value * units.true_ratio(extra) * (1 + off) for value in reference]
    return trials.peers(sitting, method, workload, extra, 3.0, {units.REFERENCE: reference, units.CANDIDATE: candidate})


def sittings(count: int, off: float = 0.0, peers_off: float = 0.1) -> Sequence[Trial]:
    found = []
    for sitting in range(count):
        for workload in units.WORKLOADS:
            found += [ours(sitting, workload, extra, off) for extra in units.EXTRAS]
            found += [peer(sitting, method, workload, units.EXTRAS[sitting % 3], peers_off) for method in HEADLINE]
    return found
