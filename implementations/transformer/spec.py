"""The Transformer in words and numbers: sizes, names and layouts, what is timed and evaluated.

Shape letters: B batch, T length, V vocabulary, E model width, C classes. Weights are (in, out). No arithmetic on data lives here. The
steps' texts are in `steps.py`, the conventions and their sources in `conventions.py`, extreme states in `extremes.py`.
"""

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from implementations.declarations import Mask, Tensor
from implementations.sequence import STOCK_KERAS, SequenceSpec, weight
from implementations.spec import AdamW, Optimizer, Positive, Rate, Size, Whole
from implementations.text import SYMBOLS

EXPANSION = 4
"""By how much the hidden layer of a feed-forward is wider than the model."""

HEAD = 16
"""The width of a head, where only the model's width is given."""


class TransformerSpec(SequenceSpec):
    """Pre-norm blocks of self-attention and a feed-forward at each position, then an output layer without bias.

    With outputs "every" a position sees those before it alone, and predicts what comes next; with "mean" all see all, and the output
    layer reads their mean. With a vocabulary it reads tokens, without one rows of real numbers.
    """

    TITLE: ClassVar[str] = "Transformer"
    TARGET_BITS: ClassVar[float] = 2.5
    ONE_OUTPUT: ClassVar[str] = "mean"
    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {
        "text": {},
        "text-wide": {"length": 128, "width": 256, "heads": 16, "blocks": 4},
        "digits": {
            "vocabulary": 0, "features": 4, "length": 16, "outputs": "mean", "classes": 10, "width": 32, "heads": 2, "batch": 64,
        },
    }  # fmt: skip

    vocabulary: Annotated[Whole, Field(ge=0)] = SYMBOLS
    length: Size = 64
    outputs: Literal["every", "mean"] = "every"
    classes: Annotated[Whole, Field(ge=2)] = SYMBOLS
    width: Annotated[Whole, Field(ge=2)] = 64
    heads: Size = 4
    blocks: Size = 2
    dropout: Rate = 0.1
    attention_dropout: Rate = 0.0
    norm_epsilon: Positive = 1e-5
    batch: Size = 16
    optimizer: Optimizer = AdamW(kind="adamw", learning_rate=3e-3, beta2=0.99)

    @field_validator("heads")
    @classmethod
    def _heads_share_the_width(cls, heads: int, others: ValidationInfo) -> int:
        if others.data.get("width", heads) % heads:
            raise PydanticCustomError(
                "heads_and_width",
                "A width of {width} is not a multiple of so many heads. Give heads that divide it",
                {"width": others.data["width"]},
            )
        return heads

    @property
    def causal(self) -> bool:
        """Whether a position sees only itself and those before it."""
        return self.outputs == "every"

    @property
    def numbers(self) -> range:
        """Of the blocks."""
        return range(1, self.blocks + 1)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state by canonical name; a slot of a parameter is `slot:parameter`, the counter `step`.

        Tables N(0, 0.02^2) and what is added to the residual stream smaller by sqrt(2 N): Radford et al. 2019, section 2.3. Beside rows
        positions begin as large as these, or the network would not see them for many epochs.
        """
        width, branches = self.width, math.sqrt(2 * self.blocks)
        embedding = weight(self.features, width)
        if self.vocabulary:
            embedding = weight(self.vocabulary, width, 0.02, layout="(token, number)")
        positions = weight(self.length, width, embedding.deviation, layout="(position, number)")
        tensors = {"embedding.weight": embedding, "positions.weight": positions}
        for i in self.numbers:
            tensors |= _norm(f"attention_norm{i}", width)
            tensors |= {f"attention{i}.{name}": weight(width, width) for name in ("query", "key", "value")}
            tensors[f"attention{i}.mixed"] = weight(width, width, 1 / math.sqrt(width) / branches)
            tensors |= _norm(f"feed_forward_norm{i}", width)
            inner = EXPANSION * width
            tensors[f"expand{i}.weight"] = weight(width, inner)
            tensors[f"expand{i}.bias"] = Tensor((inner,), "parameter")
            tensors[f"contract{i}.weight"] = weight(inner, width, 1 / math.sqrt(inner) / branches)
            tensors[f"contract{i}.bias"] = Tensor((width,), "parameter")
        tensors |= _norm("norm", width)
        tensors["output.weight"] = weight(width, self.classes)
        return self._with_optimizer(tensors)

    def masks(self, batch: int) -> dict[str, Mask]:
        """The dropout masks of one training step by name, in the order in which they are drawn; none where the rate is 0."""
        stream = Mask((batch, self.length, self.width), self.dropout)
        weights = Mask((batch, self.heads, self.length, self.length), self.attention_dropout)
        masks = {"dropout0.mask": stream}
        for i in self.numbers:
            masks[f"attention{i}.mask"] = weights
            masks[f"attention_dropout{i}.mask"] = masks[f"feed_forward_dropout{i}.mask"] = stream
        return {name: mask for name, mask in masks.items() if mask.rate}

    def matrix_products(self, phase: str) -> list[tuple[int, int, int]]:
        """(rows, inner, columns) of every matrix product of one call; those of attention of all heads of all samples as one."""
        rows, width, inner = self.batch * self.length, self.width, EXPANSION * self.width
        dense = [(rows, width, width)] * 4 + [(rows, width, inner), (rows, inner, width)]
        if phase != "predict":
            dense = [product for r, k, n in dense for product in ((r, k, n), (k, r, n), (r, n, k))]
        products = (dense + self._attention(phase)) * self.blocks
        if not self.vocabulary:  # tokens are looked up, and rows multiplied; nobody asks for the gradient of rows
            products += [(rows, self.features, width)]
            products += [(self.features, rows, width)] if phase != "predict" else []
        return products + self._output_products(phase, width)

    def _attention(self, phase: str) -> list[tuple[int, int, int]]:
        """Scores and weighted means of one block."""
        rows, head = self.batch * self.heads * self.length, self.width // self.heads
        scores, means = (rows, head, self.length), (rows, self.length, head)
        return [scores, means] if phase == "predict" else [scores, means] * 3

    def least_flops(self, phase: str) -> int:
        """Without the products of attention for what a position does not see."""
        of_attention = self.blocks * sum(2 * m * k * n for m, k, n in self._attention(phase))
        unseen = of_attention * (self.length - 1) // (2 * self.length) if self.causal else 0
        return self.flops(phase) - unseen

    def summary(self) -> str:
        """Its sizes and what stands between them: "64 of 96 tokens-64-96, 2 blocks of 4 heads, dropout 0.1, adamw"."""
        read = f"{self.length} of {self.vocabulary} tokens" if self.vocabulary else f"{self.length}x{self.features}"
        parts = [f"{read}-{self.width}-{self.classes}{' of the mean' if self.outputs == 'mean' else ''}"]
        parts.append(_counted(self.blocks, "block") + " of " + _counted(self.heads, "head"))
        parts.append(f"dropout {self.dropout:g}" if self.dropout else "")
        parts.append(f"dropout {self.attention_dropout:g} in attention" if self.attention_dropout else "")
        return ", ".join(filter(None, [*parts, self.optimizer.kind]))

    def axes(self) -> dict[str, int | str]:
        """This network's place on the sweep axes."""
        return {"batch": self.batch, "width": self.width, "length": self.length}

    def changed(self, **changes: Any) -> "TransformerSpec":
        """A copy with other values, validated. With another width come heads that are 16 wide, or one, unless the heads were others before."""
        width = changes.get("width", self.width)
        as_wide = self.width == HEAD * self.heads
        if "heads" not in changes and width != self.width and isinstance(width, int) and width > 0:
            fits = width % self.heads == 0 and not as_wide
            changes["heads"] = self.heads if fits else width // HEAD if width % HEAD == 0 else 1
        return super().changed(**changes)


def _norm(name: str, width: int) -> dict[str, Tensor]:
    """Scale and shift of a layer norm."""
    return {
        f"{name}.gamma": Tensor((width,), "parameter", initial="ones"),
        f"{name}.beta": Tensor((width,), "parameter"),
    }


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count > 1 else ''}"


AXES = ("batch", "width", "length")
"""What may be swept: batch size, the model's width, and steps of a sequence."""

AXES_OF_DATA = ("length",)
"""Axes that the data fixes: an epoch runs at the specification's own value on them."""

PHASES = ("predict", "train_step", "epoch")
"""What is timed: logits of one batch, one training step, one pass over real data with its copies."""

VARIANTS = (STOCK_KERAS,)

_NO_BFLOAT16 = "what bfloat16 rounds on the way back through a softmax cannot be told from a mistake, so that no step could be certified"
_NO_TF32 = "its products of all heads at once do not follow the switch for TF32, as far as its source says; nobody has measured it"
LACKING: dict[tuple[str, str], str] = {
    (framework, "bfloat16"): _NO_BFLOAT16
    for framework in ("torch", "jax", "keras-tensorflow", "keras-torch", "keras-jax")
} | {(framework, "tf32"): _NO_TF32 for framework in ("torch", "keras-torch", "cupy")}
"""(framework, precision) in which that framework has no such network, though it has others; and why."""

SIZES: dict[str, tuple[dict[str, Any], ...]] = {
    "unnamed": ({"batch": 16},),
    "smoke": ({},),
    "quick": ({"batch": 16}, {"batch": 64}),
    "peers": ({"batch": 16}, {"batch": 64}),
    "full": tuple({"batch": b, "width": w, "length": t} for w, t in ((64, 64), (64, 256), (256, 128)) for b in (4, 32)),
    "gpu": tuple({"batch": b, "width": w, "length": t} for w, t in ((64, 64), (128, 128)) for b in (16, 128)),
}
"""What each profile times, on the axes."""

LATENCY_SIZE = {"batch": 1}
"""At which a prediction is always timed too: a single sequence's."""

SAMPLES = 6600
"""To train on in the default data, for the estimate of a command that does not load it."""

Spec = TransformerSpec
CLASS = "Transformer"
"""The class in the implementations' files."""

TUNED = ()
"""Families with a tuned mode."""
