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
from implementations import registry
from implementations.contract import Spec
from implementations.errors import BadInput
from implementations.spec import read

if TYPE_CHECKING:
    import numpy as np

    from implementations.data import Dataset

MODEL = "mlp"
"""Where nothing else is asked for."""

DIGITS = 1437
"""Training samples of the bundled data, for the estimate of a command that does not load them."""

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
    request = options.request(model, choice)
    spec_class = registry.part(model, "spec").Spec
    spec = spec_class.load(Path(choice["spec"])) if from_file else spec_class.preset(choice["spec"])
    dataset = None
    if load_data or choice["data"]:
        from implementations import data

        dataset = data.load(choice["data"]) if choice["data"] else data.digits()
        if not from_file and choice["data"]:
            spec = spec.sized_for(dataset)
        if from_file or choice["data"] or choice["spec"] == "digits":
            if misfit := spec.misfit(dataset):
                raise BadInput(misfit)
        else:
            dataset = None
    samples = len(dataset.y_train) if dataset else 0 if load_data or choice["spec"] != "digits" else DIGITS
    return Prepared(model, spec, request, plan.plan(model, spec, request, gpus.visible()), dataset, samples)


def _model(name: str | None, file: str) -> str:
    """The model that was asked for, or that the specification's file names. Raises BadInput where they disagree."""
    named = read(Path(file)).get("model") if file else None
    if name and named and name != named:
        raise BadInput(f"--model {name}: the specification {file} says model = {named!r}. Leave one of them out.")
    model = str(name or named or MODEL)
    registry.check_model(model)
    return model


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
        return {"x_train": np.zeros((0, 1), np.float32), "y_train": np.zeros(0, np.int64)}
    return prepared.dataset.arrays()


def minutes(seconds: float) -> str:
    """A rough duration."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
