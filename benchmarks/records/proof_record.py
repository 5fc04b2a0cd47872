"""What the proof said of one implementation at one size, in one process: check by check."""

from typing import Literal

from pydantic import model_validator

from benchmarks.records.configuration import Axes, Configuration, Strict


class Check(Strict):
    """One verdict of the proof: the worst tensor of a group under one check, its error and its budget."""

    check: str
    group: str
    tensor: str
    error: float
    budget: float
    passed: bool
    limit: str = ""
    """The limit of the framework's own because of which it failed."""

    @model_validator(mode="after")
    def _passes_within_its_budget_alone(self) -> "Check":
        if not self.error <= self.budget:  # whatever stands there: records come from strangers too
            object.__setattr__(self, "passed", False)
        return self


class ProofRecord(Strict):
    """The proof of one implementation at one size, in one process, before anything was timed there."""

    kind: Literal["proof"] = "proof"
    who: Configuration
    axes: Axes
    block: int
    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether every check held (and there was one)."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def ours(self) -> list[Check]:
        """The checks that failed without a limit of the framework's own to explain it."""
        return [check for check in self.checks if not (check.passed or check.limit)]

    @property
    def is_ours(self) -> bool:
        """Whether it failed and no limit of the framework's own explains that; one that asked nothing has none either."""
        return not self.passed and (bool(self.ours) or not self.checks)
