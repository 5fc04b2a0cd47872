"""Runs the cases of all models on one framework in one process: `python -m tests.support.conformance torch`.

Prints one JSON object per line, each with its model, implementation and precision: {"case": ..., "checks": [...]} for a proof
or a run, {"predictions": sha256} for a training on the model's own data, {"continuation": tokens} of a text after it, {"choices": ...}
of its branches beside the oracle's, {"watched": ...} for a watched step, and {"ended": frameworks} at the end of a precision: what stands in the process then. The first line is of the process: {"adapter": ..., "loaded": ...}.
`python -m tests.support.conformance torch/tuned float64 thorough mlp` asks all of one.

A process of its own, because no process may hold two frameworks. What is set for a precision stays set, so each has a copy
(`os.fork`) of the process that has imported the framework and has not used it yet.
"""

import dataclasses
import hashlib
import importlib
import json
import os
import sys
import traceback
from contextlib import nullcontext
from functools import cached_property
from typing import Any, cast

import numpy as np

from implementations import initialisation, limits, registry, watching
from implementations.contract import ExtendedModel, Spec
from implementations.equivalence import tolerances
from implementations.equivalence.kit import COUNTERS, LIFETIME, ROUND, Kit
from implementations.equivalence.proof import Candidate
from implementations.equivalence.tolerances import Check
from tests.support import adapters, batches, cases
from tests.support.cases import FULL, STEPS

MOST_SAMPLES = 1500
"""With which a network is trained on its own data, and asked afterwards."""


PROMPT = 8
"""Tokens from which a text is continued."""


def main(implementation: str, precision: str = "", extent: str = "fast", model: str = "") -> int:
    """Without a precision: a framework in all its modes and precisions that `make test` asks. The exit code."""
    if precision:
        ask(implementation, precision, extent == "thorough", model)
        return 0
    modes = [name for name in cases.implementations() if name.partition("/")[0] == implementation]
    tell_what_is_loaded(implementation, registry.adapter(implementation).NAME)
    jobs = [(mode, precision) for mode in modes if not problem(mode) for precision in cases.precisions(mode)]
    return max([in_a_copy(*job) for job in jobs])


def tell_what_is_loaded(framework: str, name: str) -> None:
    """What stands in the process that holds the framework, its adapter and its models; the first line of output."""
    for model in cases.models(framework):
        registry.model_class(model, framework)
    print(json.dumps({"adapter": name, "loaded": loaded()}), flush=True)


def loaded() -> list[str]:
    """The frameworks in this process."""
    tops = {module.partition(".")[0].replace("jaxlib", "jax") for module in sys.modules}
    return sorted(tops & {"torch", "tensorflow", "jax", "cupy"})


def problem(implementation: str) -> Any:
    """Why a mode cannot be used here, or None."""
    framework, _, mode = implementation.partition("/")
    return registry.mode_problem(framework, mode)


def in_a_copy(implementation: str, precision: str) -> int:
    """Asks one implementation in one precision in a copy of this process; 0 where it came to its end."""
    pid = os.fork()
    if not pid:
        try:
            ask(implementation, precision)
            os._exit(0)
        except BaseException:  # whatever it is, a copy must not go on as if it were the original
            traceback.print_exc()
        os._exit(1)
    return int(os.waitpid(pid, 0)[1] != 0)


def ask(implementation: str, precision: str, thorough: bool = False, model: str = "") -> None:
    """Every model that is written in it, or one."""
    framework = implementation.partition("/")[0]
    adapter = adapters.prepared(framework, precision)
    for each in [model] if model else cases.models(implementation, precision):
        Asked(each, implementation, precision, adapter).everything(thorough)


class Asked:
    """One model in one implementation and precision."""

    def __init__(self, model: str, implementation: str, precision: str, adapter: Any) -> None:
        self.model, self.implementation, self.precision = model, implementation, precision
        self.framework, _, mode = implementation.partition("/")
        self.mode = mode or "plain"
        self.kit = Kit(model, self.framework, adapter, adapter.devices()[-1], self.mode, adapters.shared())
        self.own = cases.of(model)
        self.made: dict[str, Candidate] = {}

    def everything(self, thorough: bool) -> None:
        """The cases, all of them if it is `thorough`; in float64 the long runs and the model's own data too."""
        for case, changes in cases.chosen(self.model, self.implementation, self.precision, thorough).items():
            spec = self.spec(changes)
            stressed = thorough or (self.precision == "float32" and case in self.own.QUICK)
            starts = [*self.kit.starts(spec), *(self.kit.stress_starts(spec) if stressed else ())]
            self.tell(spec, case, self.kit.steps(self.candidate(spec), starts))
        if self.precision == "float32" and thorough:
            spec = self.spec(self.own.CASES[self.own.IN_FULL])
            steps = cases.restarted_steps(self.implementation)
            case = f"{steps} restarted steps, {self.own.IN_FULL}"
            self.tell(spec, case, self.kit.trajectory(self.candidate(spec), steps))
        if self.precision == "float64":
            for case, changes in cases.runs(self.model, self.implementation, thorough).items():
                spec = self.spec(changes)
                self.tell(spec, f"{STEPS} steps, {case}", self.kit.trajectory(self.candidate(spec), STEPS))
            self.tell_what_it_learned()
        if self.precision not in tolerances.COARSE and hasattr(self.kit.model_class, "choices"):
            self.say(choices=self.choices())
        if self.mode == "plain" and hasattr(self.kit.model_class, "calls_of_steps"):
            self.say(**self.watched())
        if count := cases.examples(self.model, self.implementation, self.precision, thorough):
            made_up = importlib.import_module(f"tests.support.{self.model}.random_specifications")
            for spec, checks in made_up.tried(self.kit, self.implementation, self.precision, count):
                self.tell(spec, "any specification", checks)
        if cases.in_full(
            self.model, self.implementation, self.precision, thorough
        ):  # last: deterministic settings stay on
            spec = self.spec(self.own.CASES[self.own.IN_FULL])
            lives_long = cases.lives_long(self.model, self.implementation, self.precision, thorough)
            self.kit.steps_of_life = LIFETIME if lives_long else ROUND
            self.kit.counters = COUNTERS if thorough or lives_long else COUNTERS[:1]
            self.tell(spec, FULL, self.kit.everything(self.candidate(spec)))
        self.say(ended=loaded())

    def spec(self, changes: dict[str, Any]) -> Any:
        """A small network with these changes."""
        return self.preset.changed(**self.own.SMALL | changes, precision=self.precision)

    @cached_property
    def preset(self) -> Any:
        """The model's first."""
        specification = registry.part(self.model, "spec").Spec
        return specification.preset(next(iter(specification.PRESETS)))

    def candidate(self, spec: Spec) -> Candidate:
        """A model of this specification, compiled once."""
        key = repr(spec)
        if key not in self.made:
            self.made[key] = self.kit.candidate(spec)
        return self.made[key]

    def watched(self) -> dict[str, Any]:
        """Which steps of the network a watched training step tells of, and whether it is the same training step."""
        spec = self.spec({})
        model: Any = self.kit.model_class(spec, self.kit.device)
        batch = self.kit.candidate(spec, model).batch(batches.one(spec))
        state, generator = initialisation.hot_state(spec), model.random_state()
        steps = registry.part(self.model, "steps")
        events: list[str] = []
        losses = []
        for watching_ in (
            nullcontext(),
            watching.watched(model, steps.STEPS, events.append, lambda step: events.append(f"end of {step}")),
        ):
            model.load_state(state)
            model.set_random_state(generator)
            with watching_:
                losses.append(np.asarray(self.kit.adapter.to_host(model.train_step(batch))).tobytes())
        begun = [step for step in events if not step.startswith("end of ")]
        taken = steps.taken(spec) if hasattr(steps, "taken") else steps.STEPS
        names = sorted(step.name for step in taken)
        return {
            "watched": sorted(set(begun)),
            "taken": names,
            "ends": len(events) == 2 * len(begun),
            "same": losses[0] == losses[1],
        }

    def tell_what_it_learned(self) -> None:
        """After a few epochs from the same start: hash of the predicted classes of the data's test set, and how a text goes on."""
        spec = self.preset.changed(**self.own.LEARNING, precision=self.precision)
        dataset = registry.part(self.model, "data").default(spec)
        candidate = self.kit.candidate(spec)
        candidate.model.load_state(initialisation.initial_state(spec))
        rng, samples = np.random.default_rng(0), min(dataset.samples, MOST_SAMPLES)
        for _ in range(self.own.EPOCHS):
            order = rng.permutation(samples)
            for rows in np.split(order[: len(order) // spec.batch * spec.batch], len(order) // spec.batch):
                candidate.model.train_step(candidate.batch({"x": dataset.x_train[rows], "y": dataset.y_train[rows]}))
        x, y = dataset.x_test[:MOST_SAMPLES], dataset.y_test[:MOST_SAMPLES]
        self.say(predictions=hashlib.sha256(self.likeliest(candidate, x, y).tobytes()).hexdigest())
        if getattr(spec, "vocabulary", 0) and y.shape == x.shape:
            self.say(continuation=self.continuation(candidate, x[: spec.batch].copy(), y[: spec.batch]))

    def likeliest(self, candidate: Candidate, x: Any, y: Any) -> Any:
        """The predicted classes of these samples, in int64."""
        logits = self.kit.adapter.to_host(candidate.model.predict(candidate.batch({"x": x, "y": y})))
        return logits.argmax(axis=-1).astype(np.int64)

    def continuation(self, candidate: Candidate, x: Any, y: Any) -> list[list[int]]:
        """How beginnings of sequences x (B, T) go on to their length, token by token, each the likeliest."""
        for end in range(PROMPT, x.shape[1]):
            x[:, end:] = 0
            x[:, end] = self.likeliest(candidate, x, y)[:, end - 1]
        return cast(list[list[int]], x.tolist())

    def choices(self) -> dict[str, int]:
        """How many branches chose in a step from the middle of training, with dropout, where rounding cannot choose; and how many of
        them otherwise than the oracle's: as many as that would be those of another step, with masks of its own.
        """
        spec = self.spec({"dropout": 0.5})
        candidate, oracle, batch = self.candidate(spec), self.kit.oracle_class(spec), batches.one(spec)
        state = initialisation.hot_state(spec)
        candidate.model.load_state(state)
        masks = candidate.masks_of_next_step(spec.batch)
        chosen = cast(ExtendedModel, candidate.model).choices(candidate.batch(batch))
        oracle.load_state(state)
        oracle.repeat_step(batch, masks)
        clear = {name: _clearly(branch.lead) for name, branch in oracle.branches().items()}
        otherwise = [(chosen[name] != branch.choice)[clear[name]] for name, branch in oracle.branches().items()]
        return {
            "clear": sum(int(each.sum()) for each in clear.values()),
            "otherwise": sum(map(int, map(np.sum, otherwise))),
        }

    def tell(self, spec: Any, case: str, checks: Any) -> None:
        """One line of output; each check says whether a limit of the framework's own explains that it fails."""
        told = [described(self.framework, self.mode, spec, check) for check in checks]
        self.say(case=case, spec=spec.model_dump(mode="json"), checks=told)

    def say(self, **answer: Any) -> None:
        """One line of output."""
        which = {"model": self.model, "implementation": self.implementation, "precision": self.precision}
        print(json.dumps(which | answer, default=float), flush=True)


def _clearly(lead: np.ndarray) -> np.ndarray:
    """Where a branch chose by far more than float32 rounds; not where dropout silences it."""
    size = np.where(np.isfinite(lead), np.abs(lead), 0.0)
    return size > 1e-3 * size.max()


def described(framework: str, mode: str, spec: Any, check: Check) -> dict[str, Any]:
    """A check as it is printed. An optimizer without slots whose steps are within rounding of nothing shows no gradient,
    and a coarse arithmetic has not digits enough for every state: that the kit refuses to certify them is right.
    """
    limit = limits.explaining(framework, mode, spec.model_dump(), check)
    theirs = limit.name if limit and not check.passed else ""
    refused = check.group == tolerances.CERTIFIABLE and (
        not spec.optimizer.slots or spec.precision in tolerances.COARSE
    )
    return dataclasses.asdict(check) | {"passed": check.passed, "theirs": theirs, "refused": refused}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
