"""The proof of one implementation: the very object that is timed afterwards does a few steps, the oracle repeats them.

Every tensor is compared: eval-mode logits, per-sample loss, loss, parameters and their change, statistics, optimizer
slots and counter. From a hot state, and from one with zeroed slots, in which the slots become the gradients.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from implementations.contract import Arrays, Oracle
from implementations.equivalence import gates
from implementations.equivalence.gates import CHANGE, Check


@dataclass(frozen=True)
class Candidate:
    """An implementation under proof: its model, and how arrays get to its device and back."""

    model: Any
    spec: Any
    to_device: Callable[[np.ndarray], Any]
    to_host: Callable[[Any], np.ndarray]

    def batch(self, x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
        """The batch on the device, features in the specification's precision."""
        return self.to_device(x.astype(self.spec.precision)), self.to_device(y)


@dataclass(frozen=True)
class Start:
    """Where a proof begins: the check's name, a state and a batch (x, y)."""

    check: str
    state: Arrays
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Repetition:
    """The oracle's side: one step from `start` with the masks that the candidate drew."""

    oracle: Oracle
    spec: Any
    start: Start
    masks: Arrays
    origin: Arrays = field(default_factory=dict)
    """Where changes are counted from: the unperturbed state."""

    def reference(self, flips: Mapping[str, np.ndarray] | None = None) -> Arrays:
        """The oracle's tensors by name; `flips` makes it take the other side of some ReLUs."""
        self.oracle.load_state(self.start.state)
        logits = np.asarray(self.oracle.predict(self.x()))
        loss = np.asarray(self.oracle.repeat_step(self.x(), self.start.y, self.masks, flips or {}))
        return tensors_of_step(self, logits, loss, self.oracle.state())

    def x(self) -> np.ndarray:
        """The features in the oracle's precision."""
        return self.start.x.astype(self.oracle.dtype)

    def prediction(self) -> Arrays:
        """The oracle's logits alone."""
        self.oracle.load_state(self.start.state)
        return {"logits": np.asarray(self.oracle.predict(self.x()))}

    def budgets(self, wanted: Arrays, repeat: Callable[["Repetition"], Arrays] | None = None) -> dict[str, float]:
        """float64: one bound. Otherwise FACTOR times the typical error of the oracle's own formulas in that precision.

        Its error is taken over several runs from inputs and a state in which every number is off by one rounding, so
        that it holds both what rounding the input does and what rounding every intermediate result does. The median
        run counts: one in which a ReLU flips says nothing about rounding.
        """
        if self.spec.precision == "float64":
            return dict.fromkeys(wanted, gates.FLOAT64_BOUND)
        u, rng = gates.UNIT_ROUNDOFF[self.spec.precision], np.random.default_rng(0)
        errors: dict[str, list[float]] = {name: [] for name in wanted}
        for _ in range(gates.PERTURBATIONS):
            response = (repeat or Repetition.reference)(self._rounded(u, rng))
            for name in wanted:
                errors[name].append(gates.error(name, response, wanted))
        return {name: gates.FACTOR * max(float(np.median(found)), u) for name, found in errors.items()}

    def near_kinks(self) -> list[tuple[str, int]]:
        """ReLUs of the last reference step whose input is zero to within rounding: (layer, flat index)."""
        u = gates.UNIT_ROUNDOFF[self.spec.precision]
        found = []
        for name, inputs in self.oracle.kinks().items():
            live = np.isfinite(inputs)
            reach = gates.KINK_REACH * u * float(np.sqrt(np.mean(inputs[live] ** 2)))
            found += [(name, int(i)) for i in np.flatnonzero(np.abs(inputs) <= reach)]
        return found

    def _rounded(self, u: float, rng: np.random.Generator) -> "Repetition":
        """The same step in the candidate's precision, from inputs and a state off by one part in 1/u everywhere."""

        def off(value: np.ndarray) -> np.ndarray:
            return value * (1 + u * rng.choice([-1.0, 1.0], size=np.shape(value)))

        counters = {name for name, tensor in self.spec.tensors().items() if tensor.role == "counter"}
        state = {name: v if name in counters else off(v) for name, v in self.start.state.items()}
        start = Start(self.start.check, state, off(self.start.x), self.start.y)
        oracle = self.oracle.in_precision(self.spec.precision)
        return Repetition(oracle, self.spec, start, self.masks, self.origin or self.start.state)


def prove(candidate: Candidate, oracle: Oracle, starts: list[Start]) -> list[Check]:
    """All checks of one training step and one prediction from each start."""
    return [check for start in starts for check in prove_step(candidate, oracle, start)]


def prove_step(candidate: Candidate, oracle: Oracle, start: Start) -> list[Check]:
    """One prediction and one unmodified training step, its native dropout masks replayed in the oracle."""
    before = start.x.copy()
    logits, loss, state, masks, replay = _observe(candidate, start)
    repetition = Repetition(oracle, candidate.spec, start, masks)
    found = tensors_of_step(repetition, logits, loss, state)
    wanted = repetition.reference()
    kinks = repetition.near_kinks()
    budgets = repetition.budgets(wanted)
    checks = gates.judge(start.check, found, wanted, budgets, candidate.spec)
    if kinks and not all(check.passed for check in checks):
        checks = _adopt_flips(repetition, found, budgets, kinks, checks)
    checks.append(Check(start.check, "inputs untouched", "x", float(not np.array_equal(start.x, before)), 0.0))
    return [*checks, *replay, *gates.mask_checks(start.check, masks, candidate.spec, len(start.y))]


def prove_prediction(candidate: Candidate, oracle: Oracle, start: Start) -> list[Check]:
    """The logits alone, for a size at which nothing can be trained (one sample has no variance)."""
    repetition = Repetition(oracle, candidate.spec, start, {})
    candidate.model.load_state(start.state)
    found = {"logits": candidate.to_host(candidate.model.predict(candidate.batch(start.x, start.y)[0]))}
    wanted = repetition.prediction()
    return gates.judge(start.check, found, wanted, repetition.budgets(wanted, Repetition.prediction), candidate.spec)


def tensors_of_step(repetition: Repetition, logits: np.ndarray, loss: np.ndarray, state: Arrays) -> Arrays:
    """Everything that is compared, by name."""
    origin = repetition.origin or repetition.start.state
    parameters = [name for name, tensor in repetition.spec.tensors().items() if tensor.role == "parameter"]
    changes = {CHANGE + name: state[name] - origin[name] for name in parameters if name in state}
    losses = repetition.oracle.sample_losses(logits, repetition.start.y)
    return {"logits": logits, "sample losses": losses, "loss": loss} | state | changes


def _observe(candidate: Candidate, start: Start) -> tuple[np.ndarray, np.ndarray, Arrays, Arrays, list[Check]]:
    """What the implementation did, the masks it drew, whether rewinding repeats the step bit for bit and x is intact."""
    model, (x, y) = candidate.model, candidate.batch(start.x, start.y)
    model.load_state(start.state)
    logits = candidate.to_host(model.predict(x))
    generator = model.random_state()
    loss = np.asarray(candidate.to_host(model.train_step(x, y)))
    state = model.state()
    model.set_random_state(generator)
    masks = {name: np.array(mask) for name, mask in model.draw_masks(len(start.y)).items()}
    model.load_state(start.state)
    model.set_random_state(generator)
    again = np.asarray(candidate.to_host(model.train_step(x, y)))
    written = not np.array_equal(candidate.to_host(x), start.x.astype(candidate.spec.precision))
    intact = [
        Check(start.check, "replay", "loss", float(loss.tobytes() != again.tobytes()), 0.0),
        Check(start.check, "inputs on the device untouched", "x", float(written), 0.0),
    ]
    return logits, loss, state, masks, intact


def _adopt_flips(
    repetition: Repetition,
    found: Arrays,
    budgets: Mapping[str, float],
    kinks: list[tuple[str, int]],
    checks: list[Check],
) -> list[Check]:
    """Let the oracle take the framework's side of a ReLU at zero, one by one where it helps; count what was adopted."""
    shapes = {name: inputs.shape for name, inputs in repetition.oracle.kinks().items()}
    flips = {name: np.zeros(shape, bool) for name, shape in shapes.items()}
    adopted = 0
    for name, index in kinks[: gates.MOST_FLIPS]:
        flips[name].flat[index] = True
        tried = gates.judge(repetition.start.check, found, repetition.reference(flips), budgets, repetition.spec)
        if gates.total_excess(tried) < gates.total_excess(checks):
            checks, adopted = tried, adopted + 1
        else:
            flips[name].flat[index] = False
    return [*checks, Check(repetition.start.check, "adopted ReLU flips", "count", adopted, gates.MOST_FLIPS)]


def free_run(
    candidate: Candidate, oracle: Oracle, start: Start, batches: list[tuple[np.ndarray, np.ndarray]], steps: int
) -> list[Check]:
    """`steps` training steps side by side without correction (float64), and one Check per group at the end.

    The losses are compared at every step, the whole state at steps 1, 10, 100, ... and the last.
    """
    model, spec = candidate.model, candidate.spec
    model.load_state(start.state)
    oracle.load_state(start.state)
    on_device = [candidate.batch(x, y) for x, y in batches]
    checks: list[Check] = []
    for step in range(1, steps + 1):
        (x, y), k = batches[(step - 1) % len(batches)], (step - 1) % len(batches)
        generator = model.random_state()
        masks = {name: np.array(mask) for name, mask in model.draw_masks(len(y)).items()}
        model.set_random_state(generator)
        found = {"loss": np.asarray(candidate.to_host(model.train_step(*on_device[k])))}
        wanted = {"loss": np.asarray(oracle.repeat_step(x, y, masks, {}))}
        if step == steps or set(str(step)) <= {"0", "1"}:
            found, wanted = found | model.state(), wanted | oracle.state()
        budgets = dict.fromkeys(wanted, gates.FLOAT64_BOUND)
        checks += gates.judge(start.check, found, wanted, budgets, spec)
    return gates.worst_by_group(checks)
