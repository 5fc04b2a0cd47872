"""From what was typed to a validated request: the specification, the data, the plan. Nothing is written or started."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import gpus
from benchmarks.cli import options
from benchmarks.plan import cells as plan
from benchmarks.plan.cells import Plan, Request
from benchmarks.plan.estimate import Estimate, within
from implementations import catalogue, registry
from implementations.contract import Spec
from implementations.errors import BadInput
from implementations.spec import read

if TYPE_CHECKING:
    import numpy as np

    from implementations.contract import Dataset

Say = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """A validated request: nothing has been written or started yet."""

    model: str
    spec: Spec
    request: Request
    plan: Plan
    dataset: "Dataset | None"
    samples: int = 0
    """Training samples, as far as known before the data is loaded."""

    budget_s: float = math.inf

    def estimate_s(self) -> float:
        """Roughly how long `run` takes."""
        return self.estimate.run_s(self.plan.cells, self.request.profile)

    @property
    def estimate(self) -> Estimate:
        """What it depends on: the network, and how much there is to train on."""
        return Estimate(self.spec, self.samples)


def prepare(load_data: bool = True, **choice: Any) -> Prepared:
    """Validate everything that was asked for. Raises BadInput and Unavailable, and writes nothing."""
    from_file = Path(choice["spec"]).suffix == ".toml" or "/" in choice["spec"]
    model = _model(choice["model"], choice["spec"] if from_file else "")
    specification = registry.part(model, "spec")
    spec_class, default = specification.Spec, next(iter(specification.Spec.PRESETS))
    name = choice["spec"] or default
    request = options.request(model, choice, own_spec=name != default)
    spec = spec_class.load(Path(name)) if from_file else spec_class.preset(name)
    dataset = None
    if load_data or choice["data"]:
        data = registry.part(model, "data")
        dataset = data.load(choice["data"]) if choice["data"] else data.default()
        if not from_file and choice["data"]:
            spec = spec.sized_for(dataset)
        if misfit := spec.misfit(dataset):
            if choice["data"]:
                raise BadInput(misfit)
            dataset = None  # nobody asked for the default data: what is timed are synthetic batches
    samples = dataset.samples if dataset else specification.SAMPLES if not load_data and name == default else 0
    return Prepared(model, spec, request, plan.plan(model, spec, request, gpus.visible()), dataset, samples)


def _model(name: str | None, file: str) -> str:
    """The model that was asked for, or that the specification's file names. Raises BadInput where they disagree."""
    if name is not None:
        registry.check_model(name, f"--model {name}")
    named = read(Path(file)).get("model") if file else None
    if named is not None:
        registry.check_model(named, f"{file}: model = {named!r}")
    if name is not None and named is not None and name != named:
        raise BadInput(f"--model {name}: the specification {file} says model = {named!r}. Leave one of them out.")
    return str(name or named or catalogue.MODEL)


def fit(prepared: Prepared, budget: str) -> Prepared:
    """The same request with as many blocks and rounds as fit into a time like 90s, 10m or 1h. Raises BadInput."""
    budget_s = options.seconds(budget)
    fitted, profile = within(budget_s, prepared.plan, prepared.request.profile, prepared.estimate)
    request = dataclasses.replace(prepared.request, profile=profile)
    return dataclasses.replace(prepared, plan=fitted, request=request, budget_s=budget_s)


def arrays(prepared: Prepared) -> "dict[str, np.ndarray]":
    """What the workers train on; nothing where the network does not fit the bundled data and none was given."""
    import numpy as np

    if prepared.dataset is None:
        declared = prepared.spec.arrays().items()
        kinds = {name: np.int64 if array.below else np.float32 for name, array in declared}
        return {f"{name}_train": np.zeros((0, *array.shape[1:]), kinds[name]) for name, array in declared}
    return prepared.dataset.arrays()


def minutes(seconds: float) -> str:
    """A rough duration."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
