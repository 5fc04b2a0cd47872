"""Every check of one implementation of one specification, ours or from elsewhere.

The kit knows a model by the contract, and its arrays by the network's `parameters` and `oracle` modules.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np

from implementations import registry
from implementations.contract import Arrays, DeviceArray, Framework, Model, OracleClass, Spec
from implementations.equivalence import generator, precision, proof, side_effects, strays, tolerances, trajectories
from implementations.equivalence.proof import Candidate
from implementations.equivalence.repetition import Start
from implementations.equivalence.tolerances import Check

HOT, ZEROED, CONSTANT = "hot state", "zeroed slots", "constant features"
BATCHES = 8
FREE_STEPS, RESTARTED_STEPS, SPREAD_STEPS = 50, 10, 20
COUNTERS = (7, 250, 2042)
"""Steps made before a run: the last two go over the ends of a byte and of what float16 can count."""


class Kit:
    """One framework on one device, used in one way."""

    shared: strays.Shared | None = None  # where the strays of large networks are shared between processes

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
        self.parameters = registry.part(model, "parameters")
        self.oracle_class = cast(OracleClass, registry.part(model, "oracle").Oracle)

    def candidate(self, spec: Spec, model: Model | None = None) -> Candidate:
        """A model of this specification (a new one, unless it is given), as the proof sees it."""
        made = self.model_class(spec, self.device) if model is None else model
        return Candidate(made, spec, self.to_device, self.adapter.to_host)

    def starts(self, spec: Spec, seed: int = 1) -> list[Start]:
        """From the middle of training, and from its beginning, when the slots become the gradients."""
        hot, (x, y) = self.parameters.hot_state(spec, seed), self.parameters.batches(spec, 1, seed + 1)[0]
        zeroed = self.parameters.zeroed_slots(spec, hot)
        return [Start(HOT, hot, x, y), Start(ZEROED, zeroed, x, y, fresh=True)]

    def stress_starts(self, spec: Spec, seed: int = 1) -> list[Start]:
        """Extreme states and inputs: from zeroed slots, so that the slots become the gradients, and once from hot ones.

        None in a coarse arithmetic, which has too few digits to certify anything there.
        """
        if spec.precision in tolerances.COARSE:
            return []
        hot, zeroed = self.starts(spec, seed)
        extremes = self.parameters.stress(spec, zeroed.state, zeroed.x)
        starts = [Start(name, state, x, zeroed.y, fresh=True, extreme=True) for name, (state, x) in extremes.items()]
        _, constant = extremes[CONSTANT]
        return [*starts, Start(f"{CONSTANT}, hot", hot.state, constant, hot.y, extreme=True)]

    def steps(self, candidate: Candidate, starts: list[Start]) -> list[Check]:
        """One step and one prediction from each start; the prediction alone where there is nothing to train."""
        oracle = self.oracle_class(candidate.spec)
        if candidate.spec.problem_with("train_step"):
            return proof.prove_prediction(candidate, oracle, starts[0])
        return [check for start in starts for check in proof.prove_step(candidate, oracle, start, self.shared)]

    def everything(self, candidate: Candidate) -> Iterator[Check]:
        """The whole proof, check by check. Deterministic settings come last, for they stay on."""
        spec = candidate.spec
        yield from self.precision(spec.precision)
        yield from self.steps(candidate, [*self.starts(spec), *self.stress_starts(spec)])
        if not spec.problem_with("train_step"):
            yield from self.beyond_a_step(candidate)
            yield from self.determinism(candidate)

    def beyond_a_step(self, candidate: Candidate) -> Iterator[Check]:
        """What a single step does not show."""
        spec, make = candidate.spec, lambda: self.model_class(candidate.spec, self.device)
        yield from self.any_number_of_samples(candidate)
        yield from side_effects.checks(candidate, make, self.starts(spec)[0])
        yield from self.trajectory(candidate)
        yield from self.not_a_number(candidate)
        yield from generator.statistics(candidate.model.draw_masks, spec, spec.batch)

    def precision(self, name: str) -> list[Check]:
        """Bits kept and rounding done by the matrix product on the device."""
        bits = precision.kept_bits(name, self.product)
        return [precision.check(name, bits), precision.product_check(name, self.product)]

    def any_number_of_samples(self, candidate: Candidate) -> list[Check]:
        """Predictions of one sample and of many more than a batch; a step with another batch than the specification's."""
        oracle, hot, checks = self.oracle_class(candidate.spec), self.starts(candidate.spec)[0], []
        for rows in (1, 2 * len(hot.y) + 1025):
            checks += proof.prove_prediction(candidate, oracle, _with_rows(hot, rows))
        return checks + proof.prove_step(candidate, oracle, _with_rows(hot, len(hot.y) + 1))

    def trajectory(self, candidate: Candidate, steps: int = 0) -> list[Check]:
        """Many steps: free in float64, unless the network is chaotic, else restarted; over places at which a small counter
        would give up. Given a number of steps: that many, in one run, in float64 a free one.
        """
        spec, checks = candidate.spec, []
        hot, batches = self.parameters.hot_state(spec), self.parameters.batches(spec, BATCHES)
        free = spec.precision == "float64"
        if free and not steps:
            start = Start("free run", hot, *batches[0])
            free = not trajectories.is_chaotic(candidate, self.oracle_class(spec), start, batches, FREE_STEPS)
        for counter in COUNTERS[:1] if steps else COUNTERS:
            start = Start("free run" if free else "restarted run", self._counted(spec, hot, counter), *batches[0])
            run = trajectories.free_run if free else trajectories.restarted_run
            length = steps or (FREE_STEPS if free else RESTARTED_STEPS)
            checks += run(candidate, self.oracle_class(spec), start, batches, length)
        return tolerances.worst_by_group(checks)

    def _counted(self, spec: Spec, state: Arrays, steps: int) -> Arrays:
        """The same state after another number of steps."""
        counters = [name for name, tensor in spec.tensors().items() if tensor.role == "counter"]
        return state | {name: np.asarray(float(steps)) for name in counters}

    def not_a_number(self, candidate: Candidate) -> list[Check]:
        """NaN in one feature of one sample: NaN in its logits alone, in the loss, and in the parameters it trained."""
        start, model = self.starts(candidate.spec)[0], candidate.model
        x = start.x.copy()
        x[0, 0] = np.nan
        on_device = candidate.batch(x, start.y)
        model.load_state(start.state)
        logits = np.asarray(candidate.to_host(model.predict(on_device[0])))
        loss = np.asarray(candidate.to_host(model.train_step(*on_device)))
        state, tensors = model.state(), candidate.spec.tensors()
        trained = [state[name] for name, tensor in tensors.items() if tensor.role == "parameter"]
        verdicts = {
            "logits": bool(np.isnan(logits[0]).all() and np.isfinite(logits[1:]).all()),
            "loss": bool(np.isnan(loss)),
            "parameters": any(np.isnan(value).any() for value in trained),
        }
        return [tolerances.exact("not a number", "NaN comes out", name, holds) for name, holds in verdicts.items()]

    def determinism(self, candidate: Candidate) -> list[Check]:
        """The same training twice: the spread with the settings that are timed, and none with deterministic ones.

        On a CPU, what has no such switch has to be deterministic as it is. On a GPU a framework may have no deterministic form
        of some operation, and say so: that is recorded, and fails nothing.
        """
        spec = candidate.spec
        hot, batches = self.parameters.hot_state(spec), self.parameters.batches(spec, BATCHES)
        start = Start("determinism", hot, *batches[0])
        spread = trajectories.two_runs(candidate, start, batches, SPREAD_STEPS)
        checks = [Check("determinism", "spread as timed", f"in {SPREAD_STEPS} steps", spread, float("inf"))]
        if hasattr(self.adapter, "make_deterministic"):
            self.adapter.make_deterministic()
            try:
                spread = trajectories.two_runs(candidate, start, batches, SPREAD_STEPS)
            except Exception as refusal:  # each framework has an error of its own for it, but all say the word
                if self.device == "cpu" or "determinis" not in str(refusal).lower():
                    raise
                reason = f"{type(refusal).__name__}: {refusal}".splitlines()[0][:200]
                return [*checks, Check("determinism", "no deterministic form", reason, 0.0, float("inf"))]
        if hasattr(self.adapter, "make_deterministic") or self.device == "cpu":
            checks.append(Check("determinism", "spread when deterministic", f"in {SPREAD_STEPS} steps", spread, 0.0))
        return checks

    def product(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """A product on the device of two host arrays, in the precision that is in use."""
        return self.adapter.to_host(self.adapter.matrix_product(self.factor(a), self.factor(b)))

    def factor(self, array: np.ndarray) -> DeviceArray:
        """A copy on this kit's device, as a matrix product takes it."""
        tensor = self.to_device(array)
        return self.adapter.as_factor(tensor) if hasattr(self.adapter, "as_factor") else tensor

    def to_device(self, array: np.ndarray) -> DeviceArray:
        """A copy on this kit's device."""
        return self.adapter.to_device(array, self.device)


def _with_rows(start: Start, rows: int) -> Start:
    """The same start with another number of samples, the first ones again where there are not so many."""
    x, y = np.resize(start.x, (rows, start.x.shape[1])), np.resize(start.y, rows)
    return Start(f"{rows} samples", start.state, x, y)
