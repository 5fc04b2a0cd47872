"""Plants faults in the text of an implementation and asks the kit what it notices.

`python -m tests.mutation.planting FRAMEWORK PRECISION [all|needed]` prints one JSON line per fault: what notices it, the
first thing or, with `all`, everything; with `needed`, only of faults that show in this precision alone. A process of its own per framework. The framework `oracle` is NumPy, judged by an
oracle with the fault in it; `cupy` runs on its stand-in.
"""

import hashlib
import importlib
import json
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from implementations import limits, registry
from implementations.contract import Arrays, OracleClass
from implementations.equivalence.kit import Kit
from implementations.equivalence.oracle import oracle_of
from implementations.equivalence.proof import Candidate
from implementations.equivalence.repetition import Repetition, Start
from implementations.equivalence.tolerances import Check
from implementations.mlp import mlp_numpy
from implementations.mlp.spec import MLPSpec
from tests.mutation import faults
from tests.mutation.faults import Edits, Fault
from tests.support import ROOT, adapters
from tests.support.cupy import numpy_stand_in

FOLDER = ROOT / "implementations" / "mlp"
ORACLE = "oracle"
ORACLES_MODULE = "implementations.equivalence.oracle"
FRAMEWORKS = ("numpy", ORACLE, "cupy", "torch", "keras-tensorflow", "keras-torch", "keras-jax", "jax")


def main(framework: str, precision: str, mode: str = "first") -> None:
    """Every fault of this framework, and the clean implementation, under every specification, by the name ""."""
    prepare(framework, precision)
    if framework != ORACLE:
        remember_yardsticks()
    others = {str(fault.spec): fault.spec for fault in faults.FAULTS} if mode != "first" else {}
    for spec in [{}, *others.values()]:  # nothing planted: nothing to be noticed
        tell("", framework, precision, noticed(framework, (), spec, precision, everything=True))
    for fault in of(framework):
        if fault.precision == precision or (not fault.precision and mode != "needed"):
            checks = noticed(framework, edits_of(framework, fault), fault.spec, precision, mode != "first", fault.steps)
            tell(fault.name, framework, precision, checks)


def of(framework: str) -> list[Fault]:
    """The faults that are planted in a framework."""
    there = faults.edits(family_of(framework))
    absent = faults.not_the_oracles() if framework == ORACLE else {}
    return [fault for fault in faults.FAULTS if fault.name in there and fault.name not in absent]


def family_of(framework: str) -> str:
    """Whose text is changed."""
    return "numpy" if framework == ORACLE else registry.FAMILIES[framework]


def edits_of(framework: str, fault: Fault) -> Edits:
    """The changes of that text."""
    return faults.edits(family_of(framework))[fault.name]


def planted(family: str, edits: Edits) -> types.ModuleType:
    """The family's page with these changes in it, in its layers or in its training."""
    *_, page = loaded(changed(family, edits))
    return page


def planted_oracle(edits: Edits) -> OracleClass:
    """The oracle of NumPy's page with these changes in it; its own file, which imports the same layers, as it is."""
    *_, page, oracle = loaded(changed("numpy", edits) | {ORACLES_MODULE: text_of(ORACLES_MODULE)})
    return cast(OracleClass, oracle.oracle_of(page.MLP))


def changed(family: str, edits: Edits) -> dict[str, str]:
    """The texts of a family's modules with these changes in them."""
    texts = {name: text_of(name) for name in modules_of(family)}
    for old, new in edits:
        holders = [name for name, text in texts.items() for _ in range(text.count(old))]
        assert len(holders) == 1, (
            f"{', '.join(holders) or 'no file'} of {family} holds, and one should hold once:\n{old}"
        )
        texts[holders[0]] = texts[holders[0]].replace(old, new)
    return texts


def text_of(module: str) -> str:
    """What stands in a module's file."""
    return (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


def modules_of(family: str) -> list[str]:
    """Every module of a family's plain implementation, each after those that it imports: layers, training, the page."""
    layers = sorted((ROOT / "implementations" / "layers").glob(f"*/*_{family}.py"))
    training = sorted((ROOT / "implementations" / "training").glob(f"*_{family}.py"))
    paths = [*layers, *training, ROOT / "implementations" / "mlp" / f"mlp_{family}.py"]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]


def loaded(texts: Mapping[str, str]) -> list[types.ModuleType]:
    """These modules, as if their files held these texts; whoever imported the real ones keeps them."""
    modules: list[types.ModuleType] = []
    real: list[tuple[str, types.ModuleType | None]] = []
    try:
        for name, text in texts.items():
            package, _, stem = name.rpartition(".")
            real.append((name, sys.modules.get(name)))
            module = module_of(ROOT / f"{name.replace('.', '/')}.py", text)
            sys.modules[name] = module
            setattr(importlib.import_module(package), stem, module)
            modules.append(module)
        return modules
    finally:
        for name, original in real:
            package, _, stem = name.rpartition(".")
            del sys.modules[name]
            delattr(importlib.import_module(package), stem)
            if original is not None:
                sys.modules[name] = original
                setattr(importlib.import_module(package), stem, original)


def module_of(path: Path, text: str) -> types.ModuleType:
    """A module as if its file held this text."""
    module = types.ModuleType(f"planted_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # classes look their module up
    exec(compile(text, path.name, "exec"), module.__dict__)
    return module


def prepare(framework: str, precision: str) -> None:
    """Import the framework; the check of float64 may need it patched."""
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
    """The kit on an implementation with a fault in it."""

    def __init__(self, framework: str, edits: Edits) -> None:
        states, self.device = registry.part("mlp", "extremes"), "cpu"
        self.extremes, self.poisoned = states.extremes, states.poisoned
        if framework == ORACLE:
            self.model_class, self.oracle_class = mlp_numpy.MLP, planted_oracle(edits)
        else:
            self.model_class, self.oracle_class = planted(family_of(framework), edits).MLP, oracle_of(mlp_numpy.MLP)
        if framework == "cupy":
            self.adapter: Any = types.SimpleNamespace(
                to_device=lambda array, device: numpy_stand_in.on_device(np.array(array)), to_host=np.array
            )
            self.device = "cuda:0"
        else:
            self.adapter = registry.adapter("numpy" if framework == ORACLE else framework)


def noticed(
    framework: str, edits: Edits, changes: dict[str, Any], precision: str, everything: bool, steps: int = 0
) -> list[str]:
    """What the kit notices, as `check: group`. The first thing, or everything of a kind. A fault must give wrong results:
    one that raises is itself wrong.

    The kinds: steps from ordinary starts, from extreme ones, what takes many steps. The next is asked where the one before
    shows nothing. Given a number of steps, a run of that many is all that is asked.
    """
    failed: dict[str, None] = {}
    spec = MLPSpec().changed(**faults.SIZE | changes, precision=precision)
    values = spec.model_dump(mode="json")
    kit = PlantedKit(framework, edits)
    candidate = kit.candidate(spec)
    for kind in [lambda: kit.trajectory(candidate, steps)] if steps else kinds(kit, candidate):
        for check in kind():
            if not check.passed and not limits.explaining(framework, "plain", values, check):
                failed[f"{check.check}: {check.group}"] = None
                if not everything:
                    return list(failed)
        if failed:
            break
    return list(failed)


def kinds(kit: Kit, candidate: Candidate) -> list[Callable[[], Iterable[Check]]]:
    """All that is asked of an implementation, but for the device."""
    spec = candidate.spec
    return [
        lambda: of_steps(kit, candidate, kit.starts(spec)),
        lambda: of_steps(kit, candidate, kit.stress_starts(spec)),
        lambda: kit.beyond_a_step(candidate),
    ]


def of_steps(kit: Kit, candidate: Candidate, starts: list[Start]) -> Iterator[Check]:
    """Start by start, so that what is noticed first ends it."""
    for start in starts:
        yield from kit.steps(candidate, [start])


def tell(fault: str, framework: str, precision: str, checks: list[str]) -> None:
    """One line of output."""
    print(json.dumps({"fault": fault, "framework": framework, "precision": precision, "noticed": checks}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
