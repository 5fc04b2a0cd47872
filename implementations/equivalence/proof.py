"""The proof of one step: the very object that is timed afterwards does it, and the oracle repeats it.

Every tensor is compared: eval-mode logits, per-sample loss, loss, parameters and their change, statistics, optimizer
slots and counter. Dropout is on; the masks that the framework drew are drawn again and handed to the oracle.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

import numpy as np

from implementations.contract import Arrays, Batch, DeviceArray, DeviceBatch, ExtendedModel, Model, Oracle, Spec
from implementations.declarations import Branch
from implementations.equivalence import from_slots, generator, tolerances
from implementations.equivalence.repetition import Repetition, Start
from implementations.equivalence.strays import Shared
from implementations.equivalence.tolerances import Check, Yardstick
from implementations.initialisation import stored

FLIPS = "adopted choices"
"""The group that counts what branches (ReLU, maximum) chose otherwise than the oracle, where the oracle took the candidate's choice."""


@dataclass(frozen=True)
class Candidate:
    """An implementation under proof: its model, and how arrays get to its device and back."""

    model: Model
    spec: Spec
    to_device: Callable[[np.ndarray], DeviceArray]
    to_host: Callable[[DeviceArray], np.ndarray]
    there: DeviceBatch | None = None
    """The one batch that is asked about, where it is on the device already: the very arrays that were timed."""

    def batch(self, arrays: Batch) -> DeviceBatch:
        """The batch on the device, real numbers in the specification's number type."""
        if self.there is not None:
            return self.there
        return {name: self.to_device(array) for name, array in stored(self.spec, arrays).items()}

    def masks_of_next_step(self, batch: int) -> Arrays:
        """What the next step will draw; the generator stands where it stood."""
        generator_state = self.model.random_state()
        masks = {name: np.array(mask) for name, mask in self.model.draw_masks(batch).items()}
        self.model.set_random_state(generator_state)
        return masks

    @property
    def arithmetic(self) -> str:
        """A key of `tolerances.UNIT_ROUNDOFF`."""
        return self.spec.precision


@dataclass(frozen=True)
class Observation:
    """What an implementation did in one prediction and one training step."""

    logits: np.ndarray
    loss: np.ndarray
    state: Arrays
    masks: Arrays
    said: "Callable[[], Arrays | None]"
    """Which side the branches of that step took, as the model says it; nothing where it cannot."""


def prove_step(candidate: Candidate, oracle: Oracle, start: Start, shared: Shared | None = None) -> list[Check]:
    """One prediction and one unmodified training step, its native dropout masks replayed in the oracle."""
    before = [array.copy() for array in (*start.batch.values(), *start.state.values())]
    seen, checks = observe(candidate, start)
    checks += compare(candidate, oracle, start, seen, shared)
    checks.append(tolerances.exact(start.check, "state", "names", set(seen.state) == set(candidate.spec.tensors())))
    untouched = all(map(np.array_equal, before, (*start.batch.values(), *start.state.values())))
    checks.append(tolerances.exact(start.check, "inputs untouched", "on the host", untouched))
    return checks + generator.mask_checks(start.check, seen.masks, candidate.spec, start.samples, candidate.arithmetic)


def prove_prediction(candidate: Candidate, oracle: Oracle, start: Start) -> list[Check]:
    """The logits alone, for a size at which nothing can be trained (one sample has no variance)."""
    candidate.model.load_state(start.state)
    return judge_prediction(candidate, oracle, start)


def judge_prediction(candidate: Candidate, oracle: Oracle, start: Start) -> list[Check]:
    """The logits of a model that is in the state of the start."""
    repetition = Repetition(oracle, candidate.spec, start, {}, candidate.arithmetic, trains=False)
    actual = {"logits": candidate.to_host(candidate.model.predict(candidate.batch(start.batch)))}
    yardstick, _ = repetition.yardstick(repetition.reference(), {})
    checks = start.judge(actual, yardstick, candidate.spec)
    if start.is_brief and not all(check.passed for check in checks):
        return judge_prediction(candidate, oracle, start.in_full())
    return checks


def observe(candidate: Candidate, start: Start) -> tuple[Observation, list[Check]]:
    """One prediction and one step. Checked: after a rewind the step has the same loss, bit for bit, the batch is unchanged, and
    the step has moved the generator as a draw of its masks moves it: the next step draws what a second draw gives, and that is new.
    """
    model, batch = candidate.model, candidate.batch(start.batch)
    model.load_state(start.state)
    logits = np.asarray(candidate.to_host(model.predict(batch)))
    generator_state = model.random_state()
    loss = np.asarray(candidate.to_host(model.train_step(batch)))
    state, of_next_step = model.state(), _masks(model, start)
    model.set_random_state(generator_state)
    masks, of_second_draw = _masks(model, start), _masks(model, start)
    model.load_state(start.state)
    model.set_random_state(generator_state)
    again = np.asarray(candidate.to_host(model.train_step(batch)))
    given = stored(candidate.spec, start.batch).items()
    moved = all(np.array_equal(of_next_step[name], mask) for name, mask in of_second_draw.items())
    intact = all(np.array_equal(candidate.to_host(batch[name]), array) for name, array in given)
    checks = [
        tolerances.exact(start.check, "replay", "loss", loss.tobytes() == again.tobytes()),
        tolerances.exact(start.check, "generator moves", "masks of the next step", moved),
        generator.drawn_anew(start.check, masks, of_second_draw, candidate.spec, start.samples),
        tolerances.exact(start.check, "inputs untouched", "on the device", intact),
    ]
    said = asker(candidate, batch, start.state, generator_state)
    return Observation(logits, loss, state, masks, said), checks


def _masks(model: Model, start: Start) -> Arrays:
    """What the next training step would multiply by; the generator moves on."""
    return {name: np.array(mask) for name, mask in model.draw_masks(start.samples).items()}


def asker(
    candidate: Candidate, batch: DeviceBatch, state: Arrays, generator_state: object
) -> "Callable[[], Arrays | None]":
    """Asks the model, once and not before somebody calls, which side its branches take in the step from that state.

    The model stands afterwards where it stood.
    """
    model = candidate.model

    @cache
    def said() -> "Arrays | None":
        if not hasattr(model, "choices"):
            return None
        state_now, generator_now = model.state(), model.random_state()
        model.load_state(state)
        model.set_random_state(generator_state)
        sides = {name: np.array(side) for name, side in cast(ExtendedModel, model).choices(batch).items()}
        model.load_state(state_now)
        model.set_random_state(generator_now)
        return sides

    return said


def compare(
    candidate: Candidate, oracle: Oracle, start: Start, seen: Observation, shared: Shared | None = None
) -> list[Check]:
    """The observed step against the oracle's: gates A and E as in `settle`, and gate F."""
    spec, unit = candidate.spec, tolerances.UNIT_ROUNDOFF[tolerances.STORED[candidate.arithmetic]]
    _, checks, _ = settle(candidate, oracle, start, seen, shared)
    if all(tolerances.has_shape(name, seen.state, tensor.shape) for name, tensor in spec.tensors().items()):
        follow = from_slots.parameters(spec, start.state, seen.state)
        checks += tolerances.elementwise(start.check, "parameters from slots", seen.state, follow, unit)
    return checks


def settle(
    candidate: Candidate, oracle: Oracle, start: Start, seen: Observation, shared: Shared | None = None
) -> tuple[Yardstick, list[Check], Repetition]:
    """Gates A and E, where the oracle may take the candidate's side of ReLUs whose inputs are zero to within rounding.

    Returned with the yardstick on those sides, and the repetition.
    """
    repetition = Repetition(oracle, candidate.spec, start, seen.masks, candidate.arithmetic, shared=shared)
    yardstick, checks, expected = _settled(repetition, seen)
    passed = all(check.passed for check in checks)
    if not passed and (shared or start.is_brief):
        # Under the masks really drawn a gradient may be nearly zero, which Adam divides; and of few runs chance may make little.
        repetition = replace(repetition, shared=None, start=start.in_full())
        yardstick, checks, again = _settled(repetition, seen)
        if any(again[name].tobytes() != array.tobytes() for name, array in expected.items()):
            checks.append(tolerances.exact(start.check, "replay", "the oracle's own", False))
    return yardstick, checks, repetition


def _settled(repetition: Repetition, seen: Observation) -> tuple[Yardstick, list[Check], Arrays]:
    """Where the strays are shared, with those of the oracle's own masks. With what the oracle expects by its own choices."""
    start, spec, oracle = repetition.start, repetition.spec, repetition.oracle
    expected = repetition.reference()
    actual = repetition.tensors_of_step(seen.logits, seen.loss, seen.state, expected)
    branches = dict(oracle.branches())
    own = {name: branch.choice for name, branch in branches.items()}
    yardstick, reach = repetition.yardstick(expected, own)
    away = {name: _away(branch.lead, reach[name]) for name, branch in branches.items()}
    near = sum(int(np.sum(distance <= 1)) for distance in away.values())
    said = seen.said() if near else None
    choices, coarse = own, repetition.arithmetic in tolerances.COARSE
    if said is not None:
        if wrong := [name for name, choice in own.items() if name in said and np.shape(said[name]) != choice.shape]:
            misshapen = [tolerances.exact(start.check, "shape of choices", name, False) for name in wrong]
            return yardstick, misshapen, expected
        choices = {name: np.where(away[name] <= 1, said.get(name, choice), choice) for name, choice in own.items()}
        if _flips(choices, own):
            yardstick, _ = repetition.yardstick(repetition.reference(choices), choices)
    checks = start.judge(actual, yardstick, spec)
    if not (coarse and said is not None) and not all(check.passed for check in checks):
        yardstick, checks, choices = _adopt(repetition, actual, yardstick, choices, branches, away)
    if coarse:
        checks.append(tolerances.as_coarse_as_named(start.check, actual, yardstick))
    if flips := _flips(choices, own):
        most = max(flips, tolerances.MOST_FLIPS) if coarse else max(tolerances.MOST_ROUNDS, near // 4)
        checks.append(Check(start.check, FLIPS, "count", flips, most))
    return yardstick, checks, expected


def _flips(choices: Arrays, own: Arrays) -> int:
    """How many choices are not the oracle's own."""
    return sum(int(np.sum(choices[name] != choice)) for name, choice in own.items())


def _away(lead: np.ndarray, reach: float) -> np.ndarray:
    """Leads in units of what rounding may do; infinite for an exact zero, which no rounding moves."""
    return np.where(lead == 0, np.inf, np.abs(lead) / max(reach, tolerances.SMALLEST))


def _adopt(
    repetition: Repetition,
    actual: Arrays,
    yardstick: Yardstick,
    choices: Arrays,
    branches: Mapping[str, Branch],
    away: Arrays,
) -> tuple[Yardstick, list[Check], Arrays]:
    """Let the oracle take the runner-up where the lead is within rounding, one in each round, as long as the excess shrinks.

    The nearest are tried until one takes all of it away; else the one that helps most is taken: another that also helps may be a wrong
    one, and keep the right one from helping. Those that said what they chose are not believed to the last: a compiler may compute an
    input twice, for what it tells and for what it does, and round it in two ways. Returned with the final choices. `away`: as `_away`
    has it.
    """
    near = [(d.flat[i], name, int(i)) for name, d in away.items() for i in np.flatnonzero(d <= 1)]
    places = [(name, index) for _, name, index in sorted(near)[: tolerances.MOST_FLIPS]]
    choices = {name: choice.copy() for name, choice in choices.items()}
    checks = repetition.start.judge(actual, yardstick, repetition.spec)
    for _ in range(tolerances.MOST_ROUNDS):
        best = None
        for name, index in places:
            before = choices[name].flat[index]
            choices[name].flat[index] = _other(branches[name], index, before)
            tried = replace(yardstick, expected=repetition.reference(choices))
            choices[name].flat[index] = before
            verdict = repetition.start.judge(actual, tried, repetition.spec)
            if tolerances.total_excess(verdict) < tolerances.total_excess(checks):
                best, yardstick_of_best, checks = (name, index), tried, verdict
            if tolerances.total_excess(checks) == 0:
                break
        if best is None:
            break
        name, index = best
        choices[name].flat[index] = _other(branches[name], index, choices[name].flat[index])
        yardstick = yardstick_of_best
        if tolerances.total_excess(checks) == 0:
            break
    return yardstick, checks, choices


def _other(branch: Branch, index: int, choice: object) -> object:
    """The runner-up, or the oracle's own choice where the runner-up was taken before."""
    return branch.runner_up.flat[index] if choice == branch.choice.flat[index] else branch.choice.flat[index]
