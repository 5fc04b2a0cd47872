"""What a network declares: the arrays of a batch, masks, branches, tensors, steps, mistakes, conventions and variants; and what a limit of a framework is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:  # the command line imports this module before NumPy is needed
    import numpy as np

Role = Literal["parameter", "statistic", "slot", "counter"]


@dataclass(frozen=True)
class BatchArray:
    """One array of a batch: its shape, the samples first, and what it is for."""

    shape: tuple[int, ...]
    role: Literal["input", "target"]
    below: int = 0
    """Whole numbers in [0, below), such as labels; 0: real numbers."""


@dataclass(frozen=True)
class Mask:
    """The dropout masks of one layer in one step: zero with probability `rate`, else 1/(1-rate)."""

    shape: tuple[int, ...]
    rate: float
    after: str = ""
    """The branch whose result it multiplies, number by number, if it does: where it is zero, the choice does not matter."""


@dataclass(frozen=True)
class Branch:
    """What a non-smooth function chose, number by number: of two where it is a ReLU, of k where it is a maximum."""

    choice: np.ndarray
    runner_up: np.ndarray
    lead: np.ndarray
    """How far the choice is ahead of the runner-up; infinite where neither matters."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of a model's state: its shape, what it is for, and, for a slot, whose slot it is."""

    shape: tuple[int, ...]
    role: Role
    of: str | None = None
    initial: Literal["zeros", "ones", "normal"] = "zeros"
    deviation: float = 1.0
    """Of the normal numbers that it begins with, whose mean is 0."""

    ones: range = range(0)
    """Columns that begin with 1, whatever the others begin with."""

    decays: bool = False
    """Whether weight decay applies."""

    positive: bool = False
    """A variance or a second moment, which is never negative."""

    layout: str = ""
    """What its axes are, such as "(in, out)"."""


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

    layer: str = ""
    """Folder and file of its code under `layers/`, or a file of the network's own package, without the family's ending.

    Nothing for a step that stands under its name on every page.
    """


TRAINING = "training/training"
"""The file of a mistake in what all models of a family share."""

Edits = tuple[tuple[str, ...], ...]
"""(old, new) texts, or (old, new, file) where it is not the mistake's own file. Every `old` stands in its file exactly once."""


@dataclass(frozen=True)
class Mistake:
    """A mistake that people make: in every family a small change of the text of its files."""

    name: str
    meaning: str
    file: str
    """As of a step: folder and file under `layers/`, TRAINING, or a file of the network's own package, without the ending."""

    changes: Mapping[str, Edits | str]
    """Family -> what is changed there, or why the mistake cannot be made. CuPy's are NumPy's where it has none of its own."""

    def change(self, family: str) -> Edits | str | None:
        """What is changed in this family, or why it cannot be; None where nothing is said of it."""
        if family == "cupy" and family not in self.changes:
            edits = self.changes["numpy"]
            return edits if isinstance(edits, str) else tuple(tuple(t.replace("np.", "cp.") for t in e) for e in edits)
        return self.changes.get(family)


@dataclass(frozen=True)
class Convention:
    """One choice on which frameworks differ, what the specification decided, and after whom."""

    item: str
    choice: str
    source: str


@dataclass(frozen=True)
class Metric:
    """What shows on a test set whether the network has learned, and the value at which it has."""

    name: str
    """For people: "accuracy"."""

    of: Callable[[np.ndarray, Mapping[str, np.ndarray]], float]
    """From logits and the batch that they belong to."""

    target: float
    share: bool = True
    """A share of 1, shown in percent, of which more is better; otherwise a number of which less is better."""

    def words(self, value: float) -> str:
        """Such a value for people: "accuracy 96.1%", "2.31 bits per character"."""
        return f"{self.name} {value:.1%}" if self.share else f"{value:.2f} {self.name}"


@dataclass(frozen=True)
class Variant:
    """A named change of the specification under which some frameworks run as they come."""

    name: str
    explanation: str
    frameworks: tuple[str, ...]


class Check(Protocol):
    """What is read of a check, be it the proof's or a recorded one."""

    @property
    def check(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def tensor(self) -> str: ...
    @property
    def error(self) -> float: ...


@dataclass(frozen=True)
class Limit:
    """One thing that a framework itself computes otherwise than it should. The figures are those that `reproduction` prints."""

    name: str
    frameworks: tuple[str, ...]
    statement: str
    """What the framework does."""

    consequence: str
    """What that means for somebody who uses it."""

    answer: str
    """What samenet does about it."""

    reproduction: str
    """The program. For Keras, the environment variable KERAS_BACKEND says on which of several backends."""

    variants: tuple[str, ...] = ()
    """Variants of the specification under which our implementations show it; none where our file goes round it."""

    starts: tuple[str, ...] = ()
    """The proof's starts, each network's own, from which the framework's row fails because of it, if there are any."""

    groups: tuple[str, ...] = ()
    """The groups of tensors in which it fails, from any start, if it is not all from one start."""

    groups_of_starts: bool = False
    """Whether it fails in these groups from these starts, and from no other."""

    tensors: str = ""
    """How the names of the tensors end that are off in these groups, if it is not all of them."""

    most: float = math.inf
    """The error that it may explain; a larger one is not its doing."""

    settings: tuple[tuple[str, object], ...] = ()
    """Settings of a specification (`optimizer.kind` for a nested one) under which our file is the framework's own.

    True: whatever is there and not empty. None: it is empty, or there is no such setting.
    """

    modes: tuple[str, ...] = ("plain", "tuned")
    """In which mode it is so."""

    layer: str = ""
    """What it is of ("pooling/max_pool"), where it concerns the networks with this layer alone."""

    def explains(self, mode: str, spec: Mapping[str, object], check: Check) -> bool:
        """Whether it is its doing that a check (of the proof, or recorded) fails in this mode under this specification."""
        whole_start = check.check in self.starts and not self.groups_of_starts
        any_start = check.check in self.starts or not self.groups_of_starts
        of_groups = check.group in self.groups and check.tensor.endswith(self.tensors)
        here = whole_start or (any_start and of_groups)
        shows = here and mode in self.modes and (self.most == math.inf or check.error <= self.most)
        return bool(shows and self.settings and all(_holds(_setting(spec, name), v) for name, v in self.settings))


def _holds(value: object, wanted: object) -> bool:
    if wanted is None:
        return not value
    return bool(value) is wanted and value is not None if isinstance(wanted, bool) else value == wanted


def _setting(spec: Mapping[str, object], name: str) -> object:
    outer, _, inner = name.partition(".")
    value = spec.get(outer)
    return value.get(inner) if inner and isinstance(value, Mapping) else value
