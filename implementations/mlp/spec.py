"""The multilayer perceptron in words and numbers: sizes, names and layouts, what is timed and evaluated.

Shape letters: B batch, D input features, H hidden width, C classes. Weights are (in, out). No arithmetic on data lives
here. The steps' texts are in `steps.py`, the conventions and their sources in `conventions.py`, extreme states in
`extremes.py`.
"""

from typing import Any, ClassVar

from implementations import labels
from implementations.classifier import STOCK_KERAS, ClassifierSpec
from implementations.errors import BadInput
from implementations.spec import Size


class MLPSpec(ClassifierSpec):
    """Multilayer perceptron: `hidden` blocks of dense, batch norm, ReLU and dropout, then a dense output layer."""

    TITLE: ClassVar[str] = "MLP"
    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {"digits": {}, "mnist": {"features": 784, "hidden": (512, 512)}}

    features: Size = 64

    @property
    def sample(self) -> tuple[int, ...]:
        """The shape of one input: its features (D,)."""
        return (self.features,)

    def axes(self) -> dict[str, int | str]:
        """This network's place on the sweep axes; there is a width where all hidden layers share one."""
        axes: dict[str, int | str] = {"batch": self.batch}
        return axes | ({"width": self.hidden[0]} if len(set(self.hidden)) == 1 else {})

    def sized_for(self, dataset: Any) -> "MLPSpec":
        """The same network for the width and the classes of a data set (`implementations.data.Dataset`).

        Raises BadInput where there are more classes than samples: their numbers have gaps.
        """
        return self.changed(features=dataset.features, classes=labels.classes_of(dataset))

    def misfit(self, dataset: Any) -> str | None:
        """Why a data set's width or labels do not fit, with the fix, or None."""
        if dataset.features != self.features:
            return (
                f"features: the data {dataset.name!r} has {dataset.features} per sample, the specification {self.features}. "
                f"Set features = {dataset.features} in the specification, or give other data."
            )
        return super().misfit(dataset)

    def changed(self, **changes: Any) -> "MLPSpec":
        """A copy with other values, validated. `width` sets the width of every hidden layer."""
        if "width" in changes:
            if not self.hidden:
                raise BadInput("width: this network has no hidden layer whose width could change. Leave width out.")
            changes["hidden"] = (changes.pop("width"),) * len(self.hidden)
        return super().changed(**changes)


AXES = ("batch", "width")
"""What may be swept: batch size, and width of every hidden layer."""

AXES_OF_DATA = ()
"""Axes that the data fixes: an epoch runs at the specification's own value on them."""

PHASES = ("predict", "train_step", "epoch")
"""What is timed: logits of one batch, one training step, one pass over real data with its copies."""

VARIANTS = (STOCK_KERAS,)

LACKING: dict[tuple[str, str], str] = {}
"""(framework, precision) in which that framework has no such network, though it has others; and why."""

SIZES = {
    "smoke": ({"batch": 32},),
    "quick": ({"batch": 32}, {"batch": 128}, {"batch": 512}),
    "peers": ({"batch": 32}, {"batch": 128}),
    "full": tuple({"batch": batch, "width": width} for width in (64, 256, 1024) for batch in (32, 128, 512, 2048)),
    "gpu": (
        *({"batch": batch, "width": width} for width in (128, 1024) for batch in (32, 512, 8192)),
        {"batch": 512, "width": 4096},
    ),
}
"""What each profile times, on the axes."""

LATENCY_SIZE = {"batch": 1}
"""At which a prediction is always timed too: a single sample's."""

SAMPLES = 1437
"""To train on in the default data, for the estimate of a command that does not load it."""

Spec = MLPSpec
CLASS = "MLP"
"""The class in the implementations' files; in tuned mode `TunedMLP`."""

TUNED = ("numpy", "cupy", "torch", "jax", "keras")
"""Families with a tuned mode, in a file of its own (`..._tuned.py`) or, where it is a few lines, in the plain one."""
