"""What every implementation of the MLP must get right: the specifications it is proved on, and the runs it must follow."""

from typing import Any

NETWORK: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "one wide, one narrow layer": {"hidden": (70, 9), "dropout": 0.5, "batch": 33},
    "three layers without batch norm": {"hidden": (16, 17, 18), "batch_norm": False},
    "no hidden layer": {"hidden": (), "dropout": 0.0},
    "no dropout": {"dropout": 0.0},
    "adamw": {"optimizer": {"kind": "adamw", "weight_decay": 0.1}},
    "two samples": {"batch": 2, "hidden": (8,)},
    "more classes than a byte holds": {"classes": 300, "hidden": (8,)},
}

LAYERS: dict[str, dict[str, Any]] = {
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
}
"""Of a layer or the optimizer: a later model in the same framework is not asked again (`tests/support/cases.py`)."""

CASES = NETWORK | LAYERS

IN_FULL = "adamw"
"""The case of which everything is asked that the kit asks; of the others, a step and a prediction from every start."""

QUICK = ("as it comes", "three layers without batch norm", "adam, epsilon hat", "adamw", "two samples")
"""Where a case proves nothing new, these; in float32 these from extreme states too."""

OF_ANOTHER_SHAPE = ("no hidden layer", "biased running variance", "more classes than a byte holds")

SMALL = {"features": 24, "hidden": (32, 32), "batch": 32}
"""Unless a case says otherwise: small, so that the whole kit runs in seconds."""

RUNS: dict[str, dict[str, Any]] = {
    "adamw": CASES["adamw"],
    "sgd": {},
    "adam": {"optimizer": {"kind": "adam"}},
}
"""Followed for many steps; where that is slow, the first."""

LEARNING = {"dropout": 0.0, "batch": 64}
"""The first preset with these changes learns the model's own data, and predicts the same in every framework."""
