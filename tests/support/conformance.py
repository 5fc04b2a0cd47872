"""Runs all cases on one implementation in one process: `python -m tests.support.conformance numpy/tuned float64`.

Prints one JSON object per line: {"case": ..., "checks": [...]} for a proof or a run, {"predictions": sha256} for a
training on the digits. A process of its own, because no process may hold two frameworks.
"""

import dataclasses
import hashlib
import json
import sys
from contextlib import nullcontext
from typing import Any

import numpy as np

from implementations import data, initialisation, limits, watching
from implementations.equivalence import tolerances
from implementations.equivalence.kit import Kit
from implementations.equivalence.tolerances import Check
from implementations.mlp.spec import MLPSpec
from implementations.mlp.steps import STEPS as STEPS_OF_THE_NETWORK
from tests.support import adapters, batches
from tests.support.mlp import random_specifications
from tests.support.mlp.cases import CASES, EPOCHS, IN_FULL, QUICK, SMALL, STEPS, cases, examples, in_full, runs


def main(implementation: str, precision: str, extent: str = "fast") -> None:
    """The cases in one precision, all of them if it is `thorough`; in float64 the long runs and the digits too."""
    thorough = extent == "thorough"
    framework, _, mode = implementation.partition("/")
    mode = mode or "plain"
    kit = adapters.kit(framework, precision, mode)
    for case, changes in cases(implementation, precision, thorough).items():
        spec = MLPSpec().changed(**SMALL | changes, precision=precision)
        stressed = thorough or (precision == "float32" and case in QUICK)
        starts = [*kit.starts(spec), *(kit.stress_starts(spec) if stressed else ())]
        tell(framework, mode, spec, case, kit.steps(kit.candidate(spec), starts))
    if in_full(implementation, thorough):
        spec = MLPSpec().changed(**SMALL | CASES[IN_FULL], precision=precision)
        tell(framework, mode, spec, "in full", kit.everything(kit.candidate(spec)))
    if precision == "float32" and thorough:
        spec = MLPSpec().changed(**SMALL | CASES[IN_FULL], precision=precision)
        tell(framework, mode, spec, f"{STEPS} restarted steps, {IN_FULL}", kit.trajectory(kit.candidate(spec), STEPS))
    if precision == "float64":
        for case, changes in runs(implementation, thorough).items():
            spec = MLPSpec().changed(**SMALL | changes, precision=precision)
            tell(framework, mode, spec, f"{STEPS} steps, {case}", kit.trajectory(kit.candidate(spec), STEPS))
        print(
            json.dumps({"predictions": predictions(kit, MLPSpec().changed(precision="float64", dropout=0.0, batch=64))})
        )
    if mode == "plain" and hasattr(kit.model_class, "calls_of_steps"):
        print(json.dumps(watched(kit, MLPSpec().changed(**SMALL, precision=precision))))
    if count := examples(implementation, precision, thorough):
        for spec, checks in random_specifications.tried(kit, framework, precision, count):
            tell(framework, mode, spec, "any specification", checks)


def watched(kit: Kit, spec: MLPSpec) -> dict[str, Any]:
    """Which steps of the network a watched training step tells of, and whether it is the same training step."""
    model: Any = kit.model_class(spec, kit.device)
    batch = kit.candidate(spec, model).batch(batches.one(spec))
    state, generator = initialisation.hot_state(spec), model.random_state()
    events: list[str] = []
    losses = []
    for watching_ in (
        nullcontext(),
        watching.watched(model, STEPS_OF_THE_NETWORK, events.append, lambda step: events.append(f"end of {step}")),
    ):
        model.load_state(state)
        model.set_random_state(generator)
        with watching_:
            losses.append(np.asarray(kit.adapter.to_host(model.train_step(batch))).tobytes())
    begun = [step for step in events if not step.startswith("end of ")]
    return {"watched": sorted(set(begun)), "ends": len(events) == 2 * len(begun), "same": losses[0] == losses[1]}


def tell(framework: str, mode: str, spec: MLPSpec, case: str, checks: Any) -> None:
    """One line of output; each check says whether a limit of the framework's own explains that it fails."""
    answer = {
        "case": case,
        "spec": spec.model_dump(mode="json"),
        "checks": [described(framework, mode, spec, check) for check in checks],
    }
    print(json.dumps(answer, default=float), flush=True)


def described(framework: str, mode: str, spec: MLPSpec, check: Check) -> dict[str, Any]:
    """A check as it is printed. An optimizer without slots whose steps are within rounding of nothing shows no gradient,
    and a coarse arithmetic has not digits enough for every state: that the kit refuses to certify them is right.
    """
    limit = limits.explaining(framework, mode, spec.model_dump(), check)
    theirs = limit.name if limit and not check.passed else ""
    refused = check.group == tolerances.CERTIFIABLE and (
        not spec.optimizer.slots or spec.precision in tolerances.COARSE
    )
    return dataclasses.asdict(check) | {"passed": check.passed, "theirs": theirs, "refused": refused}


def predictions(kit: Kit, spec: MLPSpec) -> str:
    """Hash of the predicted classes of the digits' test set after a few epochs from the same start."""
    digits, candidate = data.digits(), kit.candidate(spec)
    model = candidate.model
    model.load_state(initialisation.initial_state(spec))
    rng = np.random.default_rng(0)
    for _ in range(EPOCHS):
        order = rng.permutation(len(digits.y_train))
        for rows in np.split(order[: len(order) // spec.batch * spec.batch], len(order) // spec.batch):
            model.train_step(candidate.batch({"x": digits.x_train[rows], "y": digits.y_train[rows]}))
    test = candidate.batch({"x": digits.x_test, "y": digits.y_test})
    logits = kit.adapter.to_host(model.predict(test))
    return hashlib.sha256(logits.argmax(axis=1).astype(np.int64).tobytes()).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
