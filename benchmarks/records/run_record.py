"""The first record of a run: what was asked for, under which specification, by which code, and the texts that the report prints."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from benchmarks.records.configuration import Axes, Cell, Strict

SCHEMA_VERSION = 3


class StepText(Strict):
    """A step of the network, for people; `shown_by` names the groups of the proof that show a mistake in it first."""

    name: str
    title: str = ""
    formula: str = ""
    explanation: str = ""
    source: str = ""
    shown_by: str = ""
    layer: str = ""
    """Folder and file of its code among the layers."""


class ConventionText(Strict):
    """Something on which frameworks differ, and what the specification decided."""

    item: str
    choice: str
    source: str = ""


class VariantText(Strict):
    """A variant of the specification, and the frameworks that run under it as they come."""

    name: str
    explanation: str = ""
    frameworks: list[str] = Field(default_factory=list)


class LimitText(Strict):
    """What a framework computes otherwise than it should; the program that shows it stands in tests/limits."""

    model_config = ConfigDict(extra="ignore")

    name: str
    frameworks: list[str]
    statement: str = ""


class MetricText(Strict):
    """What shows on the test set whether a network has learned, and the value at which it has."""

    name: str = "accuracy"
    target: float = 0.97
    share: bool = True
    """A share of 1, shown in percent, of which more is better; otherwise a number of which less is better."""

    def reached(self, value: float) -> bool:
        """Whether this is as good as the target."""
        return value >= self.target if self.share else value <= self.target


class DatasetFacts(Strict):
    """The data of the trainings; "synthetic" where the network fits none. The hash is of the arrays' bytes."""

    name: str
    train_samples: int | None = None
    test_samples: int | None = None
    features: int | None = None
    classes: int | None = None
    sha256: str | None = None


class CodeFacts(Strict):
    """The commit of the checkout, whether it was changed since, and the hash of the code itself."""

    commit: str | None = None
    dirty: bool | None = None
    sha256: str | None = None


class FaultDetection(Strict):
    """What the proof notices, by the newest `make prove`: checks by planted fault, framework and precision."""

    networks: list[str] = Field(default_factory=list)
    """That were judged."""

    same_code: bool = False
    faults: dict[str, dict[str, dict[str, int]]] = Field(default_factory=dict)
    seeds: int = 0
    false_alarms: int = 0


class Absent(Strict):
    """What is not there or was left out, though nobody asked for it by name."""

    model: str
    framework: str
    device: str = ""
    reason: str
    fix: str = ""


class NetworkRecord(Strict):
    """One network of a run: what it is, its specification, its data, and what the report says of it."""

    model: str
    title: str = ""
    """What the model is called."""

    summary: str = ""
    """The network in a few words."""

    metric: MetricText = Field(default_factory=MetricText)
    spec: dict[str, Any]
    """In the model's own words: read by that model's specification, shown field by field."""

    spec_sha256: str
    size: Axes = Field(default_factory=dict)
    """The specification's own place on the axes: the user's size."""

    parameters: int = 0
    """Numbers that it learns."""

    has_tuned: bool = True
    """Whether a framework has a tuned mode of it."""

    unnamed: bool = False
    """Whether nobody named it: one size of its training step is timed in few frameworks."""

    steps: list[StepText]
    conventions: list[ConventionText]
    variants: list[VariantText]
    dataset: DatasetFacts


class RunRecord(Strict):
    """The first line of the records."""

    kind: Literal["run"] = "run"
    schema_version: int = SCHEMA_VERSION
    started_at: str
    command: list[str]
    profile: str
    seed: int
    blocks: int
    networks: list[NetworkRecord] = Field(min_length=1)
    code: CodeFacts
    pythons: dict[str, str] = Field(default_factory=dict)
    """Interpreters other than the run's own, by framework."""

    limits: list[LimitText] = Field(default_factory=list)
    """Of the planned frameworks."""

    fault_detection: FaultDetection = FaultDetection()
    costs: bool = True
    """Whether imports, memory and energy are measured after the blocks."""

    cells: list[Cell]
    absent: list[Absent]

    @property
    def named(self) -> list[NetworkRecord]:
        """The networks that were named, or stand for one that was not; not those that are timed beside them."""
        return [network for network in self.networks if not network.unnamed] or self.networks

    @property
    def cells_with_costs(self) -> list[Cell]:
        """Those whose costs are measured after the blocks: of the networks that were named."""
        named = {network.model for network in self.named}
        return [cell for cell in self.cells if self.costs and cell.who.model in named]

    def network(self, model: str) -> NetworkRecord:
        """What is said of one model. Raises KeyError for one that the run has not."""
        return {network.model: network for network in self.networks}[model]
