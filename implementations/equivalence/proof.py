"""The proof of one step: the very object that is timed afterwards does it, and the oracle repeats it.

Every tensor is compared: eval-mode logits, per-sample loss, loss, parameters and their change, statistics, optimizer
slots and counter. Dropout is on; the masks that the framework drew are drawn again and handed to the oracle.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from implementations.contract import Arrays, Oracle
from implementations.equivalence import gates, generator, rounding, strays
from implementations.equivalence.gates import CHANGE, Check, Yardstick

FLIPS = "adopted ReLU flips"


@dataclass(frozen=True)
class Candidate:
    """An implementation under proof: its model, and how arrays get to its device and back."""

    model: Any
    spec: Any
    to_device: Callable[[np.ndarray], Any]
    to_host: Callable[[Any], np.ndarray]

    def batch(self, x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
        """The batch on the device, features in the specification's number type."""
        return self.to_device(x.astype(self.spec.dtype)), self.to_device(y)

    @property
    def arithmetic(self) -> str:
        """A key of `gates.UNIT_ROUNDOFF`."""
        return str(self.spec.precision)


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
    """Of parameters without slots nothing need be certain here."""

    def judge(self, found: Arrays, yardstick: Yardstick, spec: Any) -> list[Check]:
        """The verdict under this start's name."""
        return gates.judge(self.check, found, yardstick, spec, "gradients" if self.fresh else "slots", self.extreme)


@dataclass(frozen=True)
class Observation:
    """What an implementation did in one prediction and one training step."""

    logits: np.ndarray
    loss: np.ndarray
    state: Arrays
    masks: Arrays
    active: "Arrays | None" = None


@dataclass(frozen=True)
class Repetition:
    """The oracle's side: one step from `start` with the masks that the candidate drew."""

    oracle: Oracle
    spec: Any
    start: Start
    masks: Arrays
    arithmetic: str
    trains: bool = True
    shared: "strays.Shared | None" = None
    """Where large networks' strays are kept."""

    def reference(self, active: Mapping[str, np.ndarray] | None = None) -> Arrays:
        """The oracle's tensors by name; `active` tells it on which side of their kinks the ReLUs are."""
        return self._tensors(self.oracle, self.start.state, self.start.x, active)

    def plain(self, active: Mapping[str, np.ndarray]) -> Arrays:
        """The oracle's formulas as they are in the candidate's precision, without anything off."""
        oracle = self.oracle.in_arithmetic(np.dtype(gates.STORED[self.arithmetic]), np.ndarray)
        return self._tensors(oracle, self.start.state, self.start.x, active)

    def yardstick(
        self, wanted: Arrays, active: Mapping[str, np.ndarray], folded: bool = False
    ) -> "tuple[Yardstick, dict[str, float]]":
        """How far the oracle's own formulas stray in the candidate's arithmetic, and how far its ReLUs' inputs do.

        Root mean squares over runs in which every number of the inputs and the state, and every intermediate result, is
        off by one unit in the last place, up or down at random. From an extreme start samples may be so much alike that
        their roundings are, and do not average out: there half of the runs round all samples alike, and the worse half counts.
        `folded`: as where a batch norm is one product and one sum.
        """
        stray, reach = self._strays(wanted, active, folded)
        yardstick = Yardstick(wanted, stray, gates.UNIT_ROUNDOFF[gates.STORED[self.arithmetic]])
        beyond = any(not yardstick.budget(name, yardstick.scale(name)) <= gates.MOST_BUDGET for name in wanted)
        if beyond and self.arithmetic not in gates.COARSE:  # there what cannot be certified is refused
            yardstick = replace(yardstick, terms=self._terms(active, wanted["logits"]))
        return yardstick, reach

    def _strays(self, wanted: Arrays, active: Mapping[str, np.ndarray], folded: bool) -> "strays.Strays":
        if self.shared and strays.is_large(self.spec) and not self.start.extreme:
            return self.shared.of(self)
        half = gates.PERTURBATIONS // 2
        runs = [(half, False), (half, True)] if self.start.extreme else [(gates.PERTURBATIONS, False)]
        found = [self.strayed(wanted, active, count, alike=alike, folded=folded) for count, alike in runs]
        stray, reach = ({name: max(part[k][name] for part in found) for name in found[0][k]} for k in (0, 1))
        return stray, reach

    def strayed(
        self,
        wanted: Arrays,
        active: Mapping[str, np.ndarray],
        runs: int,
        alike: bool = False,
        folded: bool = False,
        seed: int = 0,
    ) -> "strays.Strays":
        """Over so many runs: how far the tensors stray, and how near to a kink is within reach."""
        stored = gates.STORED[self.arithmetic]
        ulp, rng = 2 * gates.UNIT_ROUNDOFF[stored], np.random.default_rng(seed)
        noise = rounding.Noise(ulp, stored, seed=seed + 1, alike=alike, folded=folded)
        oracle = self.oracle.in_arithmetic(np.dtype(stored), rounding.arithmetic(self.arithmetic, noise))
        kinks = self.oracle.kinks() if self.trains else {}
        squares, shifts = dict.fromkeys(wanted, 0.0), dict.fromkeys(kinks, 0.0)
        exact = {name for name, tensor in self.spec.tensors().items() if tensor.role == "counter"}
        for _ in range(runs):
            state = {name: v if name in exact else _off(v, ulp, rng) for name, v in self.start.state.items()}
            strayed = self._tensors(oracle, state, _off(self.start.x, ulp, rng), active)
            for name in wanted:
                squares[name] += gates.distance(name, strayed, wanted) ** 2
            for name, inputs in (oracle.kinks() if self.trains else {}).items():
                live = np.isfinite(kinks[name])
                shifts[name] += float(np.mean((inputs[live] - kinks[name][live]) ** 2)) if live.any() else 0.0
        stray = {name: float(np.sqrt(square / runs)) for name, square in squares.items()}
        reach = {name: gates.FACTOR * float(np.sqrt(shift / runs)) for name, shift in shifts.items()}
        return stray, reach

    def _tensors(self, oracle: Oracle, state: Arrays, x: np.ndarray, active: Mapping[str, np.ndarray] | None) -> Arrays:
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

    def _terms(self, active: Mapping[str, np.ndarray], logits: np.ndarray) -> dict[str, float]:
        """Sizes of what cancels: in a slot's sums, and in a loss, which is a difference of logits."""
        if not self.trains:
            return {}
        self.oracle.load_state(self.start.state)
        x = self.start.x.astype(self.oracle.dtype)
        terms = self.oracle.slot_terms(x, self.start.y, self.masks, active)
        slots = {name: float(np.linalg.norm(value)) for name, value in terms.items() if np.any(value)}
        return slots | {"loss": max(1.0, float(np.max(np.abs(logits))))}


def prove(
    candidate: Candidate, oracle: Oracle, starts: list[Start], shared: "strays.Shared | None" = None
) -> list[Check]:
    """All checks of one training step and one prediction from each start."""
    return [check for start in starts for check in prove_step(candidate, oracle, start, shared)]


def prove_step(
    candidate: Candidate, oracle: Oracle, start: Start, shared: "strays.Shared | None" = None
) -> list[Check]:
    """One prediction and one unmodified training step, its native dropout masks replayed in the oracle."""
    before = [array.copy() for array in (start.x, *start.state.values())]
    seen, checks = observe(candidate, start)
    checks += compare(candidate, oracle, start, seen, shared)
    checks.append(gates.exact(start.check, "state", "names", set(seen.state) == set(candidate.spec.tensors())))
    untouched = all(map(np.array_equal, before, (start.x, *start.state.values())))
    checks.append(gates.exact(start.check, "inputs untouched", "on the host", untouched))
    return [
        *checks,
        *generator.mask_checks(start.check, seen.masks, candidate.spec, len(start.y), candidate.arithmetic),
    ]


def prove_prediction(candidate: Candidate, oracle: Oracle, start: Start) -> list[Check]:
    """The logits alone, for a size at which nothing can be trained (one sample has no variance)."""
    repetition = Repetition(oracle, candidate.spec, start, {}, candidate.arithmetic, trains=False)
    candidate.model.load_state(start.state)
    found = {"logits": candidate.to_host(candidate.model.predict(candidate.batch(start.x, start.y)[0]))}
    yardstick, _ = repetition.yardstick(repetition.reference(), {})
    return start.judge(found, yardstick, candidate.spec)


def observe(candidate: Candidate, start: Start) -> tuple[Observation, list[Check]]:
    """What the implementation does, the masks it draws; whether rewinding repeats the step bit for bit and x is intact."""
    model, (x, y) = candidate.model, candidate.batch(start.x, start.y)
    model.load_state(start.state)
    logits = np.asarray(candidate.to_host(model.predict(x)))
    generator_state = model.random_state()
    loss = np.asarray(candidate.to_host(model.train_step(x, y)))
    state = model.state()
    model.set_random_state(generator_state)
    masks = {name: np.array(mask) for name, mask in model.draw_masks(len(start.y)).items()}
    model.load_state(start.state)
    model.set_random_state(generator_state)
    active = active_units(candidate, x)
    model.load_state(start.state)
    model.set_random_state(generator_state)
    again = np.asarray(candidate.to_host(model.train_step(x, y)))
    intact = np.array_equal(candidate.to_host(x), start.x.astype(candidate.spec.dtype))
    checks = [
        gates.exact(start.check, "replay", "loss", loss.tobytes() == again.tobytes()),
        gates.exact(start.check, "inputs untouched", "on the device", intact),
    ]
    return Observation(logits, loss, state, masks, active), checks


def active_units(candidate: Candidate, x: Any) -> "Arrays | None":
    """Which ReLUs pass in the next step, in a coarse arithmetic or a large network; else the oracle can tell by itself."""
    asked = candidate.arithmetic in gates.COARSE or strays.is_large(candidate.spec)
    if not asked or not hasattr(candidate.model, "active_units"):
        return None
    generator_state = candidate.model.random_state()
    active = candidate.model.active_units(x)
    candidate.model.set_random_state(generator_state)
    return {name: np.array(side) for name, side in active.items()}


def compare(
    candidate: Candidate, oracle: Oracle, start: Start, seen: Observation, shared: "strays.Shared | None" = None
) -> list[Check]:
    """The observed step against the oracle's: gates A, E and F, with the sides of ReLUs at zero adopted and counted."""
    spec, unit = candidate.spec, gates.UNIT_ROUNDOFF[gates.STORED[candidate.arithmetic]]
    checks = [*settle(candidate, oracle, start, seen, shared)[1]]
    if set(spec.tensors()) <= set(seen.state):
        follow = oracle.parameters_from_slots(start.state, seen.state)
        checks += gates.elementwise(start.check, "parameters from slots", seen.state, follow, unit)
    return checks


def settle(
    candidate: Candidate, oracle: Oracle, start: Start, seen: Observation, shared: "strays.Shared | None" = None
) -> tuple[Yardstick, list[Check], Repetition]:
    """The reference for an observed step, on the sides of the kinks that were adopted; gates A and E; the repetition."""
    repetition = Repetition(oracle, candidate.spec, start, seen.masks, candidate.arithmetic, shared=shared)
    yardstick, checks = _settled(repetition, seen, folded=False)
    if start.extreme and not all(check.passed for check in checks):
        yardstick, checks = _settled(repetition, seen, folded=True)
    return yardstick, checks, repetition


def _settled(repetition: Repetition, seen: Observation, folded: bool) -> tuple[Yardstick, list[Check]]:
    """By the yardstick of the formulas as they stand, or of those with folded batch norms."""
    start, spec, oracle = repetition.start, repetition.spec, repetition.oracle
    found = repetition.tensors_of_step(seen.logits, seen.loss, seen.state)
    wanted = repetition.reference()
    kinks = oracle.kinks()
    active = {name: inputs > 0 for name, inputs in kinks.items()}
    yardstick, reach = repetition.yardstick(wanted, active, folded)
    away = {name: _away(inputs, reach[name]) for name, inputs in kinks.items()}
    sides, coarse = active, repetition.arithmetic in gates.COARSE
    if seen.active is not None:
        sides = {name: np.where(away[name] <= 1, seen.active[name], side) for name, side in active.items()}
        if _flips(sides, active):
            yardstick, _ = repetition.yardstick(repetition.reference(sides), sides, folded)
    checks = start.judge(found, yardstick, spec)
    if not (coarse and seen.active is not None) and not all(check.passed for check in checks):
        most = gates.MOST_FLIPS if seen.active is None else gates.MOST_FLIPS_OF_THE_ASKED
        yardstick, checks, sides = _adopt(repetition, found, yardstick, sides, away, checks, most)
    if coarse:
        checks.append(gates.as_coarse_as_named(start.check, found, yardstick))
    if flips := _flips(sides, active):
        near = sum(int(np.sum(distance <= 1)) for distance in away.values())
        most = max(flips, gates.MOST_FLIPS) if coarse else max(gates.MOST_ROUNDS, near // 4)
        checks.append(Check(start.check, FLIPS, "count", flips, most))
    return yardstick, checks


def _flips(sides: Arrays, active: Arrays) -> int:
    """How many ReLUs are on another side than the oracle's."""
    return sum(int(np.sum(sides[name] != side)) for name, side in active.items())


def _away(inputs: np.ndarray, reach: float) -> np.ndarray:
    """How far from zero, in units of what rounding may do; infinitely, where it is exactly zero: a sum of zeros, which
    no rounding moves to another side.
    """
    return np.where(inputs == 0, np.inf, np.abs(inputs) / max(reach, gates.SMALLEST))


def _adopt(
    repetition: Repetition,
    found: Arrays,
    yardstick: Yardstick,
    active: Arrays,
    away: Arrays,
    checks: list[Check],
    most: int,
) -> tuple[Yardstick, list[Check], Arrays]:
    """Let the oracle take the framework's side of ReLUs at zero, one by one as long as it helps; the sides in the end.

    `away`: how far from zero the inputs are, in units of what rounding may do to them. Each time that ReLU which helps
    most: one that merely helps may be the wrong one, and keep the right one from helping. The nearest `most` are tried.
    """
    near = [(d.flat[i], name, int(i)) for name, d in away.items() for i in np.flatnonzero(d <= 1)]
    places = [(name, index) for _, name, index in sorted(near)[:most]]
    sides = {name: side.copy() for name, side in active.items()}
    for _ in range(gates.MOST_ROUNDS):
        best = None
        for name, index in places:
            sides[name].flat[index] ^= True
            other = replace(yardstick, wanted=repetition.reference(sides))
            sides[name].flat[index] ^= True
            tried = repetition.start.judge(found, other, repetition.spec)
            if gates.total_excess(tried) < gates.total_excess(checks):
                best, yardstick_of_best, checks = (name, index), other, tried
        if best is None:
            break
        sides[best[0]].flat[best[1]] ^= True
        yardstick = yardstick_of_best
        if gates.total_excess(checks) == 0:
            break
    return yardstick, checks, sides


def _off(value: np.ndarray, ulp: float, rng: np.random.Generator) -> np.ndarray:
    """Every number off by one unit in the last place, up or down."""
    return value * (1 + ulp * rng.choice([-1.0, 1.0], size=np.shape(value)))
