"""The recurrent network in words and numbers: sizes, names and layouts, what is timed and evaluated.

Shape letters: B batch, T length, D features, V vocabulary, H hidden width, G gates, C classes. Weights are (in, out), with a block of H
columns for each gate. No arithmetic on data lives here. The steps' texts are in `steps.py`, the conventions and their sources in
`conventions.py`, extreme states in `extremes.py`.
"""

import itertools
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from implementations.declarations import Mask, Tensor
from implementations.sequence import STOCK_KERAS, SequenceSpec, weight
from implementations.spec import Adam, Optimizer, Rate, Real, Size
from implementations.text import SYMBOLS

GATES = {"lstm": 4, "gru": 3, "tanh": 1}
"""Blocks of columns that each kind of cell has."""


class RNNSpec(SequenceSpec):
    """[recurrent layer -> dropout] for each of `hidden`, then a dense output layer on the last state or on every one.

    Without a vocabulary it reads rows of real numbers, with one tokens, through an embedding.
    """

    TITLE: ClassVar[str] = "RNN"
    TARGET_BITS: ClassVar[float] = 2.0
    ONE_OUTPUT: ClassVar[str] = "last"
    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {
        "digits": {},
        "text": {
            "vocabulary": SYMBOLS, "features": 64, "hidden": (128,), "classes": SYMBOLS, "length": 64, "outputs": "every",
        },
    }  # fmt: skip

    outputs: Literal["last", "every"] = "last"
    cell: Literal["lstm", "gru", "tanh"] = "lstm"
    hidden: Annotated[tuple[Size, ...], Field(min_length=1)] = (64, 64)
    dropout: Rate = 0.2
    clip_norm: Annotated[Real, Field(ge=0)] = 1.0
    batch: Size = 32
    optimizer: Optimizer = Adam(kind="adam", learning_rate=3e-3)

    @property
    def largest_norm(self) -> float:
        """To which the gradients are clipped."""
        return self.clip_norm

    @property
    def layers(self) -> range:
        """Numbers of the recurrent layers."""
        return range(1, len(self.hidden) + 1)

    def reads_every(self, layer: int) -> bool:
        """Whether what stands above a recurrent layer reads its state after every step, or after the last one only."""
        return layer < len(self.hidden) or self.outputs == "every"

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state by canonical name; a slot of a parameter is `slot:parameter`, the counter `step`."""
        tensors: dict[str, Tensor] = {}
        if self.vocabulary:
            tensors["embedding.weight"] = weight(
                self.vocabulary, self.features, deviation=1.0, layout="(token, number)"
            )
        for i, (inputs, width) in zip(self.layers, itertools.pairwise((self.features, *self.hidden)), strict=True):
            columns = GATES[self.cell] * width
            tensors[f"rnn{i}.weight"] = weight(inputs, columns)
            tensors[f"rnn{i}.recurrent_weight"] = weight(width, columns)
            forget = range(width, 2 * width) if self.cell == "lstm" else range(0)
            tensors[f"rnn{i}.bias"] = Tensor((columns,), "parameter", ones=forget)
            if self.cell == "gru":
                tensors[f"rnn{i}.recurrent_bias"] = Tensor((columns,), "parameter")
        tensors["output.weight"] = weight(self.hidden[-1], self.classes)
        tensors["output.bias"] = Tensor((self.classes,), "parameter")
        return self._with_optimizer(tensors)

    def masks(self, batch: int) -> dict[str, Mask]:
        """The dropout masks of one training step by name; none where the rate is 0."""
        shapes = {i: (batch, self.length) if self.reads_every(i) else (batch,) for i in self.layers if self.dropout}
        return {f"dropout{i}.mask": Mask((*shape, self.hidden[i - 1]), self.dropout) for i, shape in shapes.items()}

    def matrix_products(self, phase: str) -> list[tuple[int, int, int]]:
        """(rows, inner, columns) of every matrix product of one call. Those of the states come one after the other, T - 1 of them.

        The first state is zero: nothing is to be multiplied by it, and nobody asks for its gradient.
        """
        rows, later = self.batch * self.length, self.length - 1
        products = []
        for i, (inputs, width) in zip(self.layers, itertools.pairwise((self.features, *self.hidden)), strict=True):
            columns = GATES[self.cell] * width
            products += [(rows, inputs, columns), *[(self.batch, width, columns)] * later]
            if phase != "predict":
                products += [(inputs, rows, columns), *[(self.batch, columns, width)] * later]
                products += [(width, self.batch * later, columns)] if later else []
                products += [(rows, columns, inputs)] if i > 1 or self.vocabulary else []
        return products + self._output_products(phase, self.hidden[-1])

    def summary(self) -> str:
        """Its sizes and what stands between them: "lstm 8x8-64-64-10, dropout 0.2, clipped at 1, adam"."""
        read = (
            f"{self.length} of {self.vocabulary} tokens-{self.features}"
            if self.vocabulary
            else f"{self.length}x{self.features}"
        )
        every = " at every step" if self.outputs == "every" else ""
        parts = [f"{self.cell} {'-'.join([read, *map(str, self.hidden), str(self.classes)])}{every}"]
        parts.append(f"dropout {self.dropout:g}" if self.dropout else "")
        parts.append(f"clipped at {self.clip_norm:g}" if self.clip_norm else "")
        return ", ".join(filter(None, [*parts, self.optimizer.kind]))

    def axes(self) -> dict[str, int | str]:
        """This network's place on the sweep axes; there is a width where all recurrent layers share one."""
        width: dict[str, int | str] = {"width": self.hidden[0]} if len(set(self.hidden)) == 1 else {}
        return {"cell": self.cell, "batch": self.batch} | width | {"length": self.length}

    def changed(self, **changes: Any) -> "RNNSpec":
        """A copy with other values, validated. `width` sets the width of every recurrent layer."""
        if "width" in changes:
            changes["hidden"] = (changes.pop("width"),) * len(self.hidden)
        return super().changed(**changes)


AXES = ("cell", "batch", "width", "length")
"""What may be swept: the kind of cell, batch size, width of every recurrent layer, and steps of a sequence."""

AXES_OF_DATA = ("length",)
"""Axes that the data fixes: an epoch runs at the specification's own value on them."""

PHASES = ("predict", "train_step", "epoch")
"""What is timed: logits of one batch, one training step, one pass over real data with its copies."""

VARIANTS = (STOCK_KERAS,)

_NO_BFLOAT16 = "its fused layers keep the states in bfloat16 too, which is another network"
LACKING: dict[tuple[str, str], str] = {
    (framework, "bfloat16"): _NO_BFLOAT16
    for framework in ("torch", "jax", "keras-tensorflow", "keras-torch", "keras-jax")
}
"""(framework, precision) in which that framework has no such network, though it has others; and why."""

WITHOUT_PEERS = {
    "peer-torch-compiled": "torch.compile leaves a network with nn.LSTM, nn.GRU or nn.RNN as it is: it would be the other peer again"
}
"""Peers that this network does not have, though its folder has their module; and why."""

_CELLS = tuple(GATES)
SIZES: dict[str, tuple[dict[str, Any], ...]] = {
    "unnamed": ({"batch": 32},),
    "smoke": ({"batch": 32},),
    "quick": (*({"cell": cell, "batch": 32} for cell in _CELLS), {"cell": "lstm", "batch": 256}),
    "peers": tuple({"cell": cell} for cell in _CELLS),
    "full": tuple({"cell": c, "batch": b, "width": w} for w in (64, 256) for b in (32, 256) for c in _CELLS),
    "gpu": tuple({"cell": c, "batch": b, "width": w} for w in (64, 512) for b in (32, 512) for c in _CELLS),
}
"""What each profile times, on the axes."""

LATENCY_SIZE = {"batch": 1}
"""At which a prediction is always timed too: a single sequence's."""

SAMPLES = 1437
"""To train on in the default data, for the estimate of a command that does not load it."""

Spec = RNNSpec
CLASS = "RNN"
"""The class in the implementations' files."""

TUNED = ()
"""Families with a tuned mode."""
