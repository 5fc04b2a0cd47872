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

EPOCHS = 5
"""Of that learning."""

SMALLEST = "3-2-3-2, batch 2"
"""Not asked of a framework in a coarse precision: its biases are rounded too, which counts beside 2 or 3 terms."""

SHAPES: dict[str, dict[str, Any]] = {
    "64-128-128-10, batch 128 (digits)": {},
    "64-128-128-10, batch 2048": {"batch": 2048},
    "784-512-512-10, batch 128 (mnist)": {"features": 784, "hidden": (512, 512)},
    "784-2048-2048-10, batch 128": {"features": 784, "hidden": (2048, 2048)},
    "17-70-9-33-10, batch 257": {"features": 17, "hidden": (70, 9, 33), "batch": 257, "dropout": 0.5},
    SMALLEST: {"features": 3, "hidden": (2, 3), "classes": 2, "batch": 2},
    "64-128-128-10, batch 128, AdamW": {"optimizer": {"kind": "adamw"}},
}
"""Real ones and odd ones."""

SEEDED: list[dict[str, Any]] = [
    {},
    {"optimizer": {"kind": "adamw"}, "hidden": (40, 24)},
    {"optimizer": {"kind": "adam", "beta2": 0.99}, "batch_norm": False, "dropout": 0.5},
    {"features": 5, "hidden": (3, 8, 2), "classes": 2, "batch": 7, "running_variance": "unbiased"},
]
"""Networks over which the seeds are spread that look for false alarms."""

SEEDS = 84
"""Of each framework in each precision, and no other's: a thousand together."""

MEASURED = {"batch": 128}
"""Of the default network, whose errors are taken: a step in 80-bit arithmetic takes little time at so many samples."""
