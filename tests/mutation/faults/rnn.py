"""What must be noticed of the recurrent network's mistakes: each with the specification under which it shows.

How a mistake is written stands in `mistakes.py` of its layer, of the training or of the network. A test holds both together.
"""

from dataclasses import replace
from typing import Any

from implementations import mistakes
from tests.mutation.faults import Fault, mlp

GRU, TANH = {"cell": "gru"}, {"cell": "tanh"}
TEXT = {"vocabulary": 11, "features": 5, "hidden": (7,), "classes": 11, "outputs": "every"}
EVERY = {"outputs": "every"}
ADAMW = {"optimizer": {"kind": "adamw", "weight_decay": 0.1}}

SIZE = {
    "features": 6, "length": 7, "hidden": (10, 8), "batch": 8, "dropout": 0.25,
    "optimizer": {"kind": "sgd", "learning_rate": 0.01},
}  # fmt: skip
"""Unless a fault says otherwise: no two sizes are equal but the last width and the batch, so that what is exchanged does not fit."""

OWN = [
    Fault("input and forget gates exchanged"),
    Fault("candidate and output gate exchanged"),
    Fault("hard sigmoid"),
    Fault("sigmoid for tanh on the candidate"),
    Fault("no tanh on the cell state"),
    Fault("forget gate coupled to the input gate"),
    Fault("forget bias added in the step"),
    Fault("slope of tanh at c itself"),
    Fault("slope of the output gate without 1 - o"),
    Fault("cell state's gradient past the forget gate"),
    Fault("cell state's gradient not carried"),
    Fault("forget gate's gradient from the new cell state"),
    Fault("cell state clipped at 3"),
    Fault("slope of tanh at its input", TANH),
    Fault("recurrent weight not transposed on the way back", TANH),
    Fault("reset gate before the product", GRU),
    Fault("update gate turned round", GRU),
    Fault("reset and update gates exchanged", GRU),
    Fault("reset gate left out on the way back", GRU),
    Fault("recurrent bias outside of the reset gate", GRU),
    Fault("direct path of a GRU lost on the way back", GRU),
    Fault("first step left out on the way back"),
    Fault("nothing carried back through time", GRU),
    Fault("gradient cut every 32 steps", {"length": 40, "hidden": (4,), "features": 2, "batch": 3}),
    Fault("recurrent weight's gradient of the last step alone"),
    Fault("recurrent layer's bias gradient of the last step alone"),
    Fault("recurrent layer's gradients averaged over time"),
    Fault("recurrent weight's gradient from the new state"),
    Fault("state kept between batches"),
    Fault("initial state of ones", GRU),
    Fault("rows of zeros count as padding"),
    Fault("sequence read backwards"),
    Fault("last state but one"),
    Fault("mean over time instead of the last state"),
    Fault("TF32 in the recurrence"),
    Fault("states in half precision"),
    Fault("embedding's gradient assigned, not added", TEXT),
    Fault("gradient of a token averaged over its places", TEXT),
    Fault("rows of absent tokens left alone", TEXT),
    Fault("padding token 0 not trained", TEXT),
    Fault("tokens through a byte", TEXT | {"vocabulary": 300}),
    Fault("rows of an embedding at most 100 long", TEXT),
    Fault("no clipping"),
    Fault("clipped tensor by tensor"),
    Fault("clipped number by number"),
    Fault("clipped to the norm always"),
    Fault("1e-6 added to the norm", precision="float64"),
    Fault("norm without the biases"),
    Fault("gradients up to twice too long left alone"),
    Fault("clipped behind the momentum", {"clip_norm": 0.1}),
    Fault("mask shared over time", EVERY),
    Fault("last state's mask again", {"hidden": (64, 64)}),
    Fault("no dropout between layers"),
    Fault("no dropout before the output"),
    Fault("dropout in the recurrence"),
    Fault("layers of equal width added up", {"hidden": (8, 8), "outputs": "every"}),
    Fault("loss summed over time", EVERY),
    Fault("labels step by step", EVERY),
    Fault("last position left out of the loss", EVERY),
    Fault("labels shifted twice", EVERY),
    Fault("label 0 ignored", EVERY),
    Fault("logits of a padded vocabulary", EVERY),
    Fault("norm of an embedding's pieces", TEXT),
    Fault("second bias trained too"),
    Fault("recurrent weights not decayed", ADAMW),
]
"""Of the network, and of layers that no network before has."""

SHORT = {"length": 2}
OTHERWISE: dict[str, dict[str, Any]] = {
    "slots of large kernels in half precision": SHORT | {"hidden": (256,), "optimizer": {"kind": "adam"}},
    "products of large factors in half precision": SHORT | {"hidden": (256,), "classes": 256, "batch": 256},
    "a wide input's tail ignored": SHORT | TANH | {"hidden": (1030,)},
    "mask tiled above 65536 units": SHORT | {"hidden": (256,), "classes": 4, "batch": 512, "dropout": 0.5},
    "gradient clipped at norm 100": {"clip_norm": 0.0},
}
"""Where a recurrent network needs another specification than the perceptron to be large enough for a mistake."""


def _of_sequences(fault: Fault) -> Fault:
    """A fault of the perceptron's layers, without what a recurrent network does not have."""
    spec = {name: value for name, value in fault.spec.items() if name != "batch_norm"}
    return replace(fault, spec=OTHERWISE.get(fault.name, spec))


_SHARED = {mistake.name for mistake in mistakes.of_model("rnn")} - {fault.name for fault in OWN}
FAULTS = OWN + [_of_sequences(fault) for fault in mlp.FAULTS if fault.name in _SHARED]

NOT_THE_ORACLES = {name: why for name, why in mlp.NOT_THE_ORACLES.items() if name in _SHARED} | {
    "mask shared over time": "the oracle draws no masks, it is given them",
    "last state's mask again": "the oracle draws no masks, it is given them",
}
"""Mistakes in NumPy that its oracle, which is made of the same files, does not share, and why."""

_PIECES = {"norm of an embedding's pieces": "on this backend Keras is given a gradient whose pieces are added up"}
NOT_ON = {"keras-torch": _PIECES, "keras-jax": _PIECES}
"""Mistakes that some frameworks of a family do not share, and why, by framework."""
