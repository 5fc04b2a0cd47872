"""What every implementation of the MLP must get right: the specifications it is proved on, and the runs it must follow."""

from typing import Any

from implementations.equivalence.tolerances import COARSE

CASES: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "one wide, one narrow layer": {"hidden": (70, 9), "dropout": 0.5, "batch": 33},
    "three layers without batch norm": {"hidden": (16, 17, 18), "batch_norm": False},
    "no hidden layer": {"hidden": (), "dropout": 0.0},
    "no dropout": {"dropout": 0.0},
    "gradient descent without momentum": {"optimizer": {"kind": "sgd", "momentum": 0.0}},
    "other constants": {
        "norm_epsilon": 1e-2,
        "norm_momentum": 0.7,
        "optimizer": {"kind": "sgd", "learning_rate": 0.3, "momentum": 0.5},
    },
    "biased running variance": {"running_variance": "biased", "batch": 5},
    "adam": {"optimizer": {"kind": "adam"}},
    "adam, other constants": {
        "optimizer": {"kind": "adam", "learning_rate": 0.01, "beta1": 0.7, "beta2": 0.9, "epsilon": 1e-3}
    },
    "adam, steps larger than what rounding does to a weight": {"optimizer": {"kind": "adam", "learning_rate": 1.0}},
    "adam without memory": {"optimizer": {"kind": "adam", "beta1": 0.0, "beta2": 0.0}, "seed": 2**31 - 1},
    "adam, epsilon hat": {"optimizer": {"kind": "adam", "epsilon": 1e-4, "epsilon_form": "hat"}},
    "adamw": {"optimizer": {"kind": "adamw", "weight_decay": 0.1}},
    "two samples": {"batch": 2, "hidden": (8,)},
    "more classes than a byte holds": {"classes": 300, "hidden": (8,)},
}

IN_FULL = "adamw"
"""The case of which everything is asked that the kit asks; of the others, a step and a prediction from every start."""

QUICK = ("as it comes", "three layers without batch norm", "adam, epsilon hat", "adamw", "two samples")
"""Where a case proves nothing new, these; in float32 these from extreme states too."""

COMPILED = ("jax", "keras-tensorflow", "keras-jax")
"""Each case is compiled anew: `make test` tries the quick ones in float32, and of the others those of another shape."""

OF_ANOTHER_SHAPE = ("no hidden layer", "biased running variance", "more classes than a byte holds")

SMALL = {"features": 24, "hidden": (32, 32), "batch": 32}
"""Unless a case says otherwise: small, so that the whole kit runs in seconds."""

RUNS: dict[str, dict[str, Any]] = {
    "sgd": {},
    "adam": {"optimizer": {"kind": "adam"}},
    "adamw": {"optimizer": {"kind": "adamw"}},
}
STEPS = 1000
EPOCHS = 5

EXAMPLES = {"numpy": 10, "numpy/tuned": 10, "torch": 10}
FEW_EXAMPLES = 2
"""Specifications made up at random: few where each of them has to be compiled."""

MORE_TIMES = 9
"""As many specifications where all is asked."""


def precisions(implementation: str) -> tuple[str, ...]:
    """In which `make test` proves it: a tuned mode in the one that is timed, and by `make prove` in both; bfloat16 on PyTorch."""
    if "/" in implementation:
        return ("float32",)
    return ("float64", "float32", *(("bfloat16",) if implementation == "torch" else ()))


def cases(implementation: str, precision: str, thorough: bool = False) -> dict[str, dict[str, Any]]:
    """What is tried in a precision: by `make prove` everything, in a tuned mode too."""
    if thorough:
        return CASES
    if "/" in implementation or (implementation in COMPILED and precision != "float32"):
        return {name: CASES[name] for name in QUICK[:2]}
    if implementation in COMPILED:
        return {name: CASES[name] for name in (*QUICK, *OF_ANOTHER_SHAPE)}
    return CASES if precision == "float32" else {name: CASES[name] for name in QUICK}


def in_full(implementation: str, thorough: bool = False) -> bool:
    """Whether everything is asked of one case: of tuned modes that compile by `make prove` alone, for it takes them a minute."""
    framework, _, mode = implementation.partition("/")
    return thorough or not (mode and framework in COMPILED)


def runs(implementation: str, thorough: bool = False) -> dict[str, dict[str, Any]]:
    """The thousand steps that it must follow in float64; where they are slow, one of them, and all by `make prove`."""
    return RUNS if thorough or implementation in ("numpy", "torch") else {"adamw": RUNS["adamw"]}


def examples(implementation: str, precision: str, thorough: bool = False) -> int:
    """How many specifications made up at random: none in a coarse arithmetic, which has not digits enough for many of them."""
    if precision in COARSE:
        return 0
    count = EXAMPLES.get(implementation, 1 if "/" in implementation else FEW_EXAMPLES)
    return count * (MORE_TIMES if thorough else 1)
