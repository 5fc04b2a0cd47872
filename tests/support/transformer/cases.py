"""What every implementation of the Transformer must get right: the specifications it is proved on, and the runs it must follow."""

from typing import Any

PATCHES = {"vocabulary": 0, "features": 3, "outputs": "mean", "classes": 7}
SGD = {"kind": "sgd", "learning_rate": 0.01}

NETWORK: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "dropout in attention": {"attention_dropout": 0.3, "optimizer": {"kind": "adamw"}},
    "pieces, all see all": PATCHES,
    "pieces, every position": PATCHES | {"outputs": "every"},
    "tokens, all see all, adam": {"outputs": "mean", "classes": 3, "optimizer": {"kind": "adam"}},
    "no dropout, sgd": {"dropout": 0.0, "optimizer": SGD},
    "dropout in attention alone, without momentum": {
        "dropout": 0.0, "attention_dropout": 0.2, "optimizer": {"kind": "sgd", "learning_rate": 0.01, "momentum": 0.0},
    },
    "one head": {"heads": 1},
    "heads of one number": {"width": 6, "heads": 6, "length": 5},
    "one position": {"length": 1, "blocks": 1},
    "one sample, four blocks": {"batch": 1, "blocks": 4, "length": 33},
    "two tokens": {"vocabulary": 2, "classes": 2},
    "large epsilon": {"norm_epsilon": 0.1},
}  # fmt: skip

LAYERS: dict[str, dict[str, Any]] = {}
"""Of a layer or the optimizer: those of the perceptron's are asked there (`tests/support/cases.py`)."""

CASES = NETWORK | LAYERS

IN_FULL = "dropout in attention"
"""The case of which everything is asked that the kit asks; of the others, a step and a prediction from every start."""

QUICK = ("as it comes", "one head", "pieces, all see all", "dropout in attention")
"""Where a case proves nothing new, these; in float32 these from extreme states too."""

OF_ANOTHER_SHAPE = ("one position", "tokens, all see all, adam")

SMALL = {"vocabulary": 11, "classes": 11, "length": 9, "width": 18, "heads": 3, "batch": 3}
"""Unless a case says otherwise: small, so that the whole kit runs in seconds. The root of a head's width is no round number."""

CALM: dict[str, Any] = {"batch": 16, "optimizer": {"kind": "adamw", "learning_rate": 5e-4, "beta2": 0.99}}
RUNS: dict[str, dict[str, Any]] = {
    "adamw": CALM,
    "dropout in attention": CALM | {"attention_dropout": 0.3},
    "pieces": CALM | PATCHES,
    "sgd": CALM | {"optimizer": {"kind": "sgd", "learning_rate": 1e-3}},
}
"""Followed for many steps; where that is slow, the first. With the preset's 3e-3 and few samples it learns labels at random by heart, which is
chaotic: rounding grows a thousandfold in as many steps.
"""

LEARNING = {
    "dropout": 0.0, "length": 32, "width": 32, "heads": 2, "blocks": 1, "batch": 32,
    "optimizer": {"kind": "adamw", "learning_rate": 0.01, "beta2": 0.99},
}  # fmt: skip
"""The first preset with these changes learns the model's own data, and predicts the same in every framework; that it continues a text with words takes this rate."""

EPOCHS = 4
"""Of that learning."""

SMALLEST = "1 of 2 tokens-2-2, 1 head, batch 1"
"""Not asked of a framework in a coarse precision: its biases are rounded too, which counts beside 2 or 3 terms."""

SHAPES: dict[str, dict[str, Any]] = {
    "64 of 96 tokens-64-96, 4 heads, batch 16 (text)": {
        "vocabulary": 96, "classes": 96, "length": 64, "width": 64, "batch": 16,
    },
    "16x4-32-10 of the mean, 2 heads, batch 64 (digits)": {
        "vocabulary": 0, "features": 4, "length": 16, "outputs": "mean", "classes": 10, "width": 32, "heads": 2, "batch": 64,
    },
    "128 of 96 tokens-128-96, 8 heads, batch 4": {
        "vocabulary": 96, "classes": 96, "length": 128, "width": 128, "heads": 8, "batch": 4,
    },
    "33 of 5 tokens-15-5, 3 heads, batch 7": {
        "vocabulary": 5, "classes": 5, "length": 33, "width": 15, "heads": 3, "batch": 7, "attention_dropout": 0.1,
    },
    SMALLEST: {"vocabulary": 2, "classes": 2, "length": 1, "width": 2, "heads": 1, "batch": 1, "blocks": 1},
}  # fmt: skip
"""Real ones and odd ones."""

SEEDED: list[dict[str, Any]] = [
    NETWORK["as it comes"],
    NETWORK["dropout in attention"] | {"optimizer": {"kind": "adam", "beta2": 0.99}},
    NETWORK["pieces, all see all"],
    NETWORK["no dropout, sgd"],
]
"""Networks over which the seeds are spread that look for false alarms."""

SEEDS = 84
"""Of each framework in each precision, and no other's: a thousand together."""

MEASURED = {"batch": 2, "length": 32}
"""Of the default network, whose errors are taken: a step in 80-bit arithmetic takes little time at so many samples."""
