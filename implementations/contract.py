"""What a specification, a model and a framework adapter offer each other: the only vocabulary they share.

Structural (`typing.Protocol`): a framework from elsewhere has these methods and imports nothing of ours. A model from elsewhere
builds on `NetworkSpec` and, in NumPy, on `training_numpy.Model`, of which its oracle is made. No arithmetic here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeAlias

from implementations.declarations import BatchArray, Branch, Mask, Metric, Tensor

if TYPE_CHECKING:  # the command line imports this module before NumPy is needed
    import numpy as np
    from numpy.typing import DTypeLike

Arrays: TypeAlias = "dict[str, np.ndarray]"
"""Named host arrays under the specification's canonical names and layouts."""

Batch: TypeAlias = "Mapping[str, np.ndarray]"
"""A batch as host arrays, by the names of `Spec.arrays`."""

DeviceArray: TypeAlias = Any
"""An array of any framework, on the device; most frameworks come without type information."""

DeviceBatch: TypeAlias = Mapping[str, DeviceArray]
"""A batch on a device."""

GeneratorState: TypeAlias = Any
"""The state of a framework's random generator; only that framework can read it."""


class Spec(Protocol):
    """A network in words and numbers (ours: a subclass of `implementations.spec.NetworkSpec`). Wrong values raise BadInput."""

    TITLE: ClassVar[str]  # what the network is called
    PRESETS: ClassVar[dict[str, dict[str, Any]]]  # named specifications, by what they change; the first is the default

    @property
    def precision(self) -> str: ...  # float64, float32, tf32 or bfloat16
    @property
    def dtype(self) -> str: ...  # the number type of parameters, statistics, slots and features: float64 or float32
    @property
    def batch(self) -> int: ...  # B, samples in a batch
    @property
    def metric(self) -> Metric: ...  # what shows that it has learned
    @property
    def largest_norm(self) -> float: ...  # to which gradients are clipped; 0: they are not
    @property
    def seed(self) -> int: ...  # of the initial state and of the dropout masks

    def arrays(self) -> Mapping[str, BatchArray]:
        """The arrays of a batch by name."""

    def tensors(self) -> Mapping[str, Tensor]:
        """Every tensor of the state by canonical name."""

    def masks(self, batch: int) -> Mapping[str, Mask]:
        """The dropout masks of a training step of `batch` samples by name, in the order in which they are drawn."""

    def matrix_products(self, phase: str) -> Sequence[tuple[int, int, int]]:
        """(rows, inner, columns) of every matrix product of one call of "predict" or "train_step"."""

    def summary(self) -> str: ...  # the network in a few words, for a title
    def flops(self, phase: str) -> int: ...  # floating-point operations of these products
    def least_flops(self, phase: str) -> int: ...  # those of them that no way to compute a call avoids
    def least_bytes(self, phase: str) -> int: ...  # that a call must move, in whatever order it computes
    def problem_with(self, phase: str) -> str | None: ...  # why this phase cannot run at this size
    def axes(self) -> dict[str, int | str]: ...  # this network's place on the axes that can be swept
    def sized_for(self, dataset: Any) -> Self: ...  # for the sizes of this network's kind of data set
    def misfit(self, dataset: Any) -> str | None: ...  # why such a data set does not fit, with the fix
    def variant(self, name: str) -> Self: ...  # under a named change of the specification; "spec" is itself
    def changed(self, **changes: Any) -> Self: ...  # with other values of fields or axes
    def model_dump(self, *, mode: str = ...) -> dict[str, Any]: ...  # all fields; mode "json" as JSON has them

    @classmethod
    def parse(cls, values: dict[str, Any], origin: str) -> Self: ...  # `origin` says in an error where they come from
    @classmethod
    def load(cls, path: Path) -> Self: ...  # a TOML file
    @classmethod
    def preset(cls, name: str) -> Self: ...


class Dataset(Protocol):
    """Real data for a network: what its module `data` makes for a specification with `default(spec)`, and of a user's file with `load(path, spec)`."""

    @property
    def samples(self) -> int: ...  # to train on
    def arrays(self) -> Arrays: ...  # of a batch's array `x`: `x_train` and `x_test`, the samples first
    def describe(self) -> Mapping[str, Any]: ...  # name, train_samples, test_samples, sha256 of the arrays


class Model(Protocol):
    """One framework's version of a specification, on one device, in one precision, in one mode."""

    def train_step(self, batch: DeviceBatch) -> DeviceArray:
        """Forward, loss, backward, update on a batch on the device; returns the loss, without waiting."""

    def predict(self, batch: DeviceBatch) -> DeviceArray:
        """Logits (B, ..., C) of the batch's inputs, as the trained network predicts: without dropout; on the device."""

    def state(self) -> Arrays:
        """Copies of every parameter, statistic, optimizer slot and counter, as host arrays."""

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned, here or in another framework."""

    def random_state(self) -> GeneratorState:
        """A copy of the state of the generator that draws the dropout masks."""

    def set_random_state(self, random_state: GeneratorState) -> None:
        """Rewind the generator to what `random_state` returned."""

    def draw_masks(self, batch: int) -> Arrays:
        """Draw what the next training step of `batch` samples would multiply by: 0 or 1/(1-p).

        By the framework itself, compiled as the step is; the generator moves on as the step would move it.
        """


class ModelClass(Protocol):
    """Makes a model of its own kind of specification on a device."""

    def __call__(self, spec: Any, device: str = "cpu") -> Model: ...


class ExtendedModel(Model, Protocol):
    """What a model may offer besides: whoever uses one of these asks first whether it is there."""

    compiled: str
    """What makes one program of a training step, or that nothing does; the class tells it, for the report."""

    layout: str
    """How a dense layer's weights lie in memory, likewise."""

    random_bits: str
    """How many random bits decide whether dropout keeps a unit, likewise."""

    step_memory: str
    """Whether a training step writes into memory of the step before, likewise."""

    def choices(self, batch: DeviceBatch) -> Arrays:
        """What the branches choose in a training step on the batch with the generator where it stands (of a ReLU: whether a unit passes).

        The state stays; the generator may move, and the proof puts it back.

        By the names of the oracle's branches. The proof asks where rounding decides, and searches where a model has no answer.
        """

    def kernels(self) -> Mapping[str, str]:
        """By step of the network: what the framework chose to compute it with, where it chooses and tells."""

    def calls_of_steps(self) -> list[tuple[str, object, str]]:
        """(step, object, method) of what the training step calls, besides the functions under its file's headings.

        Not where the training step is compiled into one program.
        """


class Oracle(Model, Protocol):
    """The reference model, in float64 NumPy: it repeats a step that another implementation did."""

    @property
    def dtype(self) -> np.dtype: ...

    def in_arithmetic(self, dtype: DTypeLike, array: type[np.ndarray]) -> Oracle:
        """The same formulas in another number type, and with another kind of array."""

    def repeat_step(
        self, batch: Batch, masks: Mapping[str, np.ndarray], choices: Mapping[str, np.ndarray] | None = None
    ) -> np.ndarray:
        """A training step with the given dropout masks and, where they are given, with these choices at its branches."""

    def branches(self) -> Mapping[str, Branch]:
        """What every non-smooth function (ReLU, maximum) chose in the last step, by the names that `choices` has."""

    def sample_losses(self, logits: np.ndarray, batch: Batch) -> np.ndarray:
        """The loss of every sample that belongs to these logits."""

    def slot_terms(self, batch: Batch, masks: Mapping[str, np.ndarray], choices: Mapping[str, np.ndarray]) -> Arrays:
        """By slot, after such a step: the sum of the sizes of the terms that it is made of."""

    def gradient_norm(self, batch: Batch, masks: Mapping[str, np.ndarray]) -> float:
        """Of all gradients of such a step together, before they are clipped."""


class OracleClass(Protocol):
    """Makes the oracle of its own kind of specification."""

    def __call__(self, spec: Any, dtype: DTypeLike = "float64") -> Oracle: ...


class Framework(Protocol):
    """What the harness needs to know about one framework. One adapter module each, in `frameworks/`."""

    NAME: str

    def devices(self) -> list[str]:
        """`cpu`, `cuda:0`, ... as they can be used now. Raises Unavailable with the reason and the fix."""

    def start(self, threads: int) -> None:
        """Once per process, before any work: threads and precision flags."""

    def to_device(self, array: np.ndarray, device: str) -> DeviceArray:
        """Copy a host array to the device, finished on return."""

    def to_host(self, tensor: DeviceArray) -> np.ndarray:
        """Copy a device tensor to the host."""

    def synchronise(self, device: str, result: DeviceArray) -> None:
        """Wait until everything started on the device is done; `result` is what the last call returned, one or a list."""

    def matrix_product(self, a: DeviceArray, b: DeviceArray) -> DeviceArray:
        """a @ b on the device, for the floor and for measuring the precision that is really in force."""

    def versions(self) -> dict[str, str]:
        """Versions of the framework and of the libraries that do its arithmetic."""

    def flags(self, device: str) -> dict[str, str]:
        """Precision and determinism switches as they stand, and the threads really used."""


class ExtendedFramework(Framework, Protocol):
    """What an adapter may offer besides: whoever uses one of these asks first whether it is there."""

    def try_compiler(self) -> None:
        """Compile something small, where tuned mode needs a compiler from outside; raises what that says."""

    def use_float64(self) -> None:
        """A documented switch, where the framework needs one for float64.

        Once per process, after `start` and before anything is built, whenever the precision is float64.
        """

    def patch_for_float64(self) -> None:
        """Instead of it: a way round a framework that has no float64 throughout; called at the same place.

        For proofs only. Nothing is timed in a process that was patched: nobody uses the framework so.
        """

    def use_precision(self, precision: str) -> None:
        """Have matrix products computed in "tf32" or "bfloat16", where the device has them; called at the same place."""

    def as_factor(self, tensor: DeviceArray) -> DeviceArray:
        """The tensor as the precision in use multiplies it, for `matrix_product`."""

    def convolution(self, x: DeviceArray, kernel: DeviceArray) -> DeviceArray:
        """3x3, with zeros around, of images x (B, H, W, C) with a kernel (3, 3, C, K), for measuring the precision in force."""

    def recurrence(self, h: DeviceArray, weight: DeviceArray) -> DeviceArray:
        """relu(h U) of states h (B, H) and recurrent weights U (H, H), by its own recurrent layer; likewise."""

    def attention(self, q: DeviceArray, k: DeviceArray, v: DeviceArray) -> DeviceArray:
        """softmax(q k^T / sqrt(D)) v of q (T, D), k (S, D), v (S, D), by its own kernel for attention; likewise."""

    def make_deterministic(self) -> None:
        """From now on the same bits in every run. Never in a process that times: this may choose slower algorithms."""

    def copy(self, source: DeviceArray, target: DeviceArray) -> DeviceArray:
        """`source` over `target` where arrays can be written to, else anew; returns the copy. It measures memory bandwidth."""

    def device_s(self, device: str, run: Callable[[], object]) -> float:
        """Seconds between two events in a GPU's own stream, one before and one after what `run()` puts there."""

    MEMORY_COUNTER: str
    """What counts the memory of a GPU, and what it counts, in words: the framework's own allocator."""

    def reset_peak(self, device: str) -> bool:
        """Begin a new peak of that memory; False where the framework cannot."""

    def memory_bytes(self, device: str) -> tuple[int, int]:
        """Bytes held now, and the peak since it was last reset (never: since the process began)."""
