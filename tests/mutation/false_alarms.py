"""One framework in one precision: real shapes, seeds of its own, and errors over thirty seeds, as JSON lines.

`python -m tests.mutation.false_alarms torch float32`. A process of its own, because no process may hold two frameworks.
"""

import json
import sys
from typing import Any

import numpy as np

from implementations import limits, registry
from implementations.equivalence import proof
from implementations.equivalence.kit import Kit
from implementations.equivalence.scaling import Errors
from implementations.equivalence.tolerances import Check
from implementations.mlp.spec import MLPSpec
from tests.support import adapters
from tests.support.mlp.cases import SMALL

SMALLEST = "3-2-3-2, batch 2"
SHAPES: dict[str, dict[str, Any]] = {
    "64-128-128-10, batch 128 (digits)": {},
    "64-128-128-10, batch 2048": {"batch": 2048},
    "784-512-512-10, batch 128 (mnist)": {"features": 784, "hidden": (512, 512)},
    "784-2048-2048-10, batch 128": {"features": 784, "hidden": (2048, 2048)},
    "17-70-9-33-10, batch 257": {"features": 17, "hidden": (70, 9, 33), "batch": 257, "dropout": 0.5},
    SMALLEST: {"features": 3, "hidden": (2, 3), "classes": 2, "batch": 2},
    "64-128-128-10, batch 128, AdamW": {"optimizer": {"kind": "adamw"}},
}

NETWORKS: list[dict[str, Any]] = [
    {},
    {"optimizer": {"kind": "adamw"}, "hidden": (40, 24)},
    {"optimizer": {"kind": "adam", "beta2": 0.99}, "batch_norm": False, "dropout": 0.5},
    {"features": 5, "hidden": (3, 8, 2), "classes": 2, "batch": 7, "running_variance": "unbiased"},
]
"""The seeds are spread over these."""

SEEDS = 250
"""Of each framework in each precision, and no other's."""

STRESSED = 5
"""From extreme states too: every so manieth seed."""

SCALING_SEEDS = 30


def main(framework: str, precision: str, seeds: str = "") -> None:
    """All of it."""
    kit = adapters.kit(framework, precision)
    count = int(seeds or SEEDS)
    tell("errors", framework, precision, rms=errors(kit, precision))
    tell("seeds", framework, precision, seeds=count, **false_alarms(kit, framework, precision, count))
    for shape, changes in SHAPES.items():
        spec = MLPSpec().changed(**changes, precision=precision)
        candidate = kit.candidate(spec)
        tell("shape", framework, precision, shape=shape, **summed_up(kit.steps(candidate, kit.starts(spec))))


def errors(kit: Kit, precision: str) -> dict[str, tuple[float, float]]:
    """Of tensors of a hundred elements or more, over seeds, against the oracle in more digits than are judged."""
    spec = MLPSpec().changed(precision=precision)
    candidate, summed = kit.candidate(spec), Errors()
    oracle = kit.oracle_class(spec, np.longdouble if precision == "float64" else np.float64)
    for seed in range(1, SCALING_SEEDS + 1):
        summed.add(candidate, oracle, kit.starts(spec, seed)[1])
    return summed.rms()


def false_alarms(kit: Kit, framework: str, precision: str, count: int) -> dict[str, Any]:
    """Steps from a hot state and from zeroed slots, over seeds: what failed, and how near to failing the rest came."""
    checks: list[Check] = []
    first = 1 + count * (2 * list(registry.FAMILIES).index(framework) + (precision == "float64"))
    for k, changes in enumerate(NETWORKS):
        spec = MLPSpec().changed(**SMALL | changes, precision=precision)
        candidate, values = kit.candidate(spec), spec.model_dump(mode="json")
        for seed in range(first + k, first + count, len(NETWORKS)):
            stress = kit.stress_starts(spec, seed) if seed % STRESSED == 0 else []
            checks += [
                check
                for check in kit.steps(candidate, [*kit.starts(spec, seed), *stress])
                if check.passed or not limits.explaining(framework, "plain", values, check)
            ]
    return summed_up(checks)


def summed_up(checks: list[Check]) -> dict[str, Any]:
    """The worst error over budget by group, the failures, and the choices that were adopted."""
    worst: dict[str, float] = {}
    for check in checks:
        if check.budget and check.group != proof.FLIPS:
            worst[check.group] = max(worst.get(check.group, 0.0), check.excess)
    failed = [f"{c.check}, {c.group}: {c.tensor} {c.error:.3g} > {c.budget:.3g}" for c in checks if not c.passed]
    flips = sum(int(check.error) for check in checks if check.group == proof.FLIPS)
    return {"checks": len(checks), "failed": failed, "worst": worst, "flips": flips}


def tell(kind: str, framework: str, precision: str, **values: Any) -> None:
    """One line of output."""
    print(json.dumps({"kind": kind, "framework": framework, "precision": precision, **values}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
