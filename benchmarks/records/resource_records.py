"""The records of what is not a time of a cell: imports, sizes on disk, memory, energy. Each is a number or a reason."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from benchmarks.records.configuration import Axes, Configuration, Strict


class Reading(Strict):
    """Something that was measured, or the reason why it was not: `_figures` names the fields of the measurement."""

    _figures: ClassVar[tuple[str, ...]]
    reason: str = ""

    @model_validator(mode="after")
    def _is_no_silent_hole(self) -> Self:
        if any(getattr(self, name) is None for name in self._figures) and not self.reason:
            raise ValueError(f"{' and '.join(self._figures)} must be there, or a reason")
        return self


class Peak(Reading):
    """Bytes held just before this model was built, and the most held while it worked.

    The process had trained another one before: what a framework loads for its first model is in `before_bytes`.
    """

    _figures = ("before_bytes", "peak_bytes")
    before_bytes: int | None = None
    peak_bytes: int | None = None
    counter: str = ""
    """What counted, and what it counts."""


class DeviceClocks(Strict):
    """Three labelled times of one call on a GPU, in seconds; beside the ranked one, never mixed with it."""

    latency_s: float
    """One call and its fence, from an idle device, by the host's clock."""

    slope_s: float
    """What one call more costs, by the host's clock: the difference of rounds of N and of 2 N calls, over N."""

    events_s: float | None
    """A call in a round, between two events by the device's own clock; None where the framework offers none."""


class Energy(Reading):
    """Joules that a device used while it trained on so many samples; what it uses when idle is in it."""

    _figures = ("joules", "samples", "elapsed_s")
    joules: float | None = None
    samples: int | None = None
    elapsed_s: float | None = None
    counter: str = ""


class Interference(Strict):
    """What else had the processors during a block; None where the system does not count it."""

    cores: int
    """Logical processors of the machine."""

    stolen_s: float | None
    """Seconds, summed over the processors, in which a virtual machine was ready to run and its host ran something else."""

    others_s: float | None = None
    """Seconds, summed over the processors that the run may use, in which programs of others were at work there."""

    usable: int = 0
    """How many processors these are; 0 where that was not counted."""

    throttled_s: float | None
    """Seconds in which the quota of the run's group of processes stopped it."""


class StartRecord(Reading):
    """What importing a framework took in a process of its own, with no other at work and its files read before."""

    _figures = ("import_s",)
    kind: Literal["start"] = "start"
    who: Configuration
    import_s: float | None = None


class InstalledRecord(Reading):
    """Bytes on disk of the distributions that a framework needs; by name and version in `distributions`."""

    _figures = ("bytes",)
    kind: Literal["installed"] = "installed"
    framework: str
    bytes: int | None = None
    distributions: dict[str, int] = Field(default_factory=dict)


class ResourceRecord(Strict):
    """What some training steps and a prediction take, in a process that is not timed: memory and energy."""

    kind: Literal["resources"] = "resources"
    who: Configuration
    axes: Axes
    host: Peak
    device: Peak
    energy: Energy
