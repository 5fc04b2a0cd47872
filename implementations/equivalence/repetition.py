"""The oracle's side of one step: what it computes from the same start, and how far rounding may lead that astray."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from implementations.contract import Arrays, Batch, Oracle, Spec
from implementations.equivalence import rounding, strays, tolerances
from implementations.equivalence.tolerances import CHANGE, Check, Yardstick

Choices = Mapping[str, np.ndarray]
"""What each branch chooses, by name."""


@dataclass(frozen=True)
class Start:
    """Where a proof begins: the check's name, a state and a batch."""

    check: str
    state: Arrays
    batch: Arrays
    fresh: bool = False
    """The slots are zero, so that after the step they are the gradients."""

    extreme: bool = False
    """Parameters need not be certifiable here, not even those without slots."""

    perturbed: int = tolerances.FEW_PERTURBATIONS
    """Runs behind each budget."""

    @property
    def is_brief(self) -> bool:
        """Whether so few runs stand behind it that what fails has to be asked again."""
        return self.perturbed < tolerances.PERTURBATIONS

    def in_full(self) -> "Start":
        """The same with all runs."""
        return replace(self, perturbed=tolerances.PERTURBATIONS)

    @property
    def samples(self) -> int:
        """In the batch."""
        return samples_of(self.batch)

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
    """Where strays are shared between processes."""

    def reference(self, choices: Choices | None = None) -> Arrays:
        """The oracle's tensors by name; `choices` says what its branches choose."""
        return self._tensors(self.oracle, self.start.state, self.start.batch, choices)

    def yardstick(self, expected: Arrays, choices: Choices) -> "tuple[Yardstick, dict[str, float]]":
        """How far rounding moves the oracle's tensors in the candidate's arithmetic, and how far the leads of its branches.

        Root mean squares over runs in which every number of the inputs and the state, and every intermediate result, is
        off by one unit in the last place, up or down at random.
        """
        stray, reach = self.shared.of(self) if self.shared and self.trains else self.own_strays(expected, choices)
        yardstick = Yardstick(expected, stray, tolerances.UNIT_ROUNDOFF[tolerances.STORED[self.arithmetic]])
        beyond = any(not yardstick.budget(name, yardstick.scale(name)) <= tolerances.MOST_BUDGET for name in expected)
        if beyond and self.arithmetic not in tolerances.COARSE:  # in those a tensor that cannot be certified is refused
            yardstick = replace(yardstick, terms=self._terms(choices, expected["logits"]))
        return yardstick, reach

    def own_strays(self, expected: Arrays, choices: Choices) -> "strays.Strays":
        """With this repetition's masks.

        From an extreme start, samples may be nearly equal, and so may their rounding errors, which then do not average out;
        and batch norm may be computed as one product and one sum. So the runs there round in four ways, samples apart or alike,
        batch norm as its formula has it or folded, and the largest counts.
        """
        part = self.start.perturbed // 4
        ways = [(part, alike, folded) for folded in (False, True) for alike in (False, True)]
        if not self.start.extreme:
            if strays.is_large(self.spec):
                return strays.side_by_side(self, expected, choices)
            ways = [(self.start.perturbed, False, False)]
        found = [self.strayed(expected, choices, count, alike=alike, folded=folded) for count, alike, folded in ways]
        stray, reach = ({name: max(way[k][name] for way in found) for name in found[0][k]} for k in (0, 1))
        return stray, reach

    def strayed(
        self, expected: Arrays, choices: Choices, runs: int, alike: bool = False, folded: bool = False, seed: int = 0
    ) -> "strays.Strays":
        """Over so many runs: how far the tensors move, and FACTOR times how far the leads of the branches do."""
        stored = tolerances.STORED[self.arithmetic]
        ulp = 2 * tolerances.UNIT_ROUNDOFF[stored]
        noise = rounding.Noise(ulp, stored, seed=seed + 1, alike=alike, folded=folded)
        oracle = self.oracle.in_arithmetic(np.dtype(stored), rounding.arithmetic(self.arithmetic, noise))
        leads = {name: branch.lead for name, branch in self.oracle.branches().items()} if self.trains else {}
        squares, shifts = dict.fromkeys(expected, 0.0), dict.fromkeys(leads, 0.0)
        exact = {name for name, tensor in self.spec.tensors().items() if tensor.role == "counter"}
        for _ in range(runs):
            state = {n: v if n in exact else v * noise.of_shape(np.shape(v)) for n, v in self.start.state.items()}
            strayed = self._tensors(oracle, state, self._batch_off(noise), choices)
            for name in expected:
                squares[name] += tolerances.distance(name, strayed, expected) ** 2
            for name, lead in leads.items():
                live = np.isfinite(lead)
                moved = oracle.branches()[name].lead[live] - lead[live]
                shifts[name] += float(np.mean(moved**2)) if live.any() else 0.0
        stray = {name: float(np.sqrt(square / runs)) for name, square in squares.items()}
        reach = {name: tolerances.FACTOR * float(np.sqrt(shift / runs)) for name, shift in shifts.items()}
        return stray, reach

    def _batch_off(self, noise: rounding.Noise) -> Arrays:
        """The batch with every real number off by one unit in the last place; whole numbers stay."""
        arrays = self.spec.arrays()
        return {n: v if arrays[n].below else v * noise.of_shape(np.shape(v)) for n, v in self.start.batch.items()}

    def _tensors(self, oracle: Oracle, state: Arrays, batch: Arrays, choices: Choices | None) -> Arrays:
        oracle.load_state(state)
        logits = np.asarray(oracle.predict(batch))
        if not self.trains:
            return {"logits": logits}
        loss = np.asarray(oracle.repeat_step(batch, self.masks, choices))
        return self.tensors_of_step(logits, loss, oracle.state())

    def tensors_of_step(
        self, logits: np.ndarray, loss: np.ndarray, state: Arrays, expected: "Arrays | None" = None
    ) -> Arrays:
        """Everything that is compared, by name; without what cannot be derived, where a shape is not the `expected` one."""
        parameters = [name for name, tensor in self.spec.tensors().items() if tensor.role == "parameter"]
        before = {name: self.start.state[name] for name in parameters}
        changes = {
            CHANGE + name: state[name] - w
            for name, w in before.items()
            if tolerances.has_shape(name, state, np.shape(w))
        }
        found = {"logits": logits, "loss": loss} | state | changes
        if expected is None or np.shape(logits) == np.shape(expected["logits"]):
            found["sample losses"] = self.oracle.sample_losses(logits, self.start.batch)
        return found

    def _terms(self, choices: Choices, logits: np.ndarray) -> dict[str, float]:
        """Sizes of the terms that cancel in the sums of a slot, and in a loss, which is a difference of logits."""
        if not self.trains:
            return {}
        self.oracle.load_state(self.start.state)
        terms = self.oracle.slot_terms(self.start.batch, self.masks, choices)
        with np.errstate(over="ignore"):  # along many steps of a recurrent layer, sizes grow without end
            slots = {name: float(np.linalg.norm(value)) for name, value in terms.items() if np.any(value)}
        return slots | {"loss": max(1.0, float(np.max(np.abs(logits))))}


def samples_of(batch: Batch) -> int:
    """How many samples there are in a batch."""
    return len(next(iter(batch.values())))
