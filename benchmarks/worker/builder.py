"""Builds the models of one network in one framework on one device, each with its first state and its batches, for those who measure them."""

import numpy as np

from benchmarks.records.record import Axes, Configuration
from benchmarks.worker.protocol import Task
from implementations import registry
from implementations.contract import Arrays, Batch, DeviceArray, DeviceBatch, Framework, Model, Spec
from implementations.initialisation import batches, initial_state, stored

BATCHES = 8
"""Distinct batches that a measured model cycles through: training on one alone drifts to a loss of exactly 0."""


def device_here(device: str) -> str:
    """What a device is called in a worker: the runner hides the other GPUs from it, so whichever it is, it is the first there."""
    return "cuda:0" if device.startswith("cuda") else "cpu"


class Builder:
    """Of one network, for the framework and the device that a worker was started for."""

    def __init__(self, task: Task, adapter: Framework) -> None:
        self.who, self.adapter = task.who, adapter
        self.device = device_here(self.who.device)
        self.kind = self.device.partition(":")[0]
        self.model_class = registry.model_class(self.who.model, self.who.framework, self.who.mode)
        specification = registry.part(self.who.model, "spec").Spec.parse(task.spec, "the job")
        self.spec: Spec = specification.changed(precision=self.who.precision)

    def spec_at(self, who: Configuration, axes: Axes) -> Spec:
        """The specification of this variant at this size."""
        return self.spec.changed(**axes).variant(who.variant)

    def model(self, spec: Spec, state: Arrays) -> Model:
        """A model in this state."""
        model = self.model_class(spec, self.device)
        model.load_state(state)
        return model

    def state(self, spec: Spec) -> Arrays:
        """The first state of a training."""
        return initial_state(spec)

    def host_batches(self, spec: Spec, count: int = BATCHES) -> list[Arrays]:
        """Synthetic batches as host arrays."""
        return [stored(self.spec, batch) for batch in batches(spec, count)]

    def batch_to_device(self, batch: Batch) -> DeviceBatch:
        """A copy of the batch on the device, likewise."""
        return {name: self.to_device(array) for name, array in stored(self.spec, batch).items()}

    def to_device(self, array: np.ndarray) -> DeviceArray:
        """A copy on the device, finished on return."""
        return self.adapter.to_device(array, self.device)

    def fence(self, result: DeviceArray) -> None:
        """Wait until the device has finished this."""
        self.adapter.synchronise(self.device, result)
