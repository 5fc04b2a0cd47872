"""The oracle's side of one step: what it computes from the same start, and how far rounding may lead that astray."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from implementations.contract import Arrays, Oracle, Spec
from implementations.equivalence import rounding, strays, tolerances
from implementations.equivalence.tolerances import CHANGE, Check, Yardstick

Sides = Mapping[str, np.ndarray]
"""Which units of each ReLU pass."""


@dataclass(frozen=True)
class Start:
    """Where a proof begins: the check's name, a state and a batch (x, y)."""

    check: str
    state: Arrays
    x: np.ndarray
    y: np.ndarray
    fresh: bool = False
    """The slots are zero, so that after the step they are the gradients."""

    extreme: bool = False
    """Parameters need not be certifiable here, not even those without slots."""

    def judge(self, actual: Arrays, yardstick: Yardstick, spec: Spec) -> list[Check]:
        """The verdict under this start's name."""
        slots = "gradients" if self.fresh else "slots"
        return tolerances.judge(self.check, actual, yardstick, spec, slots, self.extreme)


@dataclass(frozen=True)
class Repetition:
    """The oracle's side: one step from `start` with the masks that the candidate drew."""

    oracle: Oracle
    spec: Spec
    start: Start
    masks: Arrays
    arithmetic: str
    trains: bool = True
    shared: "strays.Shared | None" = None
    """Where the strays of large networks are shared between processes."""

    def reference(self, active: Sides | None = None) -> Arrays:
        """The oracle's tensors by name; `active` says which ReLUs pass."""
        return self._tensors(self.oracle, self.start.state, self.start.x, active)

    def plain(self, active: Sides) -> Arrays:
        """The same formulas in the candidate's precision, without perturbation."""
        oracle = self.oracle.in_arithmetic(np.dtype(tolerances.STORED[self.arithmetic]), np.ndarray)
        return self._tensors(oracle, self.start.state, self.start.x, active)

    def yardstick(self, expected: Arrays, active: Sides, folded: bool = False) -> "tuple[Yardstick, dict[str, float]]":
        """How far rounding moves the oracle's tensors in the candidate's arithmetic, and how far the inputs of its ReLUs.

        Root mean squares over runs in which every number of the inputs and the state, and every intermediate result, is
        off by one unit in the last place, up or down at random. From an extreme start, samples may be nearly equal, and so
        may their rounding errors, which then do not average out. So half of the runs there round all samples alike, and the
        larger half counts. `folded`: batch norm is computed as one product and one sum.
        """
        stray, reach = self._strays(expected, active, folded)
        yardstick = Yardstick(expected, stray, tolerances.UNIT_ROUNDOFF[tolerances.STORED[self.arithmetic]])
        beyond = any(not yardstick.budget(name, yardstick.scale(name)) <= tolerances.MOST_BUDGET for name in expected)
        if beyond and self.arithmetic not in tolerances.COARSE:  # in those a tensor that cannot be certified is refused
            yardstick = replace(yardstick, terms=self._terms(active, expected["logits"]))
        return yardstick, reach

    def _strays(self, expected: Arrays, active: Sides, folded: bool) -> "strays.Strays":
        if self.shared and strays.is_large(self.spec) and not self.start.extreme:
            return self.shared.of(self)
        half = tolerances.PERTURBATIONS // 2
        runs = [(half, False), (half, True)] if self.start.extreme else [(tolerances.PERTURBATIONS, False)]
        halves = [self.strayed(expected, active, count, alike=alike, folded=folded) for count, alike in runs]
        stray, reach = (
            {name: max(half_of_runs[k][name] for half_of_runs in halves) for name in halves[0][k]} for k in (0, 1)
        )
        return stray, reach

    def strayed(
        self, expected: Arrays, active: Sides, runs: int, alike: bool = False, folded: bool = False, seed: int = 0
    ) -> "strays.Strays":
        """Over so many runs: how far the tensors move, and FACTOR times how far the inputs of the ReLUs do."""
        stored = tolerances.STORED[self.arithmetic]
        ulp, rng = 2 * tolerances.UNIT_ROUNDOFF[stored], np.random.default_rng(seed)
        noise = rounding.Noise(ulp, stored, seed=seed + 1, alike=alike, folded=folded)
        oracle = self.oracle.in_arithmetic(np.dtype(stored), rounding.arithmetic(self.arithmetic, noise))
        kinks = self.oracle.kinks() if self.trains else {}
        squares, shifts = dict.fromkeys(expected, 0.0), dict.fromkeys(kinks, 0.0)
        exact = {name for name, tensor in self.spec.tensors().items() if tensor.role == "counter"}
        for _ in range(runs):
            state = {name: v if name in exact else _off(v, ulp, rng) for name, v in self.start.state.items()}
            strayed = self._tensors(oracle, state, _off(self.start.x, ulp, rng), active)
            for name in expected:
                squares[name] += tolerances.distance(name, strayed, expected) ** 2
            for name, inputs in (oracle.kinks() if self.trains else {}).items():
                live = np.isfinite(kinks[name])
                shifts[name] += float(np.mean((inputs[live] - kinks[name][live]) ** 2)) if live.any() else 0.0
        stray = {name: float(np.sqrt(square / runs)) for name, square in squares.items()}
        reach = {name: tolerances.FACTOR * float(np.sqrt(shift / runs)) for name, shift in shifts.items()}
        return stray, reach

    def _tensors(self, oracle: Oracle, state: Arrays, x: np.ndarray, active: Sides | None) -> Arrays:
        oracle.load_state(state)
        logits = np.asarray(oracle.predict(x.astype(oracle.dtype)))
        if not self.trains:
            return {"logits": logits}
        loss = np.asarray(oracle.repeat_step(x.astype(oracle.dtype), self.start.y, self.masks, active))
        return self.tensors_of_step(logits, loss, oracle.state())

    def tensors_of_step(self, logits: np.ndarray, loss: np.ndarray, state: Arrays) -> Arrays:
        """Everything that is compared, by name."""
        parameters = [name for name, tensor in self.spec.tensors().items() if tensor.role == "parameter"]
        changes = {CHANGE + name: state[name] - self.start.state[name] for name in parameters if name in state}
        losses = self.oracle.sample_losses(logits, self.start.y)
        return {"logits": logits, "sample losses": losses, "loss": loss} | state | changes

    def _terms(self, active: Sides, logits: np.ndarray) -> dict[str, float]:
        """Sizes of the terms that cancel in the sums of a slot, and in a loss, which is a difference of logits."""
        if not self.trains:
            return {}
        self.oracle.load_state(self.start.state)
        x = self.start.x.astype(self.oracle.dtype)
        terms = self.oracle.slot_terms(x, self.start.y, self.masks, active)
        slots = {name: float(np.linalg.norm(value)) for name, value in terms.items() if np.any(value)}
        return slots | {"loss": max(1.0, float(np.max(np.abs(logits))))}


def _off(value: np.ndarray, ulp: float, rng: np.random.Generator) -> np.ndarray:
    """Every number off by one unit in the last place, up or down."""
    return value * (1 + ulp * rng.choice([-1.0, 1.0], size=np.shape(value)))
