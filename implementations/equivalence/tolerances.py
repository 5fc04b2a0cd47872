"""The rule by which two tensors count as equal, and every tolerance there is.

One rule serves every tensor, framework, size and precision: the error may be at most FACTOR times the typical error of
the oracle's own formulas in that precision, measured on the spot with every input and every intermediate result off by
one unit in the last place, and the ReLUs on the oracle's side of their kinks. No test, framework or tensor has a number
of its own.

The gates: **A** the rule itself, tensor by tensor; **B** and **C** the same over many seeds, against plain NumPy, and
between float32 and float64 (`tests/mutation/scaling`); **D** a matrix product against its a-priori bound (`precision`); **E** tensors
that are zero in theory, measured by the terms that cancel in them; **F** elementwise operations, in units of the last place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from implementations.contract import Arrays, Spec

UNIT_ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24, "tf32": 2.0**-11, "bfloat16": 2.0**-8}
"""Half the distance from 1 to the next number: of what is stored, or, in tf32 and bfloat16, of what is multiplied."""

STORED = {"float64": "float64", "float32": "float32", "tf32": "float32", "bfloat16": "float32"}
"""Precision -> the number type of its parameters, statistics and slots."""

COARSE = tuple(name for name, stored in STORED.items() if name != stored)
"""Precisions that multiply more coarsely than they store."""

FACTOR = 8
"""The one constant. How near each framework, size and precision comes to it, `make prove` measures and writes down."""

MOST_BUDGET = 0.1
"""With a budget beyond this a gradient of zero might pass: nothing is certified then."""

PERTURBATIONS = 16
"""Runs behind the budget that decides. Scalars need so many: of them no norm takes an average."""

FEW_PERTURBATIONS = 4
"""Runs that are made first: enough for a tensor of many numbers. What fails with so few is asked again with all."""

SMALLEST = 1e-30
"""A tensor that is smaller than this is zero: some frameworks flush what is near float32's smallest numbers."""

MOST_FLIPS = 64
"""ReLUs that are tried one by one, those nearest to zero. It limits the time, as does the next."""

MOST_ROUNDS = 8
"""Rounds in which all of them are tried, and one is flipped."""

DRIFT = 1e-12
"""How far a run in float64 may be from the oracle's after a thousand steps of its own."""

ORACLE = {
    "reference": 1e-14,  # against scalar loops in 50 digits; reached: 2e-15
    "cancelling": 1e-11,  # the same where the terms of a sum cancel before any code gets hold of them; reached: 5e-13
    "extended": 1e-14,  # against long doubles at a real size; reached: 8e-16
    "extended reference": 2e-16,  # long doubles against 50 digits: constants such as B/(B-1) are doubles; reached: 5e-17
    "complex step": 2e-15,  # its gradients against derivatives by the complex step; reached: 7e-16
}
"""What the oracle itself is held to, in float64, by tests that share no code with it."""

SIGMAS = 6
"""In standard deviations. Chance alone goes further from the mean twice in a thousand million times."""

CHANGE = "change of "
"""Before a parameter's name: its difference from before the step."""

CERTIFIABLE = "certifiable"
"""The group of tensors with a budget beyond MOST_BUDGET."""

NOT_CERTIFIED = "not certified"
"""The group of a state in which nothing can be certified, where that is no fault: it is said, and passes."""


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
        """Error over budget; infinite where either is NaN."""
        if np.isnan(self.error) or np.isnan(self.budget):
            return float("inf")
        if self.budget == 0:
            return 0.0 if self.error == 0 else float("inf")
        return self.error / self.budget


@dataclass(frozen=True)
class Yardstick:
    """The oracle's tensors, and how far its own formulas stray from them in the candidate's precision."""

    expected: Arrays
    stray: Mapping[str, float]
    """Root mean square over the perturbed runs of ||T - R||, by tensor."""

    unit: float
    """Unit roundoff of what is stored."""

    terms: Mapping[str, float] = field(default_factory=dict)
    """||sum of |terms| || of tensors in which terms may cancel entirely."""

    def scale(self, name: str) -> float:
        """||R||; for losses of samples max(1, max|logits|), for a loss near 0 is a small difference of large logits."""
        expected = np.asarray(self.expected[name], np.float64)
        if name == "sample losses":
            return float(np.sqrt(expected.size)) * max(1.0, float(np.max(np.abs(self.expected["logits"]))))
        size = float(np.linalg.norm(expected))
        return max(size, SMALLEST) if size else 1.0

    def budget(self, name: str, scale: float) -> float:
        """FACTOR times the typical error; at least one rounding is typical."""
        return FACTOR * max(self.stray[name] / scale, self.unit)


def has_shape(name: str, actual: Arrays, shape: tuple[int, ...]) -> bool:
    """Whether a tensor is there, in this shape."""
    return name in actual and np.shape(actual[name]) == shape


def distance(name: str, actual: Arrays, expected: Arrays) -> float:
    """||T - R||; infinite where a tensor is missing or misshapen."""
    if not has_shape(name, actual, np.shape(expected[name])):
        return float("inf")
    widest = np.promote_types(np.float64, np.asarray(expected[name]).dtype)
    test, truth = np.asarray(actual[name], widest), np.asarray(expected[name], widest)
    with np.errstate(invalid="ignore"):
        apart = (test - truth).reshape(-1)
        return float(np.sqrt(apart.dot(apart)))


def relative_distance(name: str, actual: Arrays, expected: Arrays) -> float:
    """||T - R|| / ||R||; ||T - R|| where R is zero."""
    return distance(name, actual, expected) / (float(np.linalg.norm(expected[name])) or 1.0)


def judge(
    check: str, actual: Arrays, yardstick: Yardstick, spec: Spec, slots: str = "slots", extreme: bool = False
) -> list[Check]:
    """One Check per group of tensors: the worst of them by error over budget (gates A and E).

    `slots` is what the group of the optimizer's slots is called: after one step from zero they are the gradients.

    A tensor with a budget beyond MOST_BUDGET is measured by its terms, where they are known: in theory it is zero, or
    nearly. Else it fails, since nothing can be said of it, with one exception: a parameter, or its change, whose gradient
    stands in a slot is judged there, and by gate F. Under `extreme` conditions that goes for all parameters: an optimizer
    without slots shows its gradients in nothing else. What else cannot be certified there is said, and fails nothing.
    """
    tensors = spec.tensors()
    roles = {name: tensor.role for name, tensor in tensors.items()}
    elsewhere = {tensor.of for tensor in tensors.values() if tensor.of is not None}
    if extreme:
        elsewhere |= {name for name, role in roles.items() if role == "parameter"}
    checks = []
    for name in yardstick.expected:
        scale, group = yardstick.scale(name), group_of(name, roles, slots)
        if not yardstick.budget(name, scale) <= MOST_BUDGET and name in yardstick.terms:
            scale, group = yardstick.terms[name], "null tensors"
        budget = yardstick.budget(name, scale)
        if budget <= MOST_BUDGET:
            checks.append(Check(check, group, name, distance(name, actual, yardstick.expected) / scale, budget))
        elif name.removeprefix(CHANGE) not in elsewhere:
            uncertain = (NOT_CERTIFIED, float("inf")) if extreme else (CERTIFIABLE, MOST_BUDGET)
            checks.append(Check(check, uncertain[0], name, budget, uncertain[1]))
    return worst_by_group(checks)


def elementwise(
    check: str,
    group: str,
    actual: Arrays,
    expected: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray | float]],
    unit: float,
) -> list[Check]:
    """Gate F: every element within FACTOR roundings of its terms.

    `expected` holds (value, sum of |terms|, of which in double precision everywhere) by name: constants such as the powers
    of Adam's beta are computed in double precision, whatever the arrays are. Below the smallest normal number a rounding is no smaller
    than there.
    """
    checks, double = [], UNIT_ROUNDOFF["float64"]
    smallest = float(np.finfo(np.float64 if unit == double else np.float32).tiny)
    for name, (value, terms, constants) in expected.items():
        allowed = np.maximum(terms + constants * (double / unit), smallest)
        off = np.abs(np.asarray(actual[name], np.float64) - value) / allowed
        checks.append(Check(check, group, name, float(np.max(off, initial=0.0)), FACTOR * unit))
    return worst_by_group(checks)


def drift(check: str, actual: Arrays, expected: Arrays, spec: Spec) -> list[Check]:
    """After many steps in float64: every tensor within DRIFT of the oracle's."""
    roles = {name: tensor.role for name, tensor in spec.tensors().items()}
    errors = {name: relative_distance(name, actual, expected) for name in expected}
    return worst_by_group(Check(check, group_of(name, roles), name, error, DRIFT) for name, error in errors.items())


def as_coarse_as_named(check: str, actual: Arrays, yardstick: Yardstick) -> Check:
    """Logits that err by far less than is typical of a coarse arithmetic were computed in a finer one."""
    error = distance("logits", actual, yardstick.expected)
    return Check(check, "as coarse as named", "logits", yardstick.stray["logits"] / max(error, SMALLEST), FACTOR)


def exact(check: str, group: str, tensor: str, holds: bool) -> Check:
    """What holds or does not."""
    return Check(check, group, tensor, float(not holds), 0.0)


def worst_by_group(checks: Iterable[Check]) -> list[Check]:
    """Of every group of a check the one with the largest excess."""
    worst: dict[tuple[str, str], Check] = {}
    for check in checks:
        key = check.check, check.group
        if key not in worst or check.excess > worst[key].excess:
            worst[key] = check
    return list(worst.values())


def total_excess(checks: Iterable[Check]) -> float:
    """How far a list of checks is over its budgets altogether; 0 where all pass."""
    return sum(max(check.excess - 1, 0.0) for check in checks)


def group_of(name: str, roles: Mapping[str, str], slots: str = "slots") -> str:
    """The line of the verdict that a tensor belongs to."""
    if name.startswith(CHANGE):
        return "change of parameters"
    groups = {"parameter": "parameters", "statistic": "statistics", "slot": slots, "counter": "counter"}
    return groups.get(roles.get(name, ""), name)
