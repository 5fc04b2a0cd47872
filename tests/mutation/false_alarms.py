"""One framework in one precision: real shapes, seeds of its own, and errors over thirty seeds, as JSON lines.

`python -m tests.mutation.false_alarms torch float32 mlp`. The shapes and networks are the model's own
(`tests/support/MODEL/cases.py`). A process of its own, because no process may hold two frameworks.
"""

import json
import sys
from typing import Any

import numpy as np

from implementations import limits, registry
from implementations.catalogue import MODEL
from implementations.equivalence import proof
from implementations.equivalence.kit import Kit
from implementations.equivalence.tolerances import Check
from tests.mutation.scaling import Errors
from tests.support import adapters, cases

STRESSED = 5
"""From extreme states too: every so manieth seed."""

SCALING_SEEDS = 30


def main(framework: str, precision: str, model: str = MODEL, seeds: str = "") -> None:
    """All of it."""
    kit, own = adapters.kit(framework, precision, model=model), cases.of(model)
    count = int(seeds or own.SEEDS)
    tell("errors", framework, precision, model, medians=errors(kit, precision, model))
    tell("seeds", framework, precision, model, seeds=count, **false_alarms(kit, framework, precision, model, count))
    for shape, changes in own.SHAPES.items():
        spec = specification(model, precision, changes)
        candidate = kit.candidate(spec)
        tell("shape", framework, precision, model, shape=shape, **summed_up(kit.steps(candidate, kit.starts(spec))))


def specification(model: str, precision: str, changes: dict[str, Any]) -> Any:
    """The model's default with these changes."""
    return registry.part(model, "spec").Spec().changed(**changes, precision=precision)


def errors(kit: Kit, precision: str, model: str) -> dict[str, tuple[float, float]]:
    """Of tensors of a hundred elements or more, over seeds, against the oracle in more digits than are judged."""
    spec = specification(model, precision, cases.of(model).MEASURED)
    candidate, found = kit.candidate(spec), Errors()
    oracle = kit.oracle_class(spec, np.longdouble if precision == "float64" else np.float64)
    for seed in range(1, SCALING_SEEDS + 1):
        found.add(candidate, oracle, kit.starts(spec, seed)[1])
    return found.medians()


def false_alarms(kit: Kit, framework: str, precision: str, model: str, count: int) -> dict[str, Any]:
    """Steps from a hot state and from zeroed slots, over seeds: what failed, and how near to failing the rest came."""
    checks, networks = list[Check](), cases.of(model).SEEDED
    first = 1 + count * (2 * list(registry.FAMILIES).index(framework) + (precision == "float64"))
    for k, changes in enumerate(networks):
        spec = specification(model, precision, cases.of(model).SMALL | changes)
        candidate, values = kit.candidate(spec), spec.model_dump(mode="json")
        for seed in range(first + k, first + count, len(networks)):
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


def tell(kind: str, framework: str, precision: str, model: str, **values: Any) -> None:
    """One line of output."""
    which = {"kind": kind, "framework": framework, "precision": precision, "model": model}
    print(json.dumps(which | values), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
