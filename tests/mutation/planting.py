"""Plants mistakes in an implementation and asks the kit what it notices.

`python -m tests.mutation.planting FRAMEWORK PRECISION [first|all|needed|own|some] [MODEL]` prints one JSON line per fault: what
notices it, the first thing or, with `all`, everything; with `needed`, only of faults that show in this precision alone; with `own`,
the first thing, and only of what the first model does not have; with `some`, of one in three of these. A
process of its own per framework. The framework `oracle` is NumPy, judged by an oracle with the mistake in it; `cupy` runs on
its stand-in.
"""

import hashlib
import json
import os
import sys
import types
from typing import Any, cast

import numpy as np

from implementations import limits, mistakes, registry
from implementations.catalogue import MODEL
from implementations.contract import Arrays
from implementations.declarations import Mistake
from implementations.equivalence.kit import ROUND, Kit
from implementations.equivalence.oracle import oracle_of
from implementations.equivalence.proof import Candidate
from implementations.equivalence.repetition import Repetition
from implementations.equivalence.tolerances import Check
from implementations.training.training_numpy import Model as NumpyModel
from tests.mutation import faults
from tests.mutation.faults import Fault
from tests.support import adapters
from tests.support.cupy import numpy_stand_in

ORACLE = "oracle"
ALL, BUT_ITS_LIFE = 99, 4
"""Parts of the proof."""

FRAMEWORKS = ("numpy", ORACLE, "cupy", "torch", "keras-tensorflow", "keras-torch", "keras-jax", "jax")


def main(framework: str, precision: str, mode: str = "first", model: str = MODEL) -> None:
    """Every fault of this framework; and, by the name "", the clean implementation under the same specifications, as far as any
    fault was asked there.
    """
    prepare(framework, precision)
    if framework != ORACLE:
        remember_yardsticks()
    everything = mode in ("all", "needed")
    asked = [
        fault
        for fault in {"own": own, "some": some}.get(mode, of)(framework, model)
        if fault.precision == precision or (not fault.precision and mode != "needed")
    ]
    made = {mistake.name: mistake for mistake in mistakes.of_model(model)}
    specs: dict[str, tuple[dict[str, Any], int]] = {}
    for fault in asked:
        checks, parts = noticed(framework, made[fault.name], fault.spec, precision, everything, fault.steps, model)
        tell(fault.name, framework, precision, checks)
        specs[str(fault.spec)] = fault.spec, max(parts, specs.get(str(fault.spec), ({}, 0))[1])
    clean = {str(spec): (spec, parts) for spec, parts in specs.values() if everything}
    clean["{}"] = {}, ALL if everything else BUT_ITS_LIFE
    for spec, parts in clean.values():  # nothing planted: nothing to be noticed
        checks, _ = noticed(framework, None, spec, precision, everything=True, model=model, most=parts)
        tell("", framework, precision, checks)


def of(framework: str, model: str = MODEL) -> list[Fault]:
    """The faults that are planted in a framework."""
    table, family = faults.table(model), family_of(framework)
    there = {mistake.name for mistake in mistakes.of_model(model) if isinstance(mistake.change(family), tuple)}
    absent = table.NOT_THE_ORACLES if framework == ORACLE else table.NOT_ON.get(framework, {})
    return [fault for fault in table.FAULTS if fault.name in there and fault.name not in absent]


def own(framework: str, model: str) -> list[Fault]:
    """Those of a model that the first one does not have, which asks the others of the same files."""
    return [fault for fault in of(framework, model) if fault in faults.own(model)]


def some(framework: str, model: str) -> list[Fault]:
    """One in three of these, from the beginning to the end of the table."""
    return own(framework, model)[::3]


def family_of(framework: str) -> str:
    """Whose text is changed."""
    return "numpy" if framework == ORACLE else registry.FAMILIES[framework]


def prepare(framework: str, precision: str) -> None:
    """Import the framework, which need not compile a mistake well; the check of float64 may need it patched."""
    os.environ |= adapters.compiled_quickly(framework)
    adapters.prepared("numpy" if framework in (ORACLE, "cupy") else framework, precision)
    if framework == "cupy":
        sys.modules["cupy"] = numpy_stand_in.generous()


def remember_yardsticks() -> None:
    """Most faults are asked from the same starts with the same masks: what the oracle strays there is computed once.

    Not where the oracle itself holds the fault.
    """
    compute, known = Repetition.strayed, {}

    def strayed(self: Repetition, expected: Arrays, active: Arrays, runs: int, **how: bool) -> Any:
        digest = hashlib.sha256(repr((self.spec, self.arithmetic, self.trains, runs, how, self.start.extreme)).encode())
        for arrays in (self.start.state, self.start.batch, self.masks, active, expected):
            for name, value in arrays.items():
                digest.update(name.encode() + np.asarray(value).tobytes())
        key = digest.digest()
        if key not in known:
            known[key] = compute(self, expected, active, runs, **how)
        return known[key]

    # In this process alone; the key is all that the answer depends on, but the oracle's code.
    Repetition.strayed = strayed  # type: ignore[method-assign, assignment]  # options are handed on as they come


class PlantedKit(Kit):
    """The kit on an implementation with a mistake in it, or with none."""

    def __init__(self, framework: str, mistake: Mistake | None, model: str = MODEL) -> None:
        self.states, self.device = registry.part(model, "extremes"), "cpu"
        in_numpy = registry.model_class(model, "numpy")
        if framework == ORACLE:
            self.model_class, self.oracle_class = in_numpy, mistakes.planted_oracle(model, mistake)
        else:
            self.shared = adapters.shared()
            page = mistakes.planted(model, family_of(framework), mistake)
            self.model_class = getattr(page, registry.part(model, "spec").CLASS)
            self.oracle_class = oracle_of(cast(type[NumpyModel], in_numpy))
        if framework == "cupy":
            self.adapter: Any = types.SimpleNamespace(
                to_device=lambda array, device: numpy_stand_in.on_device(np.array(array)), to_host=np.array
            )
            self.device = "cuda:0"
        else:
            self.adapter = registry.adapter("numpy" if framework == ORACLE else framework)

    def precision(self, name: str) -> list[Check]:
        """Not asked: a mistake is none of the device's."""
        return []

    def determinism(self, candidate: Candidate) -> list[Check]:
        """Nor that, whose settings would stay on."""
        return []


def noticed(
    framework: str,
    mistake: Mistake | None,
    changes: dict[str, Any],
    precision: str,
    everything: bool,
    steps: int = 0,
    model: str = MODEL,
    most: int = ALL,
) -> tuple[list[str], int]:
    """What the kit notices, as `check: group`: the first thing, or everything of a kind. And how many parts of the proof were asked: the
    next where the one before shows nothing, at `most` so many.

    A fault must give wrong results: one that raises is itself wrong. Given a number of steps, a run of that many is all that is asked.
    """
    failed: dict[str, None] = {}
    spec = registry.part(model, "spec").Spec().changed(**faults.table(model).SIZE | changes, precision=precision)
    values = spec.model_dump(mode="json")
    kit = PlantedKit(framework, mistake, model)
    if mistake is None and changes:
        kit.steps_of_life = ROUND  # thousands are made of the first, and of all cases without a fault
    candidate = kit.candidate(spec)
    asked = 0
    for asked, part in enumerate([kit.trajectory(candidate, steps)] if steps else kit.parts(candidate), start=1):
        for check in part:
            if not check.passed and not limits.explaining(framework, "plain", values, check):
                failed[f"{check.check}: {check.group}"] = None
                if not everything:
                    return list(failed), asked
        if failed or asked == most:
            break
    return list(failed), ALL if steps else asked


def tell(fault: str, framework: str, precision: str, checks: list[str]) -> None:
    """One line of output."""
    print(json.dumps({"fault": fault, "framework": framework, "precision": precision, "noticed": checks}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
