"""The multilayer perceptron in words and numbers: sizes, names and layouts, what is timed and evaluated.

Shape letters: B batch, D input features, H hidden width, C classes. Weights are (in, out). No arithmetic on data lives
here. The steps' texts are in `steps.py`, the conventions and their sources in `conventions.py`, extreme states in
`extremes.py`.
"""

import itertools
import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from implementations.declarations import BatchArray, Mask, Metric, Tensor, Variant
from implementations.errors import BadInput
from implementations.metrics import accuracy
from implementations.spec import SGD, NetworkSpec, Positive, Rate, Size, Switch, Whole

STOCK_KERAS = Variant(
    name="stock",
    explanation="Keras as it comes: biased running variance, Adam's epsilon in the hat form",
    frameworks=("keras-tensorflow", "keras-torch", "keras-jax"),
)


class MLPSpec(NetworkSpec):
    """Multilayer perceptron: `hidden` blocks of dense, batch norm, ReLU and dropout, then a dense output layer."""

    TITLE: ClassVar[str] = "MLP"
    METRIC: ClassVar[Metric] = Metric("accuracy", accuracy, target=0.97)
    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {"digits": {}, "mnist": {"features": 784, "hidden": (512, 512)}}

    features: Size = 64
    hidden: tuple[Size, ...] = (128, 128)
    classes: Annotated[Whole, Field(ge=2)] = 10
    batch_norm: Switch = True
    norm_epsilon: Positive = 1e-5
    norm_momentum: Rate = 0.9
    running_variance: Literal["unbiased", "biased"] = "unbiased"
    dropout: Rate = 0.2

    def arrays(self) -> dict[str, BatchArray]:
        """A batch: features x (B, D) and labels y (B,)."""
        return {
            "x": BatchArray((self.batch, self.features), "input"),
            "y": BatchArray((self.batch,), "target", below=self.classes),
        }

    def outputs(self) -> dict[str, tuple[int, ...]]:
        """Logits (B, C)."""
        return {"logits": (self.batch, self.classes)}

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state by canonical name; a slot of a parameter is `slot:parameter`, the counter `step`."""
        tensors = self._parameters()
        for i, width in enumerate(self.hidden, start=1):
            if self.batch_norm:
                tensors[f"norm{i}.running_mean"] = Tensor((width,), "statistic")
                tensors[f"norm{i}.running_variance"] = Tensor((width,), "statistic", initial="ones", positive=True)
        return self._with_optimizer(tensors)

    def _parameters(self) -> dict[str, Tensor]:
        parameters: dict[str, Tensor] = {}
        width_in = self.features
        for i, width in enumerate(self.hidden, start=1):
            parameters[f"dense{i}.weight"] = _kernel(width_in, width)
            if self.batch_norm:
                parameters[f"norm{i}.gamma"] = Tensor((width,), "parameter", initial="ones")
                parameters[f"norm{i}.beta"] = Tensor((width,), "parameter")
            else:
                parameters[f"dense{i}.bias"] = Tensor((width,), "parameter")
            width_in = width
        return parameters | {
            "output.weight": _kernel(width_in, self.classes),
            "output.bias": Tensor((self.classes,), "parameter"),
        }

    def masks(self, batch: int) -> dict[str, Mask]:
        """The dropout masks of one training step by name; none where the rate is 0."""
        widths = self.hidden if self.dropout else ()
        return {
            f"dropout{i}.mask": Mask((batch, width), self.dropout, after=f"relu{i}")
            for i, width in enumerate(widths, start=1)
        }

    def matrix_products(self, phase: str) -> list[tuple[int, int, int]]:
        """(rows, inner, columns) of every matrix product of one call: the arithmetic that cannot be avoided."""
        widths = [self.features, *self.hidden, self.classes]
        layers = list(itertools.pairwise(widths))
        products = [(self.batch, n_in, n_out) for n_in, n_out in layers]
        if phase != "predict":
            products += [(n_in, self.batch, n_out) for n_in, n_out in layers]
            products += [(self.batch, n_out, n_in) for n_in, n_out in layers[1:]]
        return products

    def axes(self) -> dict[str, int | str]:
        """This network's place on the sweep axes; there is a width where all hidden layers share one."""
        axes: dict[str, int | str] = {"batch": self.batch}
        return axes | ({"width": self.hidden[0]} if len(set(self.hidden)) == 1 else {})

    def summary(self) -> str:
        """Its widths and what stands between them: "64-128-128-10, batch norm, dropout 0.2, sgd"."""
        widths = "-".join(map(str, (self.features, *self.hidden, self.classes)))
        parts = [widths, "batch norm" if self.batch_norm else "", f"dropout {self.dropout:g}" if self.dropout else ""]
        return ", ".join(filter(None, [*parts, self.optimizer.kind]))

    def problem_with(self, phase: str) -> str | None:
        """Why this phase cannot run at this size, or None."""
        if phase != "predict" and self.batch_norm and self.hidden and self.batch < 2:
            return (
                "batch: training with batch norm needs at least 2 samples, for one sample has no variance. "
                "Use batch = 2 or more, or batch_norm = false."
            )
        return None

    def sized_for(self, dataset: Any) -> "MLPSpec":
        """The same network for the width and the classes of a data set (`implementations.data.Dataset`).

        Raises BadInput where there are more classes than samples: their numbers have gaps.
        """
        if dataset.classes > max(2, dataset.samples):
            raise BadInput(
                f"y: the labels of the data {dataset.name!r} go up to {dataset.classes - 1}, and there are {dataset.samples} samples. "
                "Number the classes from 0 without gaps, for example with numpy.unique(y, return_inverse=True)[1]."
            )
        return self.changed(features=dataset.features, classes=dataset.classes)

    def misfit(self, dataset: Any) -> str | None:
        """Why a data set's width or labels do not fit, with the fix, or None."""
        if dataset.features != self.features:
            return (
                f"features: the data {dataset.name!r} has {dataset.features} per sample, the specification {self.features}. "
                f"Set features = {dataset.features} in the specification, or give other data."
            )
        for field in ("y_train", "y_test"):
            labels = getattr(dataset, field)
            (outside,) = ((labels < 0) | (labels >= self.classes)).nonzero()
            if outside.size:
                return (
                    f"classes: {outside.size} labels outside [0, {self.classes}) in {field} of the data {dataset.name!r}, the "
                    f"first {labels[outside[0]]} at index {outside[0]}. Set classes = {dataset.classes}, or number the labels "
                    "from 0."
                )
        return None

    def variant(self, name: str) -> "MLPSpec":
        """The specification under a named variant ("spec" is the specification as it stands)."""
        if name == "spec":
            return self
        if name != STOCK_KERAS.name:
            raise BadInput(f"variant: no such variant {name!r}; there are 'spec' and {STOCK_KERAS.name!r}.")
        optimizer = self.optimizer
        if not isinstance(optimizer, SGD):
            optimizer = optimizer.model_copy(update={"epsilon_form": "hat"})
        return self.model_copy(update={"running_variance": "biased", "optimizer": optimizer})

    def changed(self, **changes: Any) -> "MLPSpec":
        """A copy with other values, validated. `width` sets the width of every hidden layer."""
        if "width" in changes:
            if not self.hidden:
                raise BadInput("width: this network has no hidden layer whose width could change. Leave width out.")
            changes["hidden"] = (changes.pop("width"),) * len(self.hidden)
        return super().changed(**changes)


def _kernel(inputs: int, outputs: int) -> Tensor:
    """Of a dense layer: He normal numbers, N(0, 2/fan_in) (He et al. 2015, eq. 10)."""
    deviation = math.sqrt(2 / inputs)
    return Tensor(
        (inputs, outputs), "parameter", initial="normal", deviation=deviation, decays=True, layout="(in, out)"
    )


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
