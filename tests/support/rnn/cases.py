"""What every implementation of the RNN must get right: the specifications it is proved on, and the runs it must follow."""

from typing import Any

TEXT = {"vocabulary": 11, "features": 5, "hidden": (7,), "classes": 11, "outputs": "every", "length": 12, "batch": 3}
SGD = {"kind": "sgd", "learning_rate": 0.01}

NETWORK: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "gru": {"cell": "gru"},
    "tanh": {"cell": "tanh"},
    "text": TEXT,
    "text, gru, adamw": TEXT | {"cell": "gru", "optimizer": {"kind": "adamw", "weight_decay": 0.1}},
    "text, tanh, unclipped, sgd": TEXT
    | {"cell": "tanh", "clip_norm": 0.0, "optimizer": {"kind": "sgd", "momentum": 0.0}},
    "layers as wide as the rows": {"features": 6, "hidden": (6, 6, 6), "length": 5, "optimizer": SGD},
    "gru, rows, every step": {"cell": "gru", "hidden": (5, 9), "outputs": "every"},
    "tokens, last state, no dropout": {"vocabulary": 5, "hidden": (8,), "length": 9, "dropout": 0.0},
    "one step": {"length": 1, "hidden": (6,)},
    "one sample, many steps": {"batch": 1, "length": 64, "hidden": (4,), "outputs": "every"},
}

LAYERS: dict[str, dict[str, Any]] = {}
"""Of a layer or the optimizer: those of the perceptron's are asked there (`tests/support/cases.py`)."""

CASES = NETWORK | LAYERS

IN_FULL = "text, gru, adamw"
"""The case of which everything is asked that the kit asks; of the others, a step and a prediction from every start."""

QUICK = ("as it comes", "tanh", "gru, rows, every step", "text, gru, adamw")
"""Where a case proves nothing new, these; in float32 these from extreme states too."""

OF_ANOTHER_SHAPE = ("text", "one step")

SMALL = {"features": 6, "length": 7, "hidden": (10, 8), "batch": 8}
"""Unless a case says otherwise: small, so that the whole kit runs in seconds."""

RUNS: dict[str, dict[str, Any]] = {
    "lstm": {},
    "gru, text": TEXT | {"cell": "gru"},
    "tanh": {"cell": "tanh"},
    "sgd": {"optimizer": SGD},
}
"""Followed for many steps; where that is slow, the first. Gradient descent with 0.1 is chaotic on labels at random."""

LEARNING = {"hidden": (32,), "dropout": 0.0, "batch": 64}
"""The first preset with these changes learns the model's own data, and predicts the same in every framework."""

EPOCHS = 5
"""Of that learning."""

SMALLEST = "tanh 2x1-1-2, batch 1"
"""Not asked of a framework in a coarse precision: its biases are rounded too, which counts beside 2 or 3 terms."""

SHAPES: dict[str, dict[str, Any]] = {
    "lstm 8x8-64-64-10, batch 32 (digits)": {},
    "gru 8x8-64-64-10, batch 512": {"cell": "gru", "batch": 512},
    "lstm 64 tokens-64-128-96, batch 32 (text)": {
        "vocabulary": 96, "features": 64, "hidden": (128,), "classes": 96, "length": 64, "outputs": "every",
    },
    "tanh 28x28-32-10, batch 32 (rows of mnist)": {"cell": "tanh", "features": 28, "length": 28, "hidden": (32,)},
    "gru 33 of 5 tokens-3-7-4-5, batch 17, AdamW": {
        "cell": "gru", "vocabulary": 5, "features": 3, "hidden": (7, 4), "classes": 5, "length": 33, "batch": 17, "outputs": "every",
        "optimizer": {"kind": "adamw"},
    },
    SMALLEST: {"cell": "tanh", "features": 1, "length": 2, "hidden": (1,), "classes": 2, "batch": 1},
}  # fmt: skip
"""Real ones and odd ones."""

SEEDED: list[dict[str, Any]] = [
    NETWORK["as it comes"],
    NETWORK["text, gru, adamw"],
    NETWORK["tanh"] | {"optimizer": {"kind": "adam", "beta2": 0.99}},
    NETWORK["text"],
]
"""Networks over which the seeds are spread that look for false alarms."""

SEEDS = 84
"""Of each framework in each precision, and no other's: a thousand together."""

MEASURED = {"batch": 8}
"""Of the default network, whose errors are taken: a step in 80-bit arithmetic takes little time at so many samples."""
