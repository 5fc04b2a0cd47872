"""What a record speaks of: an implementation as it was run, and a cell, which is that in a phase at a size."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

Axes = dict[str, int | str]
"""A size: a number, or a word such as the kind of a cell, on each of a network's axes."""


class Strict(BaseModel):
    """Part of a record: it cannot be changed, refuses keys that it does not know, and keeps infinities and NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants", defer_build=True)


class Configuration(Strict):
    """One implementation as it was run: what a proof speaks of and a ranking ranks."""

    model: str
    framework: str
    variant: str = "spec"
    device: str = "cpu"
    threads: int
    precision: str = "float32"
    mode: str = "plain"

    @property
    def label(self) -> str:
        """Short name for people, without what the comparison holds equal."""
        return self.framework + ("" if self.variant == "spec" else f" ({self.variant})")

    @property
    def base(self) -> str:
        """The framework, whichever installation of it: `torch` for `torch@next`."""
        return self.framework.partition("@")[0]


class Cell(Strict):
    """What is timed: an implementation in a phase (`train_step`, `predict`, `epoch`, `products`) at a size."""

    who: Configuration
    phase: str
    axes: Axes

    @property
    def id(self) -> str:
        """A readable identity, the same in every run of the same plan."""
        return "/".join((*self.words, "-".join(self.sizes)))

    @property
    def words(self) -> list[str]:
        """What its identity begins with: the implementation as it was run, and the phase."""
        who = self.who
        parts = [who.model, who.framework, who.variant, who.device, f"t{who.threads}", who.precision, who.mode]
        return [*parts, self.phase]

    @property
    def sizes(self) -> list[str]:
        """What its identity ends with: "batch256", one for each axis."""
        return [f"{name}{'=' * isinstance(value, str)}{value}" for name, value in sorted(self.axes.items())]

    @property
    def comparison_group(self) -> tuple[str, ...]:
        """Cells of the same group take turns: same model, phase, size, precision, threads. Those of one mode are ranked."""
        size = ",".join(f"{name}={value}" for name, value in sorted(self.axes.items()))
        return (self.who.model, self.phase, size, self.who.precision, str(self.who.threads))


def size_order(axes: Mapping[str, int | str]) -> tuple[tuple[str, bool, int | str], ...]:
    """What sizes are sorted by, axis by axis: numbers as numbers, then words."""
    return tuple((name, isinstance(value, str), value) for name, value in sorted(axes.items()))


def numbers(axes: Mapping[str, int | str]) -> dict[str, int]:
    """The axes of a size on which numbers stand."""
    return {name: value for name, value in axes.items() if isinstance(value, int)}
