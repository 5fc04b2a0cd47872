"""Every check of one implementation of one specification, ours or from elsewhere.

The kit knows a model by the contract, its oracle is made from its NumPy implementation, and its extreme states are the network's own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import cast

import numpy as np

from implementations import registry
from implementations.contract import Arrays, DeviceArray, Framework, Model, Spec
from implementations.equivalence import (
    generator,
    precision,
    proof,
    reach,
    side_effects,
    strays,
    tolerances,
    trajectories,
)
from implementations.equivalence.oracle import oracle_of
from implementations.equivalence.products import Products
from implementations.equivalence.proof import Candidate
from implementations.equivalence.repetition import Start
from implementations.equivalence.tolerances import Check
from implementations.initialisation import batches, hot_state, zeroed_slots
from implementations.training.training_numpy import Model as NumpyModel

HOT, ZEROED, CLIPPING = "hot state", "zeroed slots", "the other side of clipping"
BATCHES = 8
FREE_STEPS, RESTARTED_STEPS, SPREAD_STEPS = 50, 10, 20
COUNTERS = (7, 250, 2042, 4090)
"""Steps made before a run: the last three go over the ends of a byte, of what float16 can count, and of twelve bits."""

LIFETIME, ROUND = 3000, 100
"""Training steps and predictions that one object is asked for, and between which its state is put back: more than the longest
profile makes of a small network."""

LIFETIME_FLOPS = 10**11
"""Of all these steps together: of a large network a run makes fewer."""

UNSEEN = 1000
"""Seed of the batches that a model has not seen before."""


class Kit:
    """One framework on one device, used in one way."""

    shared: strays.Shared | None = None  # where strays are shared between processes
    steps_of_life: int = LIFETIME
    counters: tuple[int, ...] = COUNTERS

    def __init__(
        self,
        model: str,
        framework: str,
        adapter: Framework,
        device: str,
        mode: str = "plain",
        shared: strays.Shared | None = None,
    ) -> None:
        self.adapter, self.device, self.shared = adapter, device, shared
        self.model_class = registry.model_class(model, framework, mode)
        self.states, steps = registry.part(model, "extremes"), registry.part(model, "steps").STEPS
        self.products = Products(adapter, device, {step.layer.partition("/")[0] for step in steps})
        self.oracle_class = oracle_of(cast(type[NumpyModel], registry.model_class(model, "numpy")))

    def candidate(self, spec: Spec, model: Model | None = None) -> Candidate:
        """A model of this specification (a new one, unless it is given), as the proof sees it."""
        made = self.model_class(spec, self.device) if model is None else model
        return Candidate(made, spec, self.to_device, self.adapter.to_host)

    def starts(self, spec: Spec, seed: int = 1) -> list[Start]:
        """From the middle of training, and from its beginning, when the slots become the gradients.

        Where gradients are clipped, or may be: once more from its beginning, on the other side of where that begins.
        """
        hot, (batch,) = hot_state(spec, seed), batches(spec, 1, seed + 1)
        zeroed = Start(ZEROED, zeroed_slots(spec, hot), batch, fresh=True)
        return [
            Start(HOT, hot, batch),
            zeroed,
            *(self._other_side_of_clipping(spec, zeroed) if spec.largest_norm else ()),
        ]

    def _other_side_of_clipping(self, spec: Spec, zeroed: Start) -> list[Start]:
        """As the model has it. An optimizer without slots shows gradients by small changes alone, which need not be certifiable here."""
        oracle, masks = self.oracle_class(spec), strays.masks(spec, zeroed.samples)

        def norm(state: Arrays, batch: Arrays) -> float:
            oracle.load_state(state)
            return oracle.gradient_norm(batch, masks)

        found = self.states.other_side_of_clipping(spec, zeroed.state, zeroed.batch, norm)
        has_slots = any(tensor.role == "slot" for tensor in spec.tensors().values())
        return [replace(zeroed, check=CLIPPING, state=found[0], batch=found[1], extreme=not has_slots)] if found else []

    def stress_starts(self, spec: Spec, seed: int = 1) -> list[Start]:
        """Extreme states and inputs, as the model has them.

        None in a coarse arithmetic, which has too few digits to certify anything there.
        """
        if spec.precision in tolerances.COARSE:
            return []
        hot, zeroed = self.starts(spec, seed)[:2]
        return [
            Start(name, state, batch, fresh=state is not hot.state, extreme=True)
            for name, (state, batch) in self.states.extremes(spec, hot.state, zeroed.state, zeroed.batch).items()
        ]

    def steps(self, candidate: Candidate, starts: list[Start]) -> list[Check]:
        """One step and one prediction from each start; the prediction alone where there is nothing to train."""
        oracle = self.oracle_class(candidate.spec)
        if candidate.spec.problem_with("train_step"):
            return proof.prove_prediction(candidate, oracle, starts[0])
        return [check for start in starts for check in proof.prove_step(candidate, oracle, start, self.shared)]

    def everything(self, candidate: Candidate) -> Iterator[Check]:
        """The whole proof, check by check."""
        return (check for part in self.parts(candidate) for check in part)

    def parts(self, candidate: Candidate) -> Iterator[Iterable[Check]]:
        """The whole proof: steps, then what takes many, then thousands, which a wrong step fails too. Deterministic settings come last,
        for they stay on.
        """
        spec = candidate.spec
        yield self.precision(spec.precision)
        yield (check for start in self.starts(spec) for check in self.steps(candidate, [start]))
        if not spec.problem_with("train_step"):
            yield (check for start in self.stress_starts(spec) for check in self.steps(candidate, [start]))
            yield self.beyond_a_step(candidate)
            yield self.lifetime(candidate)
            yield self.determinism(candidate)

    def beyond_a_step(self, candidate: Candidate) -> Iterator[Check]:
        """What a single step does not show."""
        spec, make = candidate.spec, lambda: self.model_class(candidate.spec, self.device)
        yield from self.any_number_of_samples(candidate)
        yield from side_effects.checks(candidate, make, self.starts(spec)[0])
        yield from self.trajectory(candidate)
        yield from reach.not_a_number(candidate, self.states, self.starts(spec)[0])
        yield from reach.not_looked_at(candidate, self.states, self.starts(spec)[0])
        yield from generator.statistics(candidate.model.draw_masks, spec, spec.batch)

    def precision(self, name: str) -> list[Check]:
        """Bits kept and rounding done by the matrix product on the device, and by whatever else multiplies."""
        return [
            check
            for what, product in self.products.by_name().items()
            for check in (
                precision.check(name, precision.kept_bits(name, product), what),
                precision.product_check(name, product, what),
            )
        ]

    def any_number_of_samples(self, candidate: Candidate) -> list[Check]:
        """Predictions of one sample and of many more than a batch; a step with another batch than the specification's."""
        oracle, hot, checks = self.oracle_class(candidate.spec), self.starts(candidate.spec)[0], []
        for rows in (1, 2 * hot.samples + 1025):
            checks += proof.prove_prediction(candidate, oracle, _with_rows(hot, rows))
        return checks + proof.prove_step(candidate, oracle, _with_rows(hot, hot.samples + 1), self.shared)

    def trajectory(self, candidate: Candidate, steps: int = 0) -> list[Check]:
        """Many steps: free in float64, unless the network is chaotic, else restarted; over places at which a small counter
        would give up. Given a number of steps: that many, in one run, in float64 a free one.
        """
        spec, checks = candidate.spec, []
        hot, cycle = hot_state(spec), batches(spec, BATCHES)
        free = spec.precision == "float64"
        if free and not steps:
            start = Start("free run", hot, cycle[0])
            free = not trajectories.is_chaotic(candidate, self.oracle_class(spec), start, cycle, FREE_STEPS)
        for counter in self.counters[:1] if steps else self.counters:
            start = Start("free run" if free else "restarted run", self._counted(spec, hot, counter), cycle[0])
            run = trajectories.free_run if free else trajectories.restarted_run
            length = steps or (FREE_STEPS if free else RESTARTED_STEPS)
            checks += run(candidate, self.oracle_class(spec), start, cycle, length)
        return tolerances.worst_by_group(checks)

    def lifetime(self, candidate: Candidate) -> list[Check]:
        """A step after as many calls as a run makes of one object: loaded, trained and asked, again and again."""
        spec, model = candidate.spec, candidate.model
        rounds = max(1, min(self.steps_of_life, LIFETIME_FLOPS // spec.flops("train_step")) // ROUND)
        start, host = hot_state(spec), batches(spec, BATCHES)
        cycle = [candidate.batch(batch) for batch in host]
        for _ in range(rounds):
            model.load_state(start)
            for call in range(ROUND):
                model.train_step(cycle[call % BATCHES])
                model.predict(cycle[call % BATCHES])
        (unseen,) = batches(spec, 1, UNSEEN)
        name = f"after {rounds * ROUND} calls"
        if not _is_finite(model.state()) and not trajectories.diverges(
            candidate, self.oracle_class(spec), start, host, ROUND
        ):
            return [tolerances.exact(name, "numbers", "state", False)]
        return self.from_here(candidate, name, unseen)

    def from_here(self, candidate: Candidate, name: str, batch: Arrays, phase: str = "train_step") -> list[Check]:
        """One prediction and one step from where the model stands.

        Training may have led to where nothing can be certified, or to a loss that is no number: that is said, and fails nothing.
        """
        oracle = self.oracle_class(candidate.spec)
        if not _is_finite(candidate.model.state()):
            loss = candidate.to_host(candidate.model.train_step(candidate.batch(batch)))
            if np.isfinite(loss).all():  # a tensor that nobody trains with, or nobody trains
                return [tolerances.exact(name, "numbers", "state", False)]
            return [Check(name, tolerances.NOT_CERTIFIED, "training diverges", 0.0, float("inf"))]
        if phase == "predict":
            checks = trajectories.next_prediction(candidate, oracle, name, batch)
        else:
            masks = trajectories.masks_here(candidate, name, batch)
            checks = masks + trajectories.next_step(candidate, oracle, name, batch)
        return [
            replace(check, group=tolerances.NOT_CERTIFIED, budget=float("inf"))
            if check.group == tolerances.CERTIFIABLE
            else check
            for check in checks
        ]

    def _counted(self, spec: Spec, state: Arrays, steps: int) -> Arrays:
        """The same state after another number of steps."""
        counters = [name for name, tensor in spec.tensors().items() if tensor.role == "counter"]
        return state | {name: np.asarray(float(steps)) for name in counters}

    def determinism(self, candidate: Candidate) -> list[Check]:
        """The same training twice: the spread with the settings that are timed, and none with deterministic ones.

        On a CPU, what has no such switch has to be deterministic as it is. On a GPU a framework may have no deterministic form
        of some operation, and say so: that is recorded, and fails nothing.
        """
        spec = candidate.spec
        cycle = batches(spec, BATCHES)
        start = Start("determinism", hot_state(spec), cycle[0])
        spread = trajectories.two_runs(candidate, start, cycle, SPREAD_STEPS)
        checks = [Check("determinism", "spread as timed", f"in {SPREAD_STEPS} steps", spread, float("inf"))]
        if hasattr(self.adapter, "make_deterministic"):
            self.adapter.make_deterministic()
            try:
                spread = trajectories.two_runs(candidate, start, cycle, SPREAD_STEPS)
            except Exception as refusal:  # each framework has an error of its own for it, but all say the word
                if self.device == "cpu" or "determinis" not in str(refusal).lower():
                    raise
                reason = f"{type(refusal).__name__}: {refusal}".splitlines()[0][:200]
                return [*checks, Check("determinism", "no deterministic form", reason, 0.0, float("inf"))]
        if hasattr(self.adapter, "make_deterministic") or self.device == "cpu":
            checks.append(Check("determinism", "spread when deterministic", f"in {SPREAD_STEPS} steps", spread, 0.0))
        return checks

    def to_device(self, array: np.ndarray) -> DeviceArray:
        """A copy on this kit's device."""
        return self.adapter.to_device(array, self.device)


def _is_finite(state: Arrays) -> bool:
    return all(np.isfinite(value).all() for value in state.values())


def _with_rows(start: Start, rows: int) -> Start:
    """The same start with another number of samples, the first ones again where there are not so many."""
    batch = {name: np.resize(array, (rows, *array.shape[1:])) for name, array in start.batch.items()}
    return Start(f"{rows} samples", start.state, batch)
