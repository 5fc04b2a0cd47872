"""Gates B and C, over many seeds: beside plain NumPy in float32, and between float32 and float64.

A formula that is nearly right, or a step that is secretly done in float32, gives errors that do not shrink with the unit
roundoff. One seed's error may be far below or above what is usual: Adam divides by a gradient that may be nearly zero. The median over
thirty seeds is not, if the tensor has a hundred elements; a fault that shows in fewer than half of them is not seen here.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from implementations.contract import Oracle
from implementations.equivalence import proof, tolerances
from implementations.equivalence.proof import Candidate
from implementations.equivalence.repetition import Start
from implementations.equivalence.tolerances import FACTOR, UNIT_ROUNDOFF, Check

FEWEST_ELEMENTS = 100


@dataclass
class Errors:
    """Relative errors by tensor, one for each seed, of a candidate and of plain NumPy in the same precision."""

    of_candidate: dict[str, list[float]] = field(default_factory=dict)
    of_numpy: dict[str, list[float]] = field(default_factory=dict)

    def add(self, candidate: Candidate, oracle: Oracle, start: Start) -> None:
        """One more step, against the oracle (in extended precision, where float64 is judged)."""
        seen, _ = proof.observe(candidate, start)
        yardstick, checks, repetition = proof.settle(candidate, oracle, start, seen)
        if any(check.group == proof.FLIPS for check in checks):
            return  # a ReLU on the other side is not rounding, and NumPy has its own
        expected = yardstick.expected
        in_numpy = oracle.in_arithmetic(np.dtype(tolerances.STORED[candidate.arithmetic]), np.ndarray)
        choices = {name: branch.choice for name, branch in oracle.branches().items()}
        plain = replace(repetition, oracle=in_numpy).reference(choices)
        actual = repetition.tensors_of_step(seen.logits, seen.loss, seen.state)
        for name, value in expected.items():
            if np.size(value) >= FEWEST_ELEMENTS and not name.startswith(tolerances.CHANGE):
                scale = yardstick.scale(name)
                for errors, tensors in ((self.of_candidate, actual), (self.of_numpy, plain)):
                    errors.setdefault(name, []).append(tolerances.distance(name, tensors, expected) / scale)

    def medians(self) -> dict[str, tuple[float, float]]:
        """Over the seeds (of the candidate, of plain NumPy) by tensor; NaN, which passes nothing, where one of them is not finite."""
        return {name: (_median(errors), _median(self.of_numpy[name])) for name, errors in self.of_candidate.items()}


def _median(errors: Sequence[float]) -> float:
    return statistics.median(errors) if all(map(math.isfinite, errors)) else math.nan


def peer_checks(medians: Mapping[str, tuple[float, float]], precision: str) -> list[Check]:
    """Gate B: at most FACTOR times the error of plain NumPy in the same precision, at least a rounding."""
    unit = UNIT_ROUNDOFF[precision]
    return tolerances.worst_by_group(
        Check("peer", "beside NumPy", name, error, FACTOR * max(numpy, unit))
        for name, (error, numpy) in medians.items()
    )


def scaling_checks(single: Mapping[str, tuple[float, float]], double: Mapping[str, tuple[float, float]]) -> list[Check]:
    """Gate C: e32 / e64 within FACTOR of 2^29, up and down; errors below a rounding count as one."""
    checks = []
    for name, (e32, _) in single.items():
        floor32, floor64 = (UNIT_ROUNDOFF[precision] for precision in ("float32", "float64"))
        ratio = max(e32, floor32) / max(double[name][0], floor64) / 2.0**29
        checks.append(Check("scaling", "float32 over float64", name, max(ratio, 1 / ratio), FACTOR))
    return tolerances.worst_by_group(checks)
