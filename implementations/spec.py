"""What every specification shares: strict types, optimizers, precisions, reading one, and explaining mistakes in it."""

import difflib
import math
import tomllib
from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from implementations.declarations import BatchArray, Mask, Metric, Tensor
from implementations.errors import BadInput

Precision = Literal["float32", "float64", "tf32", "bfloat16"]

# Strict: `features = true` is a slip of the pen, and must not become one feature.
Switch = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Size = Annotated[Whole, Field(gt=0)]
Rate = Annotated[Real, Field(ge=0, lt=1)]
Positive = Annotated[Real, Field(gt=0)]


class Strict(BaseModel):
    """Refuses fields that it does not know, and cannot be changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class SGD(Strict):
    """Gradient descent with (heavy-ball) momentum: v = mu v + g; w -= lr v."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: Positive = 0.05
    momentum: Rate = 0.9

    @property
    def slots(self) -> tuple[str, ...]:
        """What the optimizer remembers of each parameter."""
        return ("velocity",) if self.momentum else ()


class _Moments(Strict):
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


OPTIMIZERS: dict[str, type[Strict]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
Optimizer = Annotated[SGD | Adam | AdamW, Field(discriminator="kind")]


def in_the_form_hat(optimizer: SGD | Adam | AdamW) -> SGD | Adam | AdamW:
    """The same, with the form of epsilon "hat" where it has one."""
    return optimizer if isinstance(optimizer, SGD) else optimizer.model_copy(update={"epsilon_form": "hat"})


class NetworkSpec(Strict):
    """A network in words and numbers. A subclass adds its fields and what is abstract here.

    Where it has a batch norm, its fields are `norm_epsilon`, `norm_momentum` and `running_variance` ("unbiased" or "biased").

    Raises BadInput (through `load`, `preset` and `changed`) with every mistake and its field's name.
    """

    TITLE: ClassVar[str]
    """What the network is called, as short as can be."""

    PRESETS: ClassVar[dict[str, dict[str, Any]]]
    """Named specifications, by what they change; the first is the default."""

    batch: Size = 128
    optimizer: Optimizer = SGD()
    precision: Precision = "float32"
    seed: Annotated[Whole, Field(ge=0, lt=2**31)] = 0

    @property
    def dtype(self) -> str:
        """The number type of parameters, statistics, slots and inputs: TF32 and bfloat16 only multiply more coarsely."""
        return "float64" if self.precision == "float64" else "float32"

    @property
    def factors(self) -> str:
        """The number type to which the factors of a matrix product are rounded. TF32 is no type: the device rounds by itself."""
        return "bfloat16" if self.precision == "bfloat16" else self.dtype

    @property
    @abstractmethod
    def metric(self) -> Metric:
        """What shows that it has learned."""

    @property
    def largest_norm(self) -> float:
        """The norm of all gradients together above which they are clipped to it; 0: they are not."""
        return 0.0

    @abstractmethod
    def arrays(self) -> dict[str, BatchArray]:
        """The arrays of a batch by name."""

    @abstractmethod
    def predictions(self) -> dict[str, tuple[int, ...]]:
        """The shapes of what a prediction gives, by name."""

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state by canonical name; a slot of a parameter is `slot:parameter`, the counter `step`."""

    @abstractmethod
    def matrix_products(self, phase: str) -> list[tuple[int, int, int]]:
        """(rows, inner, columns) of every matrix product of one call: the arithmetic that cannot be avoided."""

    def masks(self, batch: int) -> dict[str, Mask]:
        """The dropout masks of one training step by name, in the order in which they are drawn; none unless a subclass has some."""
        return {}

    @abstractmethod
    def axes(self) -> dict[str, int | str]:
        """This network's place on the sweep axes."""

    def summary(self) -> str:
        """The network in a few words; nothing unless a subclass says more."""
        return ""

    def problem_with(self, phase: str) -> str | None:
        """Why this phase cannot run at this size, or None."""
        return None

    @abstractmethod
    def sized_for(self, dataset: Any) -> Self:
        """The same network for the sizes of a data set, as the network's module `data` makes it."""

    @abstractmethod
    def misfit(self, dataset: Any) -> str | None:
        """Why such a data set does not fit, with the fix, or None."""

    def variant(self, name: str) -> Self:
        """The specification under a named variant; "spec" is the specification as it stands."""
        variants = {"spec": self} | self.variants()
        if name not in variants:
            raise BadInput(f"variant: no such variant {name!r}; there are {' and '.join(map(repr, variants))}.")
        return variants[name]

    def variants(self) -> dict[str, Self]:
        """The specification under the variants that the network's module names; none unless a subclass has some."""
        return {}

    def _with_optimizer(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """These parameters and statistics, the slots of the parameters, and the optimizer's counter where it has one."""
        parameters = {name: tensor for name, tensor in tensors.items() if tensor.role == "parameter"}
        slots = {
            f"{slot}:{name}": Tensor(tensor.shape, "slot", of=name, positive=slot == "v", layout=tensor.layout)
            for slot in self.optimizer.slots
            for name, tensor in parameters.items()
        }
        return tensors | slots | ({"step": Tensor((), "counter")} if self.optimizer.kind != "sgd" else {})

    def flops(self, phase: str) -> int:
        """Floating-point operations of the matrix products of one call (2 per multiply-add)."""
        return sum(2 * m * k * n for m, k, n in self.matrix_products(phase))

    def least_flops(self, phase: str) -> int:
        """Those of them that no way to compute a call avoids."""
        return self.flops(phase)

    def least_bytes(self, phase: str) -> int:
        """Bytes that one call must move at least, in whatever order it computes.

        A prediction reads parameters, statistics and inputs, and writes outputs. A training step reads and writes the whole
        state, and reads the batch (whole numbers are 4 bytes). What lies between may stay in a cache.
        """
        number = 8 if self.precision == "float64" else 4
        state = {"parameter": 0, "statistic": 0, "slot": 0, "counter": 0}
        for tensor in self.tensors().values():
            state[tensor.role] += math.prod(tensor.shape)
        read = [array for array in self.arrays().values() if phase != "predict" or array.role == "input"]
        batch = sum(math.prod(array.shape) * (4 if array.below else number) for array in read)
        if phase == "predict":
            written = sum(math.prod(shape) for shape in self.predictions().values())
            return number * (state["parameter"] + state["statistic"] + written) + batch
        return number * 2 * sum(state.values()) + batch

    # Making one

    def changed(self, **changes: Any) -> Self:
        """A copy with other values, validated."""
        return self.parse(self.model_dump() | changes, "the change")

    @classmethod
    def parse(cls, values: dict[str, Any], origin: str) -> Self:
        """Validate a plain dictionary. Raises BadInput naming every wrong field at once."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            mistakes = _explain(error, cls)
            raise BadInput(f"{origin} is not a valid {cls.TITLE} specification:\n{mistakes}") from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a TOML file. Raises BadInput where it is missing, is not TOML or describes no such network."""
        return cls.parse({name: value for name, value in read(path).items() if name != "model"}, str(path))

    @classmethod
    def preset(cls, name: str) -> Self:
        """A named specification from PRESETS."""
        if name not in cls.PRESETS:
            raise BadInput(
                f"--spec {name}: no such preset or file; presets of the {cls.TITLE} are {', '.join(cls.PRESETS)}."
            )
        return cls.parse(cls.PRESETS[name], f"preset {name}")


def read(path: Path, given: str = "--spec") -> dict[str, Any]:
    """What a TOML file holds, `given` by that option or command. Raises BadInput where it is missing or is not TOML."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise BadInput(f"{given} {path}: is not a file. Give the path of a TOML file.")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except BadInput:
        raise
    except OSError as error:
        raise BadInput(f"{given} {path}: cannot be read ({error.strerror}). Give the path of a TOML file.") from None
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number of thousands of digits, nested too deep
        raise BadInput(f"{given} {path}: is not TOML ({error}). See https://toml.io for the syntax.") from None


def _explain(error: ValidationError, kind: type[BaseModel]) -> str:
    """One line per mistake: the field, what is wrong, what was given."""
    lines = []
    for mistake in error.errors():
        location = [str(part) for part in mistake["loc"]]
        owner = kind
        if location[:1] == ["optimizer"] and len(location) > 1:
            owner = OPTIMIZERS[location.pop(1)]
        field = ".".join(location) or "the specification"
        if field == "optimizer" and mistake["type"] in (
            "union_tag_not_found",
            "union_tag_invalid",
            "model_attributes_type",
        ):
            lines.append(
                f"  optimizer: write [optimizer] and kind = one of {', '.join(OPTIMIZERS)} (given: {mistake['input']!r})"
            )
        elif mistake["type"] == "extra_forbidden":
            lines.append(f"  {field}: no such field{_did_you_mean(location[-1], owner)}")
        else:
            lines.append(f"  {field}: {mistake['msg']} (given: {mistake['input']!r})")
    return "\n".join(lines)


def _did_you_mean(name: str, owner: type[BaseModel]) -> str:
    close = difflib.get_close_matches(name, owner.model_fields, n=1)
    return f"; did you mean {close[0]}?" if close else f"; fields are {', '.join(owner.model_fields)}"
