"""What must be noticed of the Transformer's mistakes: each with the specification under which it shows.

How a mistake is written stands in `mistakes.py` of its layer, of the training or of the network. A test holds both together.
"""

from dataclasses import replace
from typing import Any

from implementations import mistakes
from tests.mutation.faults import Fault, mlp

MEAN = {"outputs": "mean", "classes": 5}
ADAMW = {"optimizer": {"kind": "adamw", "weight_decay": 0.1}}

SIZE = {
    "vocabulary": 11, "classes": 11, "length": 7, "width": 18, "heads": 3, "batch": 4, "dropout": 0.25,
    "optimizer": {"kind": "sgd", "learning_rate": 0.01},
}  # fmt: skip
"""Unless a fault says otherwise: no two sizes are equal but what must be, so that what is exchanged does not fit."""

DROPPED, LONG = {"attention_dropout": 0.5}, {"length": 40}

OWN = [
    Fault("embedding's gradient assigned, not added"),
    Fault("gradient of a token averaged over its places"),
    Fault("rows of absent tokens left alone", ADAMW),
    Fault("padding token 0 not trained"),
    Fault("tokens through a byte", {"vocabulary": 1000}),
    Fault("rows of an embedding at most 100 long"),
    # attention
    Fault("mask off by one"),
    Fault("a position does not see itself"),
    Fault("mask transposed"),
    Fault("no mask"),
    Fault("mask of 32 positions", LONG),
    Fault("mask by whole tiles of four"),
    Fault("a window of 32 positions", LONG),
    Fault("mask in training alone", DROPPED),
    Fault("0 as the score of what is ahead"),
    Fault("-10 for minus infinity"),
    Fault("-1e4 for minus infinity"),
    Fault("-1e4 filled in before the scaling"),
    Fault("mask behind the softmax"),
    Fault("scores not scaled"),
    Fault("scores divided by D"),
    Fault("scores divided by sqrt(E)"),
    Fault("scale in float32", precision="float64"),
    Fault("scores not scaled on the way back"),
    Fault("key's gradient not scaled"),
    Fault("scores capped softly at 50"),
    Fault("TF32 in the scores alone"),
    Fault("bfloat16 in the scores alone"),
    Fault("softmax over the queries"),
    Fault("largest score not subtracted"),
    Fault("softmax to the base 2"),
    Fault("not rescaled to a new largest score"),
    Fault("a zero among the scores"),
    Fault("weights below 1e-4 left out", LONG),
    Fault("1e-9 added to the sum of exponentials", precision="float64"),
    Fault("softmax's way back without its sum"),
    Fault("softmax's sum over dropped weights", DROPPED),
    Fault("weights not masked on the way back", DROPPED),
    Fault("values' gradient from undropped weights", DROPPED),
    Fault("weights normalised again behind dropout", DROPPED),
    Fault("dropout before the softmax", DROPPED),
    Fault("weights dropped in prediction too", DROPPED),
    Fault("the residuals' rate for the weights", DROPPED),
    Fault("one mask for all heads", DROPPED),
    Fault("query and key exchanged"),
    Fault("heads by reshape alone"),
    Fault("heads interleaved"),
    Fault("heads joined without turning back"),
    Fault("mixing weight's gradient from heads that are not joined"),
    Fault("fused projections cut head by head"),
    Fault("one head's keys and values for all"),
    Fault("values by the keys' weights"),
    Fault("projections not turned"),
    Fault("nothing back through keys and values"),
    Fault("key's gradient added to the query's"),
    Fault("attention over the batch"),
    Fault("weights in half precision"),
    Fault("keys and values of the batch before"),
    # layer norm, GELU, positions, wiring
    Fault("layer norm with the unbiased variance"),
    Fault("layer norm's epsilon outside the root"),
    Fault("layer norm's epsilon 1e-3"),
    Fault("layer norm's epsilon 1e-6"),
    Fault("layer norm without epsilon"),
    Fault("layer norm's variance in one pass"),
    Fault("normed over the batch"),
    Fault("normed over the positions"),
    Fault("layer norm's way back without its mean term"),
    Fault("layer norm's way back without its variance term"),
    Fault("gamma outside of layer norm's means"),
    Fault("dgamma of the last position only"),
    Fault("dgamma of the first 1024 positions", {"length": 64, "batch": 17, "width": 6, "heads": 1, "blocks": 1}),
    Fault("dbeta averaged"),
    Fault("rms norm"),
    Fault("exact GELU"),
    Fault("GELU by a sigmoid"),
    Fault("GELU's slope without the cubic's part"),
    Fault("0.044715 as float32", precision="float64"),
    Fault("ReLU for GELU"),
    Fault("GELU's cube a square"),
    Fault("gradient of positions of one sample"),
    Fault("gradient of positions averaged over the batch"),
    Fault("positions shifted by one"),
    Fault("sinusoids for learned positions"),
    Fault("positions added twice"),
    Fault("no position for a row of zeros", MEAN | {"vocabulary": 0, "features": 6}),
    Fault("positions counted in a byte", {"length": 300, "batch": 2, "width": 6, "heads": 1, "blocks": 1}),
    Fault("loss summed over time"),
    Fault("labels step by step"),
    Fault("last position left out of the loss"),
    Fault("labels shifted twice"),
    Fault("label 0 ignored"),
    Fault("logits of a padded vocabulary"),
    Fault("labels not shifted"),
    Fault("residual dropped"),
    Fault("residual's gradient dropped"),
    Fault("residual from the normalised"),
    Fault("norm behind the branch"),
    Fault("final norm left out"),
    Fault("both norms of a block share their gamma"),
    Fault("embedding's dropout backward unmasked"),
    Fault("no dropout of the embedding"),
    Fault("embedding scaled by the root of its width"),
    Fault("residual masks exchanged"),
    Fault("dropout on the residual stream"),
    Fault("branch recomputed with another mask"),
    Fault("bias behind the dropout"),
    Fault("branches side by side"),
    Fault("blocks in the order of their names", {"blocks": 11, "width": 6, "heads": 1, "length": 3, "dropout": 0.0}),
    Fault("blocks share their attention"),
    Fault("causal though all is given", MEAN),
    Fault("half of the hidden layer used"),
    Fault("dropout behind GELU too"),
    Fault("bias gradient of one sample"),
    Fault("sum over the positions", MEAN),
    Fault("last position read", MEAN),
    Fault("mean before the final norm", MEAN),
    Fault("tied output"),
    Fault("tables not decayed", ADAMW),
]
"""Of the network, and of layers that no network before has."""

WIDE = {"width": 256, "heads": 2, "blocks": 1, "length": 2}
OTHERWISE: dict[str, dict[str, Any]] = {
    "slots of large kernels in half precision": WIDE | {"optimizer": {"kind": "adam"}},
    "products of large factors in half precision": WIDE | {"batch": 128},
    "a wide input's tail ignored": WIDE | {"width": 1030},
    "mask tiled above 65536 units": {"length": 64, "batch": 64, "dropout": 0.5},
    "last units never dropped": {"length": 2, "width": 7, "heads": 1, "batch": 9, "dropout": 0.5},
    "dropout rate in 256ths": {"dropout": 0.1},
}
"""Where a Transformer needs another specification than the perceptron for a mistake to show: large enough; or so that what is seen of chance
is not spread over too many masks."""


def _of_sequences(fault: Fault) -> Fault:
    """A fault of the perceptron's layers, without what a Transformer does not have."""
    spec = {name: value for name, value in fault.spec.items() if name != "batch_norm"}
    return replace(fault, spec=OTHERWISE.get(fault.name, spec))


_SHARED = {mistake.name for mistake in mistakes.of_model("transformer")} - {fault.name for fault in OWN}
FAULTS = OWN + [_of_sequences(fault) for fault in mlp.FAULTS if fault.name in _SHARED]

NOT_THE_ORACLES = {name: why for name, why in mlp.NOT_THE_ORACLES.items() if name in _SHARED} | dict.fromkeys(
    (
        "weights dropped in prediction too", "the residuals' rate for the weights", "one mask for all heads",
        "branch recomputed with another mask", "dropout behind GELU too",
    ),
    "the oracle draws no masks, it is given them",
)  # fmt: skip
"""Mistakes in NumPy that its oracle, which is made of the same files, does not share, and why."""

NOT_ON: dict[str, dict[str, str]] = {}
"""Mistakes that some frameworks of a family do not share, and why, by framework."""
