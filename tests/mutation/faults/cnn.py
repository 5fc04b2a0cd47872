"""What must be noticed of the convolutional network's mistakes: each with the specification under which it shows.

How a mistake is written stands in `mistakes.py` of its layer, of the training or of the network. A test holds both together.
"""

from dataclasses import replace

from implementations import mistakes
from tests.mutation.faults import Fault, mlp

NO_NORM = {"batch_norm": False}
ADAMW = {"optimizer": {"kind": "adamw", "weight_decay": 0.1}}
EQUAL = {"image": (10, 9, 3), "channels": (5, 5)}
"""As many channels in as out in the second block."""

SQUARE = {"image": (8, 8, 2)}
LARGE = {"image": (28, 28, 1), "channels": (3,), "hidden": (8,), "batch": 128}

SIZE = {"image": (10, 9, 2), "channels": (4, 6), "hidden": (12,), "batch": 16, "dropout": 0.25}
"""Unless a fault says otherwise: odd sides, unequal sides, two channels; the last maps have four places."""

OWN = [
    Fault("true convolution"),
    Fault("kernel's height and width exchanged"),
    Fault("windows channel by channel"),
    Fault("padding above only"),
    Fault("padding on the right only"),
    Fault("padding with ones"),
    Fault("padding repeats the border"),
    Fault("padding of the result"),
    Fault("windows reach into the next image"),
    Fault("kernel not turned on the way back"),
    Fault("channels not exchanged on the way back", EQUAL),
    Fault("kernel's gradient averaged over places"),
    Fault("kernel's gradient without the last row"),
    Fault("kernel's gradient without the border"),
    Fault("kernel's gradient turned"),
    Fault("convolution's bias gradient averaged", NO_NORM),
    Fault("windows of an earlier batch"),
    Fault("TF32 in convolutions"),
    Fault("convolutions in half precision"),
    Fault("windows beyond 65536 left out", LARGE),
    Fault("the whole window gets the gradient"),
    Fault("the first place gets the gradient"),
    Fault("average instead of maximum"),
    Fault("rows and columns exchanged on the way back"),
    Fault("an odd first row left out"),
    Fault("the last of equals"),
    Fault("NaN lost in a max pool"),
    Fault("what goes on is rounded"),
    Fault("maps flattened channel by channel"),
    Fault("gradient unflattened channel by channel"),
    Fault("images read channel by channel"),
    Fault("images transposed", SQUARE),
    Fault("images mirrored in training"),
    Fault("images scaled in place"),
    Fault("ReLU's gradient left out"),
    Fault("ties shared"),
    Fault("running variance over the samples"),
    Fault("running variance over the places"),
    Fault("batch norm's way back over the samples"),
    Fault("dgamma averaged over places"),
    Fault("batch norm for each place"),
    Fault("batch norm adds up in sequence", LARGE, precision="float32"),
    Fault("statistics of the block before", EQUAL),
    Fault("evaluation with batch statistics in convolutional blocks"),
    Fault("epsilon 1e-3 in convolutional blocks"),
    Fault("convolutions not decayed", ADAMW),
    Fault("one mask for all images"),
    Fault("prediction pools first"),
]
"""Of the network, and of layers that no network before has."""


def _of_images(fault: Fault) -> Fault:
    """A fault of the perceptron's layers; where its number of features matters, of the network without convolutions."""
    spec = dict(fault.spec)
    if "features" in spec:
        spec |= {"image": (spec.pop("features"), 1, 1), "channels": ()}
    return replace(fault, spec=spec)


_SHARED = {mistake.name for mistake in mistakes.of_model("cnn")} - {fault.name for fault in OWN}
FAULTS = OWN + [_of_images(fault) for fault in mlp.FAULTS if fault.name in _SHARED]

NOT_THE_ORACLES = {name: why for name, why in mlp.NOT_THE_ORACLES.items() if name in _SHARED} | {
    "one mask for all images": "the oracle draws no masks, it is given them",
    "NaN lost in a max pool": "the oracle is not asked about what is not a number",
    "ties shared": "in the oracle's perturbed runs no two numbers are equal, so that it takes the gradients of idle units for undecided; "
    "which of equals wins is asked by tests/implementations/layers/test_max_pool.py",
    "images scaled in place": "the oracle works on copies, and keeps nothing between its steps",
}
"""Mistakes in NumPy that its oracle, which is made of the same files, does not share, and why."""

NOT_ON: dict[str, dict[str, str]] = {}
"""Mistakes that some frameworks of a family do not share, and why, by framework."""
