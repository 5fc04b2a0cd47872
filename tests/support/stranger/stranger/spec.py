"""Which token comes next? Embedding, the maximum over a window of positions, dropout, dense, ReLU, dropout, output.

Shape letters: B batch, T tokens, V vocabulary, W window, P = T - W + 1 positions, G groups of E / G numbers, E embedding, H hidden.
"""

import math
from typing import Any, ClassVar

from implementations.declarations import BatchArray, Mask, Metric, Tensor
from implementations.metrics import bits_per_label
from implementations.spec import NetworkSpec, Rate, Size


class StrangerSpec(NetworkSpec):
    """The two dropouts have rates of their own, and masks of rank 4: (B, P, G, ...)."""

    TITLE: ClassVar[str] = "Stranger"
    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {"chain": {}}

    batch: Size = 16
    tokens: Size = 12
    vocabulary: Size = 11
    window: Size = 3
    embedding: Size = 16
    hidden: Size = 24
    groups: Size = 4
    dropout_of_windows: Rate = 0.1
    dropout_of_units: Rate = 0.3

    @property
    def metric(self) -> Metric:
        """What shows that it has learned."""
        return Metric("bits per token", bits_per_label, target=1.5, share=False)

    @property
    def positions(self) -> int:
        """Windows in a sequence, P."""
        return self.tokens - self.window + 1

    def arrays(self) -> dict[str, BatchArray]:
        """Tokens x (B, T), and y (B, P): the token after each window."""
        return {
            "x": BatchArray((self.batch, self.tokens), "input", below=self.vocabulary),
            "y": BatchArray((self.batch, self.positions), "target", below=self.vocabulary),
        }

    def predictions(self) -> dict[str, tuple[int, ...]]:
        """Logits (B, P, V)."""
        return {"logits": (self.batch, self.positions, self.vocabulary)}

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state by name."""
        v, e, h = self.vocabulary, self.embedding, self.hidden
        return self._with_optimizer(
            {
                "embedding.weight": Tensor((v, e), "parameter", initial="normal", layout="(token, number)"),
                "dense1.weight": _kernel(e, h),
                "dense1.bias": Tensor((h,), "parameter"),
                "output.weight": _kernel(h, v),
                "output.bias": Tensor((v,), "parameter"),
            }
        )

    def masks(self, batch: int) -> dict[str, Mask]:
        """Of the windows' maxima and of the hidden units, by name."""
        shapes = ((batch, self.positions, self.groups, width // self.groups) for width in (self.embedding, self.hidden))
        rates = self.dropout_of_windows, self.dropout_of_units
        return {
            f"dropout{i}.mask": Mask(shape, rate, after=branch)
            for i, (shape, rate, branch) in enumerate(zip(shapes, rates, ("maximum1", "relu1"), strict=True), start=1)
            if rate
        }

    def matrix_products(self, phase: str) -> list[tuple[int, int, int]]:
        """(rows, inner, columns) of every matrix product of one call."""
        rows = self.batch * self.positions
        layers = [(self.embedding, self.hidden), (self.hidden, self.vocabulary)]
        products = [(rows, inputs, outputs) for inputs, outputs in layers]
        if phase != "predict":
            products += [(inputs, rows, outputs) for inputs, outputs in layers]
            products += [(rows, outputs, inputs) for inputs, outputs in layers]
        return products

    def axes(self) -> dict[str, int | str]:
        """This network's place on the sweep axes: numbers, and the kind of its optimizer, a word."""
        return {"batch": self.batch, "tokens": self.tokens, "optimizer": self.optimizer.kind}

    def changed(self, **changes: Any) -> "StrangerSpec":
        """A copy with other values, validated; an optimizer by its kind, or in full."""
        if isinstance(kind := changes.get("optimizer"), str):
            changes["optimizer"] = {"kind": kind}
        return super().changed(**changes)

    def sized_for(self, dataset: Any) -> "StrangerSpec":
        """The same network for the length and the vocabulary of a data set."""
        return self.changed(tokens=dataset.x_train.shape[1], vocabulary=1 + int(dataset.x_train.max()))

    def misfit(self, dataset: Any) -> str | None:
        """Why a data set does not fit, with the fix, or None."""
        length = dataset.x_train.shape[1]
        if length != self.tokens:
            return f"tokens: the data {dataset.name!r} has {length} in a sequence. Set tokens = {length}."
        return None


def _kernel(inputs: int, outputs: int) -> Tensor:
    deviation = math.sqrt(2 / inputs)
    return Tensor(
        (inputs, outputs), "parameter", initial="normal", deviation=deviation, decays=True, layout="(in, out)"
    )


AXES = ("batch", "tokens", "optimizer")
AXES_OF_DATA = ("tokens",)
PHASES = ("predict", "train_step", "epoch")
VARIANTS = ()
LACKING = {("torch", "bfloat16"): "nobody has written it"}
SIZES = {
    "smoke": ({"batch": 8},),
    "quick": ({"batch": 8}, {"batch": 32}),
    "peers": ({"batch": 8},),
    "full": ({"batch": 8}, {"batch": 32}),
    "gpu": ({"batch": 32},),
}
LATENCY_SIZE = {"batch": 1}
SAMPLES = 400
Spec = StrangerSpec
CLASS = "Stranger"
TUNED = ()
