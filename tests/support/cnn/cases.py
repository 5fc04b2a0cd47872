"""What every implementation of the CNN must get right: the specifications it is proved on, and the runs it must follow."""

from typing import Any

NETWORK: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "three channels, as many in as out": {"image": (10, 7, 3), "channels": (5, 5), "hidden": (6,), "batch": 9},
    "odd sides without batch norm": {"image": (9, 11, 2), "batch_norm": False, "hidden": (7, 5)},
    "no dense block": {"image": (9, 11, 2), "channels": (4,), "hidden": ()},
    "no convolution": {"channels": (), "hidden": (9, 8)},
    "no dropout": {"dropout": 0.0},
    "adamw": {"optimizer": {"kind": "adamw", "weight_decay": 0.1}},
    "three blocks": {"image": (9, 17, 2), "channels": (3, 4, 5), "batch": 5},
    "two images of four pixels": {"image": (2, 2, 1), "channels": (3,), "batch": 2},
}

LAYERS: dict[str, dict[str, Any]] = {}
"""Of a layer or the optimizer: those of the perceptron's are asked there (`tests/support/cases.py`)."""

CASES = NETWORK | LAYERS

IN_FULL = "adamw"
"""The case of which everything is asked that the kit asks; of the others, a step and a prediction from every start."""

QUICK = ("as it comes", "odd sides without batch norm", "three channels, as many in as out", "adamw")
"""Where a case proves nothing new, these; in float32 these from extreme states too."""

OF_ANOTHER_SHAPE = ("no dense block", "no convolution")

SMALL = {"image": (8, 8, 1), "channels": (6, 8), "hidden": (16,), "batch": 16}
"""Unless a case says otherwise: small, so that the whole kit runs in seconds."""

RUNS: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": {"kind": "adam"}},
    "sgd": {"optimizer": {"kind": "sgd", "learning_rate": 0.01}},
}
"""Followed for many steps; where that is slow, the first. Gradient descent with 0.05 is chaotic on labels at random."""

LEARNING = {"channels": (8, 16), "hidden": (32,), "dropout": 0.0, "batch": 64}
"""The first preset with these changes learns the model's own data, and predicts the same in every framework."""

EPOCHS = 5
"""Of that learning."""

SMALLEST = "4x5x2-2-3-2, batch 2"
"""Not asked of a framework in a coarse precision: its biases are rounded too, which counts beside 2 or 3 terms."""

SHAPES: dict[str, dict[str, Any]] = {
    "8x8x1-32-64-128-10, batch 128 (digits)": {},
    "8x8x1-32-64-128-10, batch 1024": {"batch": 1024},
    "28x28x1-32-64-128-10, batch 32 (mnist)": {"image": (28, 28, 1), "batch": 32},
    "32x32x3-32-64-128-128-10, batch 8 (cifar)": {"image": (32, 32, 3), "channels": (32, 64, 128), "batch": 8},
    "10x7x3-5-5-6-10, batch 257": {
        "image": (10, 7, 3),
        "channels": (5, 5),
        "hidden": (6,),
        "batch": 257,
        "dropout": 0.5,
    },
    SMALLEST: {"image": (4, 5, 2), "channels": (2,), "hidden": (3,), "classes": 2, "batch": 2},
    "9x11x2-4-10, batch 64, AdamW": {
        "image": (9, 11, 2),
        "channels": (4,),
        "hidden": (),
        "batch": 64,
        "optimizer": {"kind": "adamw"},
    },
}
"""Real ones and odd ones."""

SEEDED: list[dict[str, Any]] = [
    NETWORK["three channels, as many in as out"],
    NETWORK["odd sides without batch norm"] | {"optimizer": {"kind": "adam", "beta2": 0.99}},
    NETWORK["no dense block"] | {"optimizer": {"kind": "adamw"}},
    NETWORK["three blocks"],
]
"""Networks over which the seeds are spread that look for false alarms."""

SEEDS = 84
"""Of each framework in each precision, and no other's: a thousand together."""

MEASURED = {"batch": 32}
"""Of the default network, whose errors are taken: a step in 80-bit arithmetic takes little time at so many samples."""
