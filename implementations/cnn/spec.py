"""The convolutional network in words and numbers: sizes, names and layouts, what is timed and evaluated.

Shape letters: B batch, C channels. Images are (height, width, channels), kernels (height, width, in, out). A convolution has 3x3
windows, stride 1 and one pixel of zeros around; a pool has 2x2 windows side by side. No arithmetic on data lives here. The
steps' texts are in `steps.py`, the conventions and their sources in `conventions.py`, extreme states in `extremes.py`.
"""

import itertools
import math
from typing import Any, ClassVar

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from implementations import labels
from implementations.classifier import STOCK_KERAS, ClassifierSpec
from implementations.declarations import Metric
from implementations.errors import BadInput
from implementations.metrics import accuracy
from implementations.spec import Size


class CNNSpec(ClassifierSpec):
    """A block of convolution, batch norm, ReLU and max pool for each of `channels`; flatten; then the blocks of the perceptron.

    Without channels it is the perceptron.
    """

    TITLE: ClassVar[str] = "CNN"
    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {
        "digits": {},
        "mnist": {"image": (28, 28, 1)},
        "cifar": {"image": (32, 32, 3), "channels": (32, 64, 128)},
    }

    image: tuple[Size, Size, Size] = (8, 8, 1)
    channels: tuple[Size, ...] = (32, 64)
    hidden: tuple[Size, ...] = (128,)

    @field_validator("channels")
    @classmethod
    def _every_pool_has_a_window(cls, channels: tuple[int, ...], others: ValidationInfo) -> tuple[int, ...]:
        height, width, _ = others.data.get("image", (math.inf,) * 3)
        least = 2 ** len(channels)
        if min(height, width) < least:
            raise PydanticCustomError(
                "image_too_small",
                f"{len(channels)} pools halve an image of {height}x{width} to nothing: both sides must be at least {least}. Give "
                "a larger image, or fewer channels, one number for each block",
            )
        return channels

    @property
    def metric(self) -> Metric:
        """The share of the images that are told right."""
        return Metric("accuracy", accuracy, target=0.98)

    @property
    def sample(self) -> tuple[int, ...]:
        """The shape of one input: an image (height, width, channels)."""
        return self.image

    @property
    def convolutional_blocks(self) -> range:
        """Their numbers."""
        return range(1, len(self.channels) + 1)

    @property
    def blocks_before(self) -> int:
        """Convolutional blocks."""
        return len(self.channels)

    @property
    def dense_blocks(self) -> range:
        """Their numbers, behind those of the convolutional ones."""
        return range(self.blocks_before + 1, self.blocks_before + len(self.hidden) + 1)

    @property
    def dense_inputs(self) -> int:
        """Numbers in the last maps, flattened."""
        *sides, _ = self.image
        return math.prod(side >> self.blocks_before for side in sides) * (self.image[2:] + self.channels)[-1]

    def kernels(self) -> dict[str, tuple[int, ...]]:
        """The shape of every block's kernel by the name of its layer."""
        widths = itertools.pairwise((self.image[2], *self.channels))
        return {f"conv{i}": (3, 3, *pair) for i, pair in enumerate(widths, start=1)} | super().kernels()

    def places(self, layer: str) -> int:
        """Windows of a convolution in one image."""
        if not layer.startswith("conv"):
            return 1
        pools = int(layer.removeprefix("conv")) - 1
        return (self.image[0] >> pools) * (self.image[1] >> pools)

    def least_flops(self, phase: str) -> int:
        """Convolutions as Winograd's F(4x4, 3x3) computes them, with a quarter of the multiplications (Lavin & Gray 2016)."""
        convolutions = 0
        for name, shape in self.kernels().items():
            if name.startswith("conv"):
                products = 1 if phase == "predict" else 2 if name == "conv1" else 3
                convolutions += products * 2 * self.batch * self.places(name) * math.prod(shape)
        return self.flops(phase) - 3 * convolutions // 4

    def axes(self) -> dict[str, int | str]:
        """This network's place on the sweep axes; there is a width where each block has twice the channels of the one before."""
        axes: dict[str, int | str] = {"batch": self.batch}
        regular = self.channels == _channels(self.channels[:1], len(self.channels)) and self.channels
        return axes | ({"width": self.channels[0]} if regular else {})

    def sized_for(self, dataset: Any) -> "CNNSpec":
        """The same network for the images and the classes of a data set (`implementations.data.Dataset`).

        Raises BadInput where the images are too small, or there are more classes than samples: their numbers have gaps.
        """
        return self.changed(image=dataset.x_train.shape[1:], classes=labels.classes_of(dataset))

    def misfit(self, dataset: Any) -> str | None:
        """Why a data set's images or labels do not fit, with the fix, or None."""
        image = dataset.x_train.shape[1:]
        if image != self.image:
            return (
                f"image: the data {dataset.name!r} has images of (height, width, channels) {image}, the specification {self.image}. "
                f"Set image = {list(image)} in the specification, or give other data."
            )
        return super().misfit(dataset)

    def changed(self, **changes: Any) -> "CNNSpec":
        """A copy with other values, validated. `width` sets the channels of the first block, and of the others in proportion."""
        if "width" in changes:
            if not self.channels:
                raise BadInput("width: this network has no convolution whose channels could change. Leave width out.")
            changes["channels"] = _channels((changes.pop("width"),), len(self.channels))
        return super().changed(**changes)


def _channels(first: tuple[Any, ...], blocks: int) -> tuple[Any, ...]:
    """Of so many blocks, each with twice as many as the one before."""
    return tuple(width * 2**block for width in first for block in range(blocks))


AXES = ("batch", "width")
"""What may be swept: batch size, and channels of the first block, to which those of the others are in proportion."""

AXES_OF_DATA = ()
"""Axes that the data fixes: an epoch runs at the specification's own value on them."""

PHASES = ("predict", "train_step", "epoch")
"""What is timed: logits of one batch, one training step, one pass over real data with its copies."""

VARIANTS = (STOCK_KERAS,)

LACKING: dict[tuple[str, str], str] = {}
"""(framework, precision) in which that framework has no such network, though it has others; and why."""

SIZES = {
    "unnamed": ({"batch": 32},),
    "smoke": ({"batch": 32},),
    "quick": ({"batch": 32}, {"batch": 128}, {"batch": 512}),
    "peers": ({"batch": 32}, {"batch": 128}),
    "full": tuple({"batch": batch, "width": width} for width in (8, 32, 128) for batch in (8, 128, 1024)),
    "gpu": tuple({"batch": batch, "width": width} for width in (32, 128) for batch in (32, 256, 1024)),
}
"""What each profile times, on the axes."""

LATENCY_SIZE = {"batch": 1}
"""At which a prediction is always timed too: a single image's."""

SAMPLES = 1437
"""To train on in the default data, for the estimate of a command that does not load it."""

Spec = CNNSpec
CLASS = "CNN"
"""The class in the implementations' files."""

TUNED = ()
"""Families with a tuned mode."""
