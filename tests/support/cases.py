"""Which of a model's cases are asked of an implementation: some by `make test`, all by `make prove`.

The cases are the model's own (`tests/support/MODEL/cases.py`): `NETWORK`, what is asked of every model, and `LAYERS`, what is
asked of a layer or an optimizer: once per framework, of the first model that has a case of this name. What a framework's training
shares is asked with its first model, too: of a later one `make test` tries few cases in the precision that is timed and everything of one;
in NumPy and PyTorch some more, and in float64 too, which in the others only `make prove` asks.
"""

import importlib
from types import ModuleType
from typing import Any

from implementations import registry
from implementations.catalogue import MODEL
from implementations.equivalence.tolerances import COARSE
from tests.support import ROOT

MODELS = tuple(
    name
    for name in sorted(registry.models(), key=lambda name: name != MODEL)
    if (ROOT / "tests" / "support" / name / "cases.py").is_file()
)
"""The models that are asked, the first one first."""

COMPILED = ("jax", "keras-tensorflow", "keras-jax")
"""Each case is compiled anew: `make test` tries the quick ones in float32, and of the others those of another shape."""

SLOW = (*COMPILED, "keras-torch")
"""Of the first model, too, `make test` tries the quick cases: Keras has one file for its backends."""

STEPS, FEWER_STEPS = 1000, 250
FULL = "in full"

EXAMPLES = {"numpy": 10, "numpy/tuned": 5, "torch": 5}
FEW_EXAMPLES = 2
"""Specifications made up at random: few where each of them takes long."""

MORE_TIMES, MORE_TIMES_OF_SLOW = 9, 3
"""As many specifications where all is asked, and where each takes long."""


def of(model: str) -> ModuleType:
    """A model's cases."""
    return importlib.import_module(f"tests.support.{model}.cases")


def models(implementation: str, precision: str = "") -> list[str]:
    """Those that are written in it; given a precision, those that `make test` asks in it: later models in float64 of NumPy and PyTorch alone."""
    framework, _, mode = implementation.partition("/")
    written = [
        name
        for name in MODELS
        if registry.not_written(name, framework) is None
        and (mode or "plain") in registry.modes(name, framework)
        and (framework, precision) not in registry.part(name, "spec").LACKING
    ]
    return written[:1] if precision == "float64" and implementation not in EXAMPLES else written


def implementations() -> list[str]:
    """Every framework of the registry, and again as `framework/mode` for its further modes."""
    names = registry.frameworks()
    modes = {name: [mode for mode in registry.MODES[1:] if models(f"{name}/{mode}")] for name in names}
    return names + [f"{name}/{mode}" for name in names for mode in modes[name]]


def asked_briefly(model: str, implementation: str) -> bool:
    """Whether an earlier model was asked what this framework's models share."""
    return implementation not in EXAMPLES and models(implementation).index(model) > 0


def is_compiled(implementation: str) -> bool:
    """Whether it takes seconds to make a model ready."""
    framework, _, mode = implementation.partition("/")
    return framework in COMPILED or (framework == "torch" and mode == "tuned")


def takes_long(implementation: str) -> bool:
    """Whether another specification takes long."""
    return is_compiled(implementation) or implementation in SLOW


def precisions(implementation: str) -> tuple[str, ...]:
    """In which `make test` proves it: a tuned mode in the one that is timed, and by `make prove` in both; bfloat16 on PyTorch."""
    if "/" in implementation:
        return ("float32",)
    return ("float64", "float32", *(("bfloat16",) if implementation == "torch" else ()))


def every(model: str, implementation: str) -> dict[str, dict[str, Any]]:
    """All of a model's cases, but for those of layers that an earlier model in this framework has."""
    written = models(implementation)
    earlier = {case for name in written[: written.index(model)] for case in of(name).LAYERS}
    return of(model).NETWORK | {case: how for case, how in of(model).LAYERS.items() if case not in earlier}


def chosen(model: str, implementation: str, precision: str, thorough: bool = False) -> dict[str, dict[str, Any]]:
    """What is tried in a precision: by `make prove` everything, in a tuned mode too. Not what is asked in full besides."""
    own, there = of(model), every(model, implementation)
    names = list(there)
    if not thorough:
        if asked_briefly(model, implementation):
            names = [own.QUICK[2], own.IN_FULL]
        elif takes_long(implementation):
            names = list(_of_compiled(own, implementation, precision))
        elif "/" in implementation:
            names = list(own.QUICK[:2])
        elif precision != "float32":
            names = list(own.QUICK)
        elif models(implementation).index(model):
            names = [*own.QUICK, *own.OF_ANOTHER_SHAPE]
    full = (own.IN_FULL,) if in_full(model, implementation, precision, thorough) else ()
    return {name: there[name] for name in names if name in there and name not in full}


def _of_compiled(own: ModuleType, implementation: str, precision: str) -> tuple[str, ...]:
    """One tiny network of each tuned mode; in float64 one of another kind than the one that is asked in full."""
    if "/" in implementation:
        return own.QUICK[:1] if implementation.partition("/")[0] in COMPILED else ()
    quick: tuple[str, ...] = own.QUICK
    return (*quick, *own.OF_ANOTHER_SHAPE) if precision == "float32" else quick[1:2]


def in_full(model: str, implementation: str, precision: str, thorough: bool = False) -> bool:
    """Whether everything is asked of one case, by `make test` of later models as they are timed, and where each case is compiled of the first
    model's plain mode alone. In float64 of PyTorch: what another framework does there, its steps show.
    """
    framework, _, mode = implementation.partition("/")
    if model == MODEL and not thorough:
        return (framework not in COMPILED or not mode) and (precision != "float64" or implementation == "torch")
    return thorough or (framework not in SLOW and precision == "float32")


def is_slow(implementation: str) -> bool:
    """Whether a step takes milliseconds, or long to compile, and another backend of the same file is asked for thousands of them."""
    return implementation.startswith(("keras-torch", "keras-jax"))


def lives_long(model: str, implementation: str, precision: str, thorough: bool = False) -> bool:
    """Whether thousands of steps are asked of one object, and runs over the places at which a small counter would give up: they show
    what a framework's training shares, so of the first model, as it is timed; of every model by `make prove`.
    """
    if thorough:
        return precision != "float64"
    return model == MODEL and precision == "float32" and not is_slow(implementation)


def runs(model: str, implementation: str, thorough: bool = False) -> dict[str, dict[str, Any]]:
    """The thousand steps that it must follow in float64: all by `make prove`, of every model; here the first of the first model's.

    None of NumPy, which is the oracle in float64; of Keras, whose steps in float64 are asked one by one, by `make prove` alone.
    """
    found: dict[str, dict[str, Any]] = of(model).RUNS
    is_asked = model == MODEL and implementation in ("torch", "jax", "cupy")
    return found if thorough else dict(list(found.items())[:is_asked])


def restarted_steps(implementation: str) -> int:
    """How many steps `make prove` follows one by one in float32; fewer where each takes long."""
    return FEWER_STEPS if takes_long(implementation) else STEPS


def examples(model: str, implementation: str, precision: str, thorough: bool = False) -> int:
    """How many specifications made up at random: none in a coarse arithmetic, which has not digits enough for many of them.

    Where each has to be compiled, `make test` tries one, in the precision that is timed; of later models it tries some in that alone,
    and in float64 none of NumPy, which is the oracle there.
    """
    if precision in COARSE or (not thorough and precision == "float64" and implementation == "numpy"):
        return 0
    count = EXAMPLES.get(implementation, 1 if "/" in implementation else FEW_EXAMPLES)
    if thorough:
        return count * (MORE_TIMES_OF_SLOW if takes_long(implementation) else MORE_TIMES)
    if models(implementation).index(model):
        return FEW_EXAMPLES if implementation in EXAMPLES and precision == "float32" else 0
    if takes_long(implementation):
        return int(precision == "float32" and "/" not in implementation)
    return count
