"""Training on real data, epoch by epoch: for whoever wants to train, and what the bench times and draws learning curves of.

    from implementations.train import train

    for epoch in train("mlp", "torch", epochs=5):
        print(epoch.number, epoch.loss, epoch.score)

No clock here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from implementations import precisions, registry
from implementations.contract import Arrays, Batch, Dataset, DeviceArray, DeviceBatch, Model, Spec
from implementations.declarations import Metric
from implementations.errors import BadInput, Unavailable
from implementations.initialisation import initial_state, stored


class Samples:
    """A data set by the names of a batch's arrays: `train`, which may be none, and `test`; its batches are copied to a device."""

    def __init__(self, arrays: Mapping[str, np.ndarray], seed: int, to_device: Callable[[Batch], DeviceBatch]) -> None:
        """`arrays`: as `contract.Dataset.arrays` gives them (`x_train`, ...); `seed`: of the order of the samples."""
        self.seed, self.to_device = seed, to_device
        self.train, self.test = (
            {name.removesuffix(part): array for name, array in arrays.items() if name.endswith(part)}
            for part in ("_train", "_test")
        )

    @property
    def count(self) -> int:
        """To train on."""
        return len(next(iter(self.train.values())))

    def epoch(self, model: Model, batch: int, number: int) -> list[DeviceArray]:
        """One pass: gather, copy, step. Returns the losses, without waiting for the last."""
        return [model.train_step(arrays) for arrays in self.batches(batch, number)]

    def batches(self, batch: int, number: int) -> Iterator[DeviceBatch]:
        """Shuffled anew for every number, on the device, in whole batches; the remainder waits for another epoch's shuffle."""
        order = np.random.default_rng([self.seed, number]).permutation(self.count)
        for rows in np.split(order[: self.count // batch * batch], max(self.count // batch, 1)):
            gathered: Arrays = {name: array[rows] for name, array in self.train.items()}
            yield self.to_device(gathered)


@dataclass(frozen=True)
class Epoch:
    """After one pass over the training samples: the mean loss of its batches, and on the test set the metric and the logits."""

    number: int
    loss: float
    metric: float
    score: str
    """The metric for people: "accuracy 96.1%"."""

    logits: np.ndarray

    @classmethod
    def after(
        cls, number: int, losses: list[DeviceArray], logits: DeviceArray, metric: Metric, test: Batch,
        to_host: Callable[[DeviceArray], np.ndarray],
    ) -> "Epoch":  # fmt: skip
        """From what the device has of it."""
        loss, on_host = float(np.mean([float(to_host(loss)) for loss in losses])), to_host(logits)
        value = metric.of(on_host, test)
        return cls(number, loss, value, metric.words(value), on_host)


def train(
    model: str,
    framework: str,
    *,
    spec: Spec | str = "",
    dataset: Dataset | Path | str | None = None,
    epochs: int = 5,
    device: str = "cpu",
    mode: str = "plain",
    threads: int = 1,
) -> Iterator[Epoch]:
    """Train a model in a framework, from the initial state of the specification's seed; the same batches in every framework.

    `spec`: a specification, a preset's name or a TOML file; without it the first preset. `dataset`: data, or a file of it, to whose sizes a
    preset is fitted; without it the model's own. One framework per process.
    Raises BadInput where the data does not fit or has less than one batch, or a word is none that is known; Unavailable where framework, device
    or precision is not to be had.
    """
    _check(model, framework, mode, epochs)
    network, dataset = _network(model, spec, dataset)
    _check_data(network, dataset)
    if problem := precisions.problem(model, framework, device, network.precision):
        raise problem
    adapter = registry.adapter(framework)
    adapter.start(threads)
    if device not in (devices := adapter.devices()):
        raise Unavailable(f"{framework} cannot use {device}; it sees {', '.join(devices)}.", "Name one of these.")
    precisions.enter(adapter, network.precision)

    def to_device(batch: Batch) -> DeviceBatch:
        return {name: adapter.to_device(array, device) for name, array in stored(network, batch).items()}

    made = registry.model_class(model, framework, mode)(network, device)
    made.load_state(initial_state(network))
    samples = Samples(dataset.arrays(), network.seed, to_device)
    test = to_device(samples.test)
    for number in range(1, epochs + 1):
        losses = samples.epoch(made, network.batch, number)
        yield Epoch.after(number, losses, made.predict(test), network.metric, samples.test, adapter.to_host)


def _network(model: str, spec: Spec | str, dataset: Dataset | Path | str | None) -> tuple[Spec, Dataset]:
    """The specification and the data, read where a name or a file was given."""
    specification: type[Spec] = registry.part(model, "spec").Spec
    data, is_file = registry.part(model, "data"), isinstance(spec, str) and spec.endswith(".toml")
    if isinstance(spec, str):
        name = spec or next(iter(specification.PRESETS))
        network = specification.load(Path(name)) if is_file else specification.preset(name)
    else:
        network = spec
    if not dataset:
        return network, data.default(network)
    if not isinstance(dataset, str | Path):
        return network, dataset
    loaded = data.load(dataset, network)
    return network.sized_for(loaded) if isinstance(spec, str) and not is_file else network, loaded


def _check(model: str, framework: str, mode: str, epochs: int) -> None:
    """Raises where something was asked for that there is not. The data, which takes a second to read, is not needed for that."""
    registry.check_model(model, f"--model {model}")
    registry.check_framework(framework)
    if registry.is_peer(framework):
        names = ", ".join(registry.frameworks())
        raise BadInput(
            f"framework: {framework} stands beside what is timed, and is not trained here. There are: {names}."
        )
    if problem := registry.missing(framework) or registry.not_written(model, framework):
        raise problem
    if mode not in (modes := registry.modes(model, registry.base(framework))):
        raise BadInput(f"mode: {framework} has no mode {mode!r} for this model; it has {', '.join(modes)}.")
    if not isinstance(epochs, int) or epochs < 1:
        raise BadInput(f"epochs: {epochs!r} is no whole number above 0.")


def _check_data(spec: Spec, dataset: Dataset) -> None:
    """Raises where the data does not fit."""
    if misfit := spec.misfit(dataset):
        raise BadInput(misfit)
    if dataset.samples < spec.batch:
        raise BadInput(f"batch: {spec.batch} is more than the {dataset.samples} training samples. Set a smaller batch.")
