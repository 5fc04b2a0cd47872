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
