"""From what was typed to a validated request: the specification, the data, the plan. Nothing is written or started."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks import gpus
from benchmarks.cli import options
from benchmarks.plan import cells as plan
from benchmarks.plan.cells import Plan
from benchmarks.plan.estimate import RunEstimate, within
from benchmarks.plan.profiles import PROFILES
from benchmarks.plan.request import Request
from benchmarks.runner.progress import Say
from implementations import catalogue, registry
from implementations.contract import Dataset, Spec
from implementations.errors import BadInput
from implementations.spec import read

if TYPE_CHECKING:
    import numpy as np


ZOO = PROFILES["zoo"].preset
"""The preset of networks that nobody named: all have it, and it is small."""


@dataclass(frozen=True)
class PreparedNetwork:
    """A network of a request: its specification, and its data where that fits."""

    spec: Spec
    dataset: Dataset | None = None
    samples: int = 0
    """To train on, as far as known before the data is loaded."""

    def arrays(self) -> "dict[str, np.ndarray]":
        """What the workers train on; nothing where the network does not fit the bundled data and none was given."""
        import numpy as np

        if self.dataset is not None:
            return self.dataset.arrays()
        declared = self.spec.arrays().items()
        kinds = {name: np.int64 if array.below else np.float32 for name, array in declared}
        return {f"{name}_train": np.zeros((0, *array.shape[1:]), kinds[name]) for name, array in declared}


@dataclass(frozen=True)
class Prepared:
    """A validated request: nothing has been written or started yet."""

    networks: Mapping[str, PreparedNetwork]
    request: Request
    plan: Plan
    budget_s: float = math.inf

    def check_before_it_starts(self, say: Say) -> None:
        """Raises BadInput where nothing is planned, with what was left out, or something that was named cannot be imported."""
        from benchmarks.runner import probes

        if not self.plan.cells:
            reasons: list[str] = []
            self.say_absent(reasons.append)
            why = (
                "\n".join(reasons)
                or "these options leave nothing together; `list` with fewer of them shows what there is."
            )
            raise BadInput(f"nothing to measure: {why}")
        self._check_memory()
        probes.check(self.plan.cells, self.request, say)

    def _check_memory(self) -> None:
        """Raises BadInput where the state alone of some network is more than this machine can hold."""
        memory = psutil.virtual_memory().total
        for model, axes in dict.fromkeys((cell.who.model, tuple(cell.axes.items())) for cell in self.plan.cells):
            spec = self.networks[model].spec.changed(**dict(axes))
            needed = 4 * sum(math.prod(tensor.shape) for tensor in spec.tensors().values())
            if needed > memory:
                size = ", ".join(f"{name} {value}" for name, value in axes)
                raise BadInput(
                    f"{spec.TITLE}, {size}: its parameters and what the optimizer keeps of them take {needed / 2**30:,.0f} GiB; this "
                    f"machine has {memory / 2**30:,.0f}. Take a smaller network."
                )

    def say_absent(self, say: Say) -> None:
        """What is not there or was left out, a line each."""
        for line in dict.fromkeys(f"{entry.framework}: {entry.reason} {entry.fix}" for entry in self.plan.absent):
            say(f"not there: {line}".rstrip())

    @property
    def estimate(self) -> RunEstimate:
        """What it depends on: the networks, and how much there is to train on."""
        specs = {model: network.spec for model, network in self.networks.items()}
        samples = {model: network.samples for model, network in self.networks.items()}
        return RunEstimate(specs, samples, self.request.unnamed)


def prepare(load_data: bool = True, unnamed: bool = False, **choice: Any) -> Prepared:
    """Validate everything that was asked for. Raises BadInput and Unavailable, and writes nothing.

    `unnamed`: where no network was named, with the other networks that the profile times beside it.
    """
    name = choice["spec"]
    file = Path(name) if Path(name).suffix == ".toml" or "/" in name else None
    models = _models(choice["model"], file)
    if len(models) > 1 and (file or choice["data"]):
        option = f"--spec {name}" if file else "--data"
        raise BadInput(f"--model {choice['model']}: {option} is for one network. Leave it out, or name one model.")
    preset = name or options.profile(choice["profile"]).preset
    specs = {model: _spec(model, preset, file) for model in models}
    request = options.request(specs, choice, own_spec=name not in ("", *map(_default, models)))
    networks = {model: _network(model, spec, load_data, choice["data"], request, file) for model, spec in specs.items()}
    others = {model: PreparedNetwork(_spec(model, ZOO, None)) for model in _unnamed(choice)} if unnamed else {}
    networks |= others
    specs = {model: network.spec for model, network in networks.items()}
    without_data = tuple(model for model, network in networks.items() if not network.samples)
    request = dataclasses.replace(request, without_data=without_data, unnamed=tuple(others))
    return _planned(networks, request, plan.plan(specs, request, gpus.visible()))


def _planned(
    networks: Mapping[str, PreparedNetwork], request: Request, plan: Plan, budget_s: float = math.inf
) -> Prepared:
    """Without the networks that nobody named and of which nothing is planned."""
    planned = {cell.who.model for cell in plan.cells}
    kept = {model: network for model, network in networks.items() if model in planned or model not in request.unnamed}
    return Prepared(kept, request, plan, budget_s)


def _unnamed(choice: Mapping[str, Any]) -> list[str]:
    """Our other networks, where the profile has them and neither a network nor its size or data was named."""
    named = any(choice[option] for option in ("model", "spec", "data", "sets"))
    wanted = options.profile(choice["profile"]).unnamed and not named
    return [model for model in options.ALIASES["--model"][options.ALL] if wanted and model != catalogue.MODEL]


def _default(model: str) -> str:
    """The name of its first preset."""
    return str(next(iter(registry.part(model, "spec").Spec.PRESETS)))


def _spec(model: str, name: str, file: Path | None) -> Spec:
    """The specification that was asked for."""
    spec_class: type[Spec] = registry.part(model, "spec").Spec
    return spec_class.load(file) if file else spec_class.preset(name or _default(model))


def _network(
    model: str, spec: Spec, load_data: bool, path: str | None, request: Request, file: Path | None
) -> PreparedNetwork:
    """A specification with its data. Raises BadInput where the user's data does not fit."""
    if not (load_data or path or request.own_spec):
        return PreparedNetwork(spec, samples=registry.part(model, "spec").SAMPLES)
    data = registry.part(model, "data")
    dataset = data.load(path, spec) if path else data.default(spec)
    if path and file is None:
        spec = spec.sized_for(dataset)
    if misfit := spec.misfit(dataset):
        if path:
            raise BadInput(misfit)
        return PreparedNetwork(spec)  # nobody asked for the default data: what is timed are synthetic batches
    return PreparedNetwork(spec, dataset, dataset.samples)


def _models(names: str | None, file: Path | None) -> list[str]:
    """The models that were asked for, or the one that the specification's file names. Raises BadInput where they disagree."""
    models = options.listed("--model", names)
    for model in models:
        registry.check_model(model, f"--model {names}")
    named = read(file).get("model") if file else None
    if named is not None:
        registry.check_model(named, f"{file}: model = {named!r}")
    if models and named is not None and models != (named,):
        raise BadInput(f"--model {names}: the specification {file} says model = {named!r}. Leave one of them out.")
    return list(models) or [str(named or catalogue.MODEL)]


def fit(prepared: Prepared, budget: str) -> Prepared:
    """The same request with as many blocks and rounds as fit into a time like 90s, 10m or 1h. Raises BadInput."""
    budget_s = options.seconds(budget)
    fitted, profile = within(budget_s, prepared.plan, prepared.request.profile, prepared.estimate)
    request = dataclasses.replace(prepared.request, profile=profile)
    return _planned(prepared.networks, request, fitted, budget_s)
