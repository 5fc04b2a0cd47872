"""Runs all cases on one framework in one process: `python -m tests.conformance.kit torch float64`.

Prints one JSON object per line: {"case": ..., "checks": [...]} for a proof or a run, {"predictions": sha256} for a
training on the digits. A process of its own, because no process may hold two frameworks.
"""

import dataclasses
import hashlib
import json
import sys
from typing import Any

import numpy as np

from implementations import data, registry
from implementations.equivalence import gates, precision, proof
from implementations.mlp import oracle, parameters
from implementations.mlp.spec import MLPSpec
from tests.conformance.cases import CASES, EPOCHS, RUNS, SMALL, STEPS


def main(framework: str, number_type: str) -> None:
    """All cases in one precision; in float64 the long runs and the digits too."""
    adapter = registry.adapter(framework)
    adapter.start(1)
    if number_type == "float64" and hasattr(adapter, "use_float64"):
        adapter.use_float64()
    kit = Kit(framework, adapter, adapter.devices()[-1])
    for case, changes in CASES.items():
        tell(case=case, checks=kit.steps(MLPSpec().changed(**SMALL | changes, precision=number_type)))
    tell(
        case="effective precision", checks=[precision.check(number_type, precision.kept_bits(number_type, kit.product))]
    )
    if number_type == "float64":
        for case, changes in RUNS.items():
            tell(
                case=f"{STEPS} steps, {case}", checks=kit.run(MLPSpec().changed(**SMALL | changes, precision="float64"))
            )
        tell(predictions=kit.predictions(MLPSpec().changed(precision="float64", dropout=0.0, batch=64)))


def tell(**answer: Any) -> None:
    """One line of output."""
    if "checks" in answer:
        answer["checks"] = [dataclasses.asdict(check) | {"passed": check.passed} for check in answer["checks"]]
    print(json.dumps(answer, default=float), flush=True)


class Kit:
    """One framework under proof."""

    def __init__(self, framework: str, adapter: Any, device: str) -> None:
        self.model_class, self.adapter, self.device = registry.model_class("mlp", framework), adapter, device

    def candidate(self, spec: MLPSpec) -> proof.Candidate:
        return proof.Candidate(self.model_class(spec, self.device), spec, self.to_device, self.adapter.to_host)

    def to_device(self, array: np.ndarray) -> Any:
        return self.adapter.to_device(array, self.device)

    def product(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self.adapter.to_host(self.adapter.matrix_product(self.to_device(a), self.to_device(b)))

    def steps(self, spec: MLPSpec) -> list[gates.Check]:
        hot, (x, y) = parameters.hot_state(spec), parameters.batches(spec, 1)[0]
        starts = [
            proof.Start("hot state", hot, x, y),
            proof.Start(gates.ZEROED, parameters.zeroed_slots(spec, hot), x, y),
        ]
        return proof.prove(self.candidate(spec), oracle.Oracle(spec), starts)

    def run(self, spec: MLPSpec) -> list[gates.Check]:
        hot, batches = parameters.hot_state(spec), parameters.batches(spec, 8)
        start = proof.Start("free run", hot, *batches[0])
        return proof.free_run(self.candidate(spec), oracle.Oracle(spec), start, batches, STEPS)

    def predictions(self, spec: MLPSpec) -> str:
        """Hash of the predicted classes of the digits' test set after a few epochs from the same start."""
        digits, model = data.digits(), self.model_class(spec, self.device)
        model.load_state(parameters.initial_state(spec))
        rng = np.random.default_rng(0)
        for _ in range(EPOCHS):
            order = rng.permutation(len(digits.y_train))
            for rows in np.split(order[: len(order) // spec.batch * spec.batch], len(order) // spec.batch):
                x, y = digits.x_train[rows].astype(np.float64), digits.y_train[rows]
                model.train_step(self.to_device(x), self.to_device(y))
        logits = self.adapter.to_host(model.predict(self.to_device(digits.x_test.astype(np.float64))))
        return hashlib.sha256(logits.argmax(axis=1).astype(np.int64).tobytes()).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
