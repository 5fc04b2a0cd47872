"""What specifications of networks that read sequences share: of tokens or of rows of real numbers, with one label each or one for every step.

Shape letters: B batch, T length, D features, V vocabulary, C classes.
"""

import math
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from implementations import labels
from implementations.declarations import BatchArray, Metric, Tensor, Variant
from implementations.metrics import accuracy, bits_per_label
from implementations.spec import NetworkSpec, Size, Whole, in_the_form_hat

STOCK_KERAS = Variant(
    name="stock",
    explanation="Keras as it comes: Adam's epsilon in the hat form",
    frameworks=("keras-tensorflow", "keras-torch", "keras-jax"),
)


class SequenceSpec(NetworkSpec):
    """A subclass says in its field `outputs` from what it predicts: "every" step, or one thing of the whole sequence."""

    TARGET_BITS: ClassVar[float]
    """Bits per character at which the network has learned a text."""

    ONE_OUTPUT: ClassVar[str]
    """The other value of `outputs`."""

    vocabulary: Annotated[Whole, Field(ge=0)] = 0
    features: Size = 8
    length: Size = 8
    outputs: str = "every"
    classes: Annotated[Whole, Field(ge=2)] = 10

    @field_validator("vocabulary")
    @classmethod
    def _a_vocabulary_has_two_tokens(cls, vocabulary: int) -> int:
        if vocabulary == 1:
            raise PydanticCustomError(
                "one_token", "One token says nothing. Give 2 or more, or 0 for rows of real numbers"
            )
        return vocabulary

    @property
    def metric(self) -> Metric:
        """Of a sequence the share that is told right; where a token is predicted at every step, bits for each."""
        if self.vocabulary and self.outputs == "every":
            return Metric("bits per character", bits_per_label, target=self.TARGET_BITS, share=False)
        return Metric("accuracy", accuracy, target=0.97)

    def arrays(self) -> dict[str, BatchArray]:
        """A batch: rows x (B, T, D) or tokens x (B, T), and labels y, (B,) or (B, T)."""
        x = (
            BatchArray((self.batch, self.length), "input", below=self.vocabulary)
            if self.vocabulary
            else BatchArray((self.batch, self.length, self.features), "input")
        )
        return {"x": x, "y": BatchArray(self.labelled(self.batch), "target", below=self.classes)}

    def labelled(self, batch: int) -> tuple[int, ...]:
        """The shape of the labels of so many samples."""
        return (batch, self.length) if self.outputs == "every" else (batch,)

    def predictions(self) -> dict[str, tuple[int, ...]]:
        """Logits (B, C) or (B, T, C)."""
        return {"logits": (*self.labelled(self.batch), self.classes)}

    def _output_products(self, phase: str, width: int) -> list[tuple[int, int, int]]:
        """(rows, inner, columns) of the products of the output layer, which reads so many numbers."""
        rows = math.prod(self.labelled(self.batch))
        forward = (rows, width, self.classes)
        return [forward] if phase == "predict" else [forward, (width, rows, self.classes), (rows, self.classes, width)]

    def sized_for(self, dataset: Any) -> Self:
        """The same network for the lengths, the rows and the classes of a data set.

        Raises BadInput where there are more classes than samples: their numbers have gaps.
        """
        length, *features = dataset.x_train.shape[1:]
        own = {} if self.vocabulary else {"features": features[0], "classes": labels.classes_of(dataset)}
        return self.changed(length=length, **own)

    def misfit(self, dataset: Any) -> str | None:
        """Why a data set's sequences or labels do not fit, with the fix, or None."""
        sample, mine = dataset.x_train.shape[1:], self.arrays()["x"].shape[1:]
        if (len(sample), dataset.x_train.dtype.kind == "i") != (len(mine), self.vocabulary > 0):
            read, fix = ("tokens", "set it to 0") if self.vocabulary else ("rows of numbers", "set a vocabulary")
            return (
                f"vocabulary: the data {dataset.name!r} does not hold sequences of {read}, which vocabulary = {self.vocabulary} takes. "
                f"Give other data, or {fix}."
            )
        largest = max(dataset.x_train.max(), dataset.x_test.max())
        if 0 < self.vocabulary <= largest:
            return (
                f"vocabulary: the data {dataset.name!r} has tokens up to {largest}, the specification {self.vocabulary} of them. "
                f"Set vocabulary = {largest + 1}, or give other data."
            )
        for field, there, here in zip(("length", "features"), sample, mine, strict=False):
            if there != here:
                return (
                    f"{field}: the data {dataset.name!r} has {there}, the specification {here}. Set {field} = {there} in the "
                    "specification, or give other data."
                )
        if dataset.y_train.shape[1:] != self.labelled(1)[1:]:
            return (
                f"outputs: the data {dataset.name!r} has labels of shape {dataset.y_train.shape}, which is not what outputs = "
                f'"{self.outputs}" takes. Set it to "{"every" if dataset.y_train.ndim > 1 else self.ONE_OUTPUT}", or give other data.'
            )
        return labels.misfit(dataset, self.classes)

    def variants(self) -> dict[str, Self]:
        """Keras as it comes has another form of Adam."""
        return {STOCK_KERAS.name: self.model_copy(update={"optimizer": in_the_form_hat(self.optimizer)})}


def weight(rows: int, columns: int, deviation: float | None = None, layout: str = "(in, out)") -> Tensor:
    """Normal numbers, N(0, 1/rows): what comes out is as large as what goes in (LeCun et al. 1998, Efficient backprop)."""
    deviation = 1 / math.sqrt(rows) if deviation is None else deviation
    return Tensor((rows, columns), "parameter", initial="normal", deviation=deviation, decays=True, layout=layout)
