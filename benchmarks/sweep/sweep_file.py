"""The file of a sweep: the kinds of machines, what is asked of Slurm for each, and the options of `run` that all share."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from benchmarks.records.configuration import Strict
from implementations.errors import BadInput
from implementations.spec import read

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""Of a kind: folders and jobs are called so."""


class Kind(Strict):
    """A kind of machine. What is no field of it is asked of Slurm, under submitit's names."""

    model_config = ConfigDict(extra="allow")

    nodes: int = Field(1, ge=1, le=1000)
    """How many nodes of it. Each has a whole run of its own."""

    python: str = ""
    """What starts Python there, as a shell has it: a container's too. Nothing: this interpreter."""

    setup: list[str] = Field(default_factory=list)
    """Lines of the shell that come before it."""


class SweepFile(Strict):
    """What is asked for. `slurm` is for every kind, where that says nothing else."""

    run: list[str] = Field(default_factory=list)
    slurm: dict[str, Any] = Field(default_factory=dict)
    kinds: dict[Name, Kind] = Field(min_length=1)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a TOML file. Raises BadInput that names every wrong field."""
        try:
            return cls.model_validate(read(path, "sweep"))
        except ValidationError as error:
            mistakes = [f"  {'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
            raise BadInput("\n".join([f"{path} is no sweep:", *mistakes])) from None

    def runs(self) -> dict[str, Kind]:
        """The kind of each run, by the run's name: a100-1, a100-2, h100-1."""
        return {f"{name}-{number}": kind for name, kind in self.kinds.items() for number in range(1, kind.nodes + 1)}
