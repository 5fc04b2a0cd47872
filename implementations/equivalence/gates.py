"""The rule by which two tensors count as equal, and every tolerance there is.

float64 proves the algorithm: every tensor within FLOAT64_BOUND of the oracle. float32 proves the callable that is
timed: the error may be at most FACTOR times the typical error of the oracle's own formulas in float32, from inputs that
are off by one rounding. No test, framework or tensor has a number of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from implementations.contract import Arrays

UNIT_ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24}
FLOAT64_BOUND = 1e-12
FACTOR = 8
"""Measured: no implementation errs more than 3.2 times as much as the oracle's formulas do in the same precision."""

MOST_BUDGET = 0.1
"""With a budget beyond this a gradient of zero might pass: nothing is certified then."""

PERTURBATIONS = 7
"""Runs behind each budget: the norm over a tensor's elements already averages, so few suffice."""

KINK_REACH = 64
"""A ReLU may take either side where its input is below this many roundings of the layer's typical input."""

MOST_FLIPS = 20
"""More ReLUs than this are not tried, and so not adopted."""

MASK_ULPS = 4
MASK_SIGMAS = 6
"""A keep rate further than this from the specification's is no accident (two in a thousand million)."""

CHANGE = "change of "
ZEROED = "zeroed slots"


@dataclass(frozen=True)
class Check:
    """One verdict: the worst tensor of a group under a check, its error and its budget."""

    check: str
    group: str
    tensor: str
    error: float
    budget: float

    @property
    def passed(self) -> bool:
        """NaN passes nothing."""
        return bool(self.error <= self.budget)

    @property
    def excess(self) -> float:
        """Error over budget; a NaN error counts as infinite."""
        if np.isnan(self.error):
            return float("inf")
        if self.budget == 0:
            return 0.0 if self.error == 0 else float("inf")
        return self.error / self.budget


def error(name: str, found: Arrays, wanted: Arrays) -> float:
    """||T - R|| / ||R||; infinite where a tensor is missing or misshapen, absolute where the reference is zero.

    Per-sample losses are measured against max(1, max|logits|): a loss near zero is a small difference of large logits.
    """
    if name not in found or np.shape(found[name]) != np.shape(wanted[name]):
        return float("inf")
    difference = np.asarray(found[name], np.float64) - np.asarray(wanted[name], np.float64)
    scale = np.asarray(wanted[name], np.float64)
    if name == "sample losses":
        scale = np.full_like(scale, max(1.0, float(np.max(np.abs(wanted["logits"])))))
    return float(np.linalg.norm(difference)) / (float(np.linalg.norm(scale)) or 1.0)


def judge(check: str, found: Arrays, wanted: Arrays, budgets: Mapping[str, float], spec: Any) -> list[Check]:
    """One Check per group of tensors: the worst of them by error over budget.

    A tensor with a budget beyond MOST_BUDGET fails, since nothing can be said of it, with one exception: a change that
    drowns in the rounding of its parameter says nothing, but its gradient stands in a slot and is judged there.
    """
    tensors = spec.tensors()
    roles = {name: tensor.role for name, tensor in tensors.items()}
    in_slots = {CHANGE + tensor.of for tensor in tensors.values() if tensor.of is not None}
    checks = []
    for name in wanted:
        if budgets[name] <= MOST_BUDGET:
            group = _group(check, name, roles)
            checks.append(Check(check, group, name, error(name, found, wanted), budgets[name]))
        elif name not in in_slots:
            checks.append(Check(check, "certifiable", name, budgets[name], MOST_BUDGET))
    return worst_by_group(checks)


def worst_by_group(checks: Iterable[Check]) -> list[Check]:
    """Of every group the check with the largest excess."""
    worst: dict[str, Check] = {}
    for check in checks:
        if check.group not in worst or check.excess > worst[check.group].excess:
            worst[check.group] = check
    return list(worst.values())


def total_excess(checks: Iterable[Check]) -> float:
    """How far a list of checks is over its budgets altogether; 0 where all pass."""
    return sum(max(check.excess - 1, 0.0) for check in checks)


def mask_checks(check: str, masks: Arrays, spec: Any, batch: int) -> list[Check]:
    """Native masks must be what the specification says: 0 or 1/(1-p), zero as often as p says, no two alike."""
    rate, u = spec.dropout, UNIT_ROUNDOFF[spec.precision]
    checks, seen = [], set()
    for name, shape in spec.masks(batch).items():
        mask = np.asarray(masks.get(name, np.nan), np.float64)
        if mask.shape != shape:
            return [Check(check, "mask scale", name, float("inf"), MASK_ULPS * u)]
        kept = mask[mask != 0]
        scale = float(np.max(np.abs(kept * (1 - rate) - 1), initial=0.0))
        sigma = np.sqrt(mask.size * rate * (1 - rate))
        checks.append(Check(check, "mask scale", name, scale, MASK_ULPS * u))
        checks.append(
            Check(check, "mask keep rate", name, float(abs(kept.size - mask.size * (1 - rate)) / sigma), MASK_SIGMAS)
        )
        reused = mask.size >= 64 and mask.tobytes() in seen
        checks.append(Check(check, "mask is its own", name, float(reused), 0.0))
        seen.add(mask.tobytes())
    return worst_by_group(checks)


def _group(check: str, name: str, roles: Mapping[str, str]) -> str:
    """The line of the verdict that a tensor belongs to. From zeroed slots the slots are the gradients."""
    if name.startswith(CHANGE):
        return "change of parameters"
    slots = "gradients" if check == ZEROED else "slots"
    groups = {"parameter": "parameters", "statistic": "statistics", "slot": slots, "counter": "counter"}
    return groups.get(roles.get(name, ""), name)
