"""The multilayer perceptron in words and numbers: sizes, conventions, names and layouts, ordered steps.

Shape letters: B batch, D input features, H hidden width, C classes. Weights are (in, out).
No arithmetic on data lives here, only what every implementation must agree on. The steps' texts are in
`steps.py`, the conventions and their sources in `conventions.py`, the seeded arrays in `parameters.py`.
"""

import difflib
import itertools
import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from implementations.contract import BadInput, Tensor, Variant

Precision = Literal["float32", "float64", "tf32", "bfloat16"]

# Strict: `features = true` is a slip of the pen, and must not become one feature.
Switch = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Size = Annotated[Whole, Field(gt=0)]
Rate = Annotated[Real, Field(ge=0, lt=1)]
Positive = Annotated[Real, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class SGD(_Strict):
    """Gradient descent with (heavy-ball) momentum: v = mu v + g; w -= lr v."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: Positive = 0.05
    momentum: Rate = 0.9

    @property
    def slots(self) -> tuple[str, ...]:
        """What the optimizer remembers of each parameter."""
        return ("velocity",) if self.momentum else ()


class _Moments(_Strict):
    """Kingma & Ba 2015. `epsilon_form` "algorithm1": sqrt(v_hat) + eps; "hat": the form before their section 2.1."""

    kind: Literal["adam", "adamw"]
    learning_rate: Positive = 1e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    epsilon: Positive = 1e-8
    epsilon_form: Literal["algorithm1", "hat"] = "algorithm1"

    @property
    def slots(self) -> tuple[str, ...]:
        """What the optimizer remembers of each parameter: the first and second moment."""
        return ("m", "v")


class Adam(_Moments):
    """Without weight decay."""

    kind: Literal["adam"] = "adam"


class AdamW(_Moments):
    """With decoupled weight decay (Loshchilov & Hutter 2019), on kernels only, before the step."""

    kind: Literal["adamw"] = "adamw"
    weight_decay: Annotated[Real, Field(ge=0)] = 1e-2


OPTIMIZERS: dict[str, type[_Strict]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
Optimizer = Annotated[SGD | Adam | AdamW, Field(discriminator="kind")]

STOCK_KERAS = Variant(
    name="stock",
    explanation="Keras as it comes: biased running variance, Adam's epsilon in the hat form",
    frameworks=("keras-tensorflow", "keras-torch", "keras-jax"),
)


class MLPSpec(_Strict):
    """Multilayer perceptron: `hidden` blocks of dense, batch norm, ReLU and dropout, then a dense output layer.

    Raises BadInput (through `load`, `preset` and `changed`) with every mistake and its field's name.
    """

    features: Size = 64
    hidden: tuple[Size, ...] = (128, 128)
    classes: Annotated[Whole, Field(ge=2)] = 10
    batch: Size = 128
    batch_norm: Switch = True
    norm_epsilon: Positive = 1e-5
    norm_momentum: Rate = 0.9
    running_variance: Literal["unbiased", "biased"] = "unbiased"
    dropout: Rate = 0.2
    optimizer: Optimizer = SGD()
    precision: Precision = "float32"
    seed: Annotated[Whole, Field(ge=0, lt=2**31)] = 0

    # What the harness may ask of any specification

    @property
    def dtype(self) -> str:
        """The number type of parameters, statistics, slots and features: TF32 and bfloat16 only multiply more coarsely."""
        return "float64" if self.precision == "float64" else "float32"

    @property
    def factors(self) -> str:
        """The number type to which the factors of a matrix product are rounded. TF32 is no type: the device rounds by itself."""
        return "bfloat16" if self.precision == "bfloat16" else self.dtype

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state by canonical name; a slot of a parameter is `slot:parameter`, the counter `step`."""
        parameters = self._parameters()
        tensors = {name: Tensor(shape, "parameter") for name, shape in parameters.items()}
        for i, width in enumerate(self.hidden, start=1):
            if self.batch_norm:
                tensors[f"norm{i}.running_mean"] = Tensor((width,), "statistic")
                tensors[f"norm{i}.running_variance"] = Tensor((width,), "statistic")
        for slot in self.optimizer.slots:
            tensors |= {f"{slot}:{name}": Tensor(shape, "slot", name) for name, shape in parameters.items()}
        if self.optimizer.kind != "sgd":
            tensors["step"] = Tensor((), "counter")
        return tensors

    def _parameters(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        width_in = self.features
        for i, width in enumerate(self.hidden, start=1):
            shapes[f"dense{i}.weight"] = (width_in, width)
            if self.batch_norm:
                shapes[f"norm{i}.gamma"] = shapes[f"norm{i}.beta"] = (width,)
            else:
                shapes[f"dense{i}.bias"] = (width,)
            width_in = width
        return shapes | {"output.weight": (width_in, self.classes), "output.bias": (self.classes,)}

    def masks(self, batch: int) -> dict[str, tuple[int, ...]]:
        """The dropout masks of one training step by name; none where the rate is 0."""
        if self.dropout == 0:
            return {}
        return {f"dropout{i}.mask": (batch, width) for i, width in enumerate(self.hidden, start=1)}

    def matrix_products(self, phase: str) -> list[tuple[int, int, int]]:
        """(rows, inner, columns) of every matrix product of one call: the arithmetic that cannot be avoided."""
        widths = [self.features, *self.hidden, self.classes]
        layers = list(itertools.pairwise(widths))
        products = [(self.batch, n_in, n_out) for n_in, n_out in layers]
        if phase != "predict":
            products += [(n_in, self.batch, n_out) for n_in, n_out in layers]
            products += [(self.batch, n_out, n_in) for n_in, n_out in layers[1:]]
        return products

    def flops(self, phase: str) -> int:
        """Floating-point operations of the matrix products of one call (2 per multiply-add)."""
        return sum(2 * m * k * n for m, k, n in self.matrix_products(phase))

    def least_bytes(self, phase: str) -> int:
        """Bytes that one call must move at least, in whatever order it computes.

        A prediction reads parameters, statistics and features, and writes logits. A training step reads and writes the
        whole state, and reads features and labels (4 bytes each). What lies between may stay in a cache.
        """
        number = 8 if self.precision == "float64" else 4
        state = {"parameter": 0, "statistic": 0, "slot": 0, "counter": 0}
        for tensor in self.tensors().values():
            state[tensor.role] += math.prod(tensor.shape)
        features = self.batch * self.features
        if phase == "predict":
            return number * (state["parameter"] + state["statistic"] + features + self.batch * self.classes)
        return number * (2 * sum(state.values()) + features) + 4 * self.batch

    def axes(self) -> dict[str, int]:
        """This network's place on the sweep axes; there is a width where all hidden layers share one."""
        return {"batch": self.batch} | ({"width": self.hidden[0]} if len(set(self.hidden)) == 1 else {})

    def problem_with(self, phase: str) -> str | None:
        """Why this phase cannot run at this size, or None."""
        if phase != "predict" and self.batch_norm and self.hidden and self.batch < 2:
            return (
                "batch: training with batch norm needs at least 2 samples, for one sample has no variance. "
                "Use batch = 2 or more, or batch_norm = false."
            )
        return None

    def variant(self, name: str) -> "MLPSpec":
        """The specification under a named variant ("spec" is the closed comparison itself)."""
        if name == "spec":
            return self
        if name != STOCK_KERAS.name:
            raise BadInput(f"variant: no such variant {name!r}; there are 'spec' and {STOCK_KERAS.name!r}.")
        optimizer = self.optimizer
        if not isinstance(optimizer, SGD):
            optimizer = optimizer.model_copy(update={"epsilon_form": "hat"})
        return self.model_copy(update={"running_variance": "biased", "optimizer": optimizer})

    # Making one

    def changed(self, **changes: Any) -> "MLPSpec":
        """A copy with other values, validated. `width` sets the width of every hidden layer."""
        if "width" in changes:
            if not self.hidden:
                raise BadInput("width: this network has no hidden layer whose width could change. Leave width out.")
            changes["hidden"] = (changes.pop("width"),) * len(self.hidden)
        return self.parse(self.model_dump() | changes, "the change")

    @classmethod
    def parse(cls, values: dict[str, Any], origin: str) -> Self:
        """Validate a plain dictionary. Raises BadInput naming every wrong field at once."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise BadInput(f"{origin} is not a valid MLP specification:\n" + _explain(error)) from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a TOML file. Raises BadInput where it is missing, is not TOML or describes no network."""
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise BadInput(f"--spec {path}: cannot be read ({error.strerror}). Give the path of a TOML file.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"--spec {path}: is not TOML ({error}). See https://toml.io for the syntax.") from None
        return cls.parse(values, str(path))

    @classmethod
    def preset(cls, name: str) -> Self:
        """A named specification from PRESETS."""
        if name not in PRESETS:
            raise BadInput(f"--spec {name}: no such preset or file; presets are {', '.join(PRESETS)}.")
        return cls.parse(PRESETS[name], f"preset {name}")


PRESETS: dict[str, dict[str, Any]] = {
    "digits": {},
    "mnist": {"features": 784, "hidden": (512, 512)},
}

AXES = ("batch", "width")
"""What may be swept: batch size, and width of every hidden layer."""

PHASES = ("predict", "train_step", "epoch")
"""What is timed: logits of one batch, one training step, one pass over real data with its copies."""

VARIANTS = (STOCK_KERAS,)

Spec = MLPSpec


def _explain(error: ValidationError) -> str:
    """One line per mistake: the field, what is wrong, what was given."""
    lines = []
    for mistake in error.errors():
        location = [str(part) for part in mistake["loc"]]
        owner: type[BaseModel] = MLPSpec
        if location[0] == "optimizer" and len(location) > 1:
            owner = OPTIMIZERS[location.pop(1)]
        field = ".".join(location)
        if mistake["type"] == "extra_forbidden":
            lines.append(f"  {field}: no such field{_did_you_mean(location[-1], owner)}")
        else:
            lines.append(f"  {field}: {mistake['msg']} (given: {mistake['input']!r})")
    return "\n".join(lines)


def _did_you_mean(name: str, owner: type[BaseModel]) -> str:
    close = difflib.get_close_matches(name, owner.model_fields, n=1)
    return f"; did you mean {close[0]}?" if close else f"; fields are {', '.join(owner.model_fields)}"
