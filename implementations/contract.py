"""What a specification, a model and a framework adapter offer each other: the only vocabulary they share.

Everything here is structural (`typing.Protocol`): an implementation from elsewhere satisfies it by having
these methods and imports nothing of ours. No framework and no arithmetic lives here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeAlias

if TYPE_CHECKING:  # the command line imports this module, and must answer before NumPy would be there
    import numpy as np

Arrays: TypeAlias = "dict[str, np.ndarray]"
"""Named host arrays under the specification's canonical names and layouts."""

Role = Literal["parameter", "statistic", "slot", "counter"]


class BadInput(ValueError):
    """Something the user gave is wrong; the message names the field and the fix."""


class Unavailable(RuntimeError):
    """A framework cannot run here: `reason` says why, `fix` says what to do about it."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason} {fix}")
        self.reason = reason
        self.fix = fix

    @classmethod
    def not_installed(cls, package: str | None, distribution: str = "") -> Self:
        """For an import package that is not there; `distribution` is what pip calls it, where that is another name.

        Only for ModuleNotFoundError: any other ImportError comes from a broken installation, which is a fault.
        """
        return cls(f"{package} is not installed.", f"Install it: pip install {distribution or package}")


@dataclass(frozen=True)
class Tensor:
    """One tensor of a model's state: its shape, what it is for, and, for a slot, whose slot it is."""

    shape: tuple[int, ...]
    role: Role
    of: str | None = None


@dataclass(frozen=True)
class Step:
    """One step of the network: where it stands in every implementation, and what it means."""

    name: str
    title: str
    formula: str
    explanation: str
    source: str
    shown_by: str
    """Groups of the proof, with commas, in which a mistake in this step would show first."""


@dataclass(frozen=True)
class Convention:
    """One choice on which frameworks differ, what the specification decided, and after whom."""

    item: str
    choice: str
    source: str


@dataclass(frozen=True)
class Variant:
    """A named change of the specification under which some frameworks run as they come."""

    name: str
    explanation: str
    frameworks: tuple[str, ...]


class Spec(Protocol):
    """A network in words and numbers (for example `implementations.mlp.spec.MLPSpec`)."""

    @property
    def precision(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    def tensors(self) -> Mapping[str, Tensor]: ...
    def masks(self, batch: int) -> Mapping[str, tuple[int, ...]]: ...


class Model(Protocol):
    """One framework's version of a specification, on one device, in one precision, in one mode."""

    def train_step(self, x: Any, y: Any) -> Any:
        """Forward, loss, backward, update on a batch on the device; returns the loss, without waiting."""

    def predict(self, x: Any) -> Any:
        """Logits (B, C) with running statistics and without dropout, on the device."""

    def state(self) -> Arrays:
        """Copies of every parameter, statistic, optimizer slot and counter, as host arrays."""

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned, here or in another framework."""

    def random_state(self) -> Any:
        """A copy of the state of the generator that draws the dropout masks."""

    def set_random_state(self, random_state: Any) -> None:
        """Rewind the generator to what `random_state` returned."""

    def draw_masks(self, batch: int) -> Arrays:
        """Draw what the next training step of `batch` samples would multiply by: 0 or 1/(1-p).

        The generator moves on as the step would move it. Drawn by the framework itself, compiled the same way
        as the step, so that the oracle can repeat exactly what a timed step did.
        """


class TellsHowItRuns(Protocol):
    """What a model's class may tell besides, for the report's table of what is equal and what differs."""

    compiled: str
    """What makes one program of a training step, or that nothing does."""

    layout: str
    """How a dense layer's weights lie in memory."""


class ShowsActiveUnits(Protocol):
    """What a model may offer besides: where it is coarse (TF32, bfloat16) or the network is large, which ReLUs pass is not told by the oracle."""

    def active_units(self, x: Any) -> Arrays:
        """Which units (B, H) pass in a training step on x with the generator where it stands; nothing else may move.

        By the names of the oracle's kinks.
        """


class ShowsSteps(Protocol):
    """What a model may offer besides: its training step calls, one after the other, what computes each of its steps.

    Not for a step that is compiled into one program.
    """

    def calls_of_steps(self) -> list[tuple[str, Any, str]]:
        """(step, object, method) of what the training step calls, besides the functions under its file's headings."""


class Oracle(Model, Protocol):
    """The reference model, in float64 NumPy: it repeats a step that another implementation did."""

    @property
    def dtype(self) -> np.dtype: ...

    def in_arithmetic(self, dtype: Any, array: type[np.ndarray]) -> Oracle:
        """The same formulas in another number type, and with another kind of array."""

    def repeat_step(
        self, x: np.ndarray, y: np.ndarray, masks: Mapping[str, np.ndarray], active: Mapping[str, np.ndarray] | None
    ) -> Any:
        """A training step with the given dropout masks; where `active` says so, with just these sides of the kinks."""

    def kinks(self) -> Arrays:
        """The inputs of every non-smooth function (ReLU) in the last step, by the names that `active` uses."""

    def sample_losses(self, logits: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The loss of every sample (B,) that belongs to these logits (B, C)."""

    def slot_terms(
        self, x: np.ndarray, y: np.ndarray, masks: Mapping[str, np.ndarray], active: Mapping[str, np.ndarray]
    ) -> Arrays:
        """By slot, after such a step: the sum of the sizes of the terms that it is made of."""

    def parameters_from_slots(
        self, before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]
    ) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """What the parameters must be given the slots after the step, by name.

        (value, sum of the sizes of its terms, what the rounding of constants in double precision is in proportion to).
        """


class Framework(Protocol):
    """What the harness needs to know about one framework. One adapter module each, in `frameworks/`."""

    NAME: str

    def devices(self) -> list[str]:
        """`cpu`, `cuda:0`, ... as they can be used now. Raises Unavailable with the reason and the fix."""

    def start(self, threads: int) -> None:
        """Once per process, before any work: threads and precision flags."""

    def to_device(self, array: np.ndarray, device: str) -> Any:
        """Copy a host array to the device, finished on return."""

    def to_host(self, tensor: Any) -> np.ndarray:
        """Copy a device tensor to the host."""

    def synchronise(self, device: str, result: Any) -> None:
        """Wait until everything started on the device is done; `result` is what the last call returned, one or a list."""

    def matrix_product(self, a: Any, b: Any) -> Any:
        """a @ b on the device, for the floor and for measuring the precision that is really in force."""

    def versions(self) -> dict[str, str]:
        """Versions of the framework and of the libraries that do its arithmetic."""

    def flags(self, device: str) -> dict[str, str]:
        """Precision and determinism switches as they stand, and the threads really used."""


class SwitchesToFloat64(Protocol):
    """What an adapter may offer besides: a documented switch, where the framework has no float64 without it."""

    def use_float64(self) -> None:
        """Once per process, after `start` and before anything is built, whenever the precision is float64."""


class PatchedForFloat64(Protocol):
    """What an adapter may offer instead: a way round a framework that has no float64 throughout.

    Nothing is timed in a process that was patched: nobody uses the framework so.
    """

    def patch_for_float64(self) -> None:
        """Once per process, after `start` and before anything is built; for proofs in float64 only."""


class OffersCoarsePrecisions(Protocol):
    """What an adapter may offer besides: matrix products in TF32 and bfloat16, where the device has them."""

    def use_precision(self, precision: str) -> None:
        """Once per process, after `start` and before anything is built: "tf32" or "bfloat16"."""

    def as_factor(self, tensor: Any) -> Any:
        """The tensor as the precision in use multiplies it, for `matrix_product`."""


class CanBeDeterministic(Protocol):
    """What an adapter may offer besides: the framework's switch for the same bits in every run."""

    def make_deterministic(self) -> None:
        """From now on, in this process. Never in one that times: the switch may choose slower algorithms."""


class Copies(Protocol):
    """What an adapter may offer besides: a copy on the device, for the floor of what moves much memory."""

    def copy(self, source: Any, target: Any) -> Any:
        """`source` over `target` where arrays can be written to, else anew; returns the copy."""


class CountsMemory(Protocol):
    """What an adapter may offer besides: the memory of a GPU as the framework's own allocator counts it."""

    MEMORY_COUNTER: str
    """What counts, and what it counts, in words."""

    def reset_peak(self, device: str) -> bool:
        """Begin a new peak; False where the framework cannot."""

    def memory_bytes(self, device: str) -> tuple[int, int]:
        """Bytes held now, and the peak since it was last reset (never: since the process began)."""


class HasDeviceClock(Protocol):
    """What an adapter may offer besides: the clock of a GPU."""

    def device_s(self, device: str, run: Callable[[], object]) -> float:
        """Seconds between two events in the device's own stream, one before and one after what `run()` puts there."""
