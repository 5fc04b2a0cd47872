"""What specifications of classifiers share: hidden blocks of dense, batch norm, ReLU and dropout, then a dense output layer.

Blocks of another kind may stand before them. Shape letters: B batch, H hidden width, C classes. Weights are (in, out), kernels of
convolutions (height, width, in, out).
"""

import itertools
import math
from abc import abstractmethod
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from implementations import labels
from implementations.declarations import BatchArray, Mask, Metric, Tensor, Variant
from implementations.metrics import accuracy
from implementations.spec import NetworkSpec, Positive, Rate, Size, Switch, Whole, in_the_form_hat

STOCK_KERAS = Variant(
    name="stock",
    explanation="Keras as it comes: biased running variance, Adam's epsilon in the hat form",
    frameworks=("keras-tensorflow", "keras-torch", "keras-jax"),
)


class ClassifierSpec(NetworkSpec):
    """A subclass says of what shape one input is (`sample`), and which blocks stand before the dense ones (`kernels`)."""

    hidden: tuple[Size, ...] = (128, 128)
    classes: Annotated[Whole, Field(ge=2)] = 10
    batch_norm: Switch = True
    norm_epsilon: Positive = 1e-5
    norm_momentum: Rate = 0.9
    running_variance: Literal["unbiased", "biased"] = "unbiased"
    dropout: Rate = 0.2

    @property
    def metric(self) -> Metric:
        """The share of the samples whose class is told right."""
        return Metric("accuracy", accuracy, target=0.97)

    @property
    @abstractmethod
    def sample(self) -> tuple[int, ...]:
        """The shape of one input."""

    @property
    def blocks_before(self) -> int:
        """Blocks before the dense ones; a layer's number is its block's."""
        return 0

    @property
    def dense_inputs(self) -> int:
        """Numbers that the first dense layer takes."""
        return math.prod(self.sample)

    def kernels(self) -> dict[str, tuple[int, ...]]:
        """The shape of every block's kernel by the name of its layer; the width of what comes out stands last."""
        layers = itertools.pairwise((self.dense_inputs, *self.hidden))
        return {f"dense{i}": shape for i, shape in enumerate(layers, start=self.blocks_before + 1)}

    def places(self, layer: str) -> int:
        """To how many places of a sample a layer's kernel is applied."""
        return 1

    def arrays(self) -> dict[str, BatchArray]:
        """A batch: inputs x (B, ...) and labels y (B,)."""
        return {
            "x": BatchArray((self.batch, *self.sample), "input"),
            "y": BatchArray((self.batch,), "target", below=self.classes),
        }

    def predictions(self) -> dict[str, tuple[int, ...]]:
        """Logits (B, C)."""
        return {"logits": (self.batch, self.classes)}

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state by canonical name; a slot of a parameter is `slot:parameter`, the counter `step`."""
        parameters: dict[str, Tensor] = {}
        statistics: dict[str, Tensor] = {}
        for i, (layer, shape) in enumerate(self.kernels().items(), start=1):
            units = shape[-1:]
            parameters[f"{layer}.weight"] = _kernel(shape)
            if self.batch_norm:
                parameters[f"norm{i}.gamma"] = Tensor(units, "parameter", initial="ones")
                parameters[f"norm{i}.beta"] = Tensor(units, "parameter")
                statistics[f"norm{i}.running_mean"] = Tensor(units, "statistic")
                statistics[f"norm{i}.running_variance"] = Tensor(units, "statistic", initial="ones", positive=True)
            else:
                parameters[f"{layer}.bias"] = Tensor(units, "parameter")
        output = {"output.weight": _kernel(self._output()), "output.bias": Tensor((self.classes,), "parameter")}
        return self._with_optimizer(parameters | output | statistics)

    def _output(self) -> tuple[int, int]:
        """The shape of the output layer's kernel."""
        return (self.dense_inputs, *self.hidden)[-1], self.classes

    def masks(self, batch: int) -> dict[str, Mask]:
        """The dropout masks of one training step by name, of the dense blocks alone; none where the rate is 0."""
        widths = self.hidden if self.dropout else ()
        return {
            f"dropout{i}.mask": Mask((batch, width), self.dropout, after=f"relu{i}")
            for i, width in enumerate(widths, start=self.blocks_before + 1)
        }

    def matrix_products(self, phase: str) -> list[tuple[int, int, int]]:
        """(rows, inner, columns) of every matrix product of one call; a convolution's rows are its windows.

        The arithmetic that cannot be avoided, but that a convolution may be computed with less of it (Winograd, FFT).
        """
        kernels = self.kernels() | {"output": self._output()}
        layers = [(self.batch * self.places(name), shape) for name, shape in kernels.items()]
        products = [(rows, math.prod(shape[:-1]), shape[-1]) for rows, shape in layers]
        if phase != "predict":
            products += [(inner, rows, outputs) for rows, inner, outputs in products]
            products += [(rows, math.prod(shape[:-2]) * shape[-1], shape[-2]) for rows, shape in layers[1:]]
        return products

    def problem_with(self, phase: str) -> str | None:
        """Why this phase cannot run at this size, or None."""
        if phase != "predict" and self.batch_norm and self.hidden and self.batch < 2:
            return (
                "batch: training with batch norm needs at least 2 samples, for one sample has no variance. "
                "Use batch = 2 or more, or batch_norm = false."
            )
        return None

    def summary(self) -> str:
        """Its sizes and what stands between them: "64-128-128-10, batch norm, dropout 0.2, sgd"."""
        before = ["x".join(map(str, self.sample)), *(str(shape[-1]) for shape in self.kernels().values())]
        parts = ["-".join([*before, str(self.classes)]), "batch norm" if self.batch_norm else ""]
        parts.append(f"dropout {self.dropout:g}" if self.dropout else "")
        return ", ".join(filter(None, [*parts, self.optimizer.kind]))

    def misfit(self, dataset: Any) -> str | None:
        """Why a data set's labels do not fit, with the fix, or None."""
        return labels.misfit(dataset, self.classes)

    def variants(self) -> dict[str, Self]:
        """Keras as it comes keeps the biased variance, and has another form of Adam."""
        stock = {"running_variance": "biased", "optimizer": in_the_form_hat(self.optimizer)}
        return {STOCK_KERAS.name: self.model_copy(update=stock)}


def _kernel(shape: tuple[int, ...]) -> Tensor:
    """He normal numbers, N(0, 2/fan_in): fan_in is how many inputs each output is a sum over (He et al. 2015, eq. 10)."""
    deviation = math.sqrt(2 / math.prod(shape[:-1]))
    layout = "(in, out)" if len(shape) == 2 else "(height, width, in, out)"
    return Tensor(shape, "parameter", initial="normal", deviation=deviation, decays=True, layout=layout)
