"""Builds the models of one framework on one device, each with its first state and its batches, for those who measure them."""

from typing import Any

import numpy as np

from benchmarks.records.record import Configuration
from benchmarks.worker.protocol import Job
from implementations import registry
from implementations.contract import Arrays, Framework, Model, Spec

BATCHES = 8
"""Distinct batches that a measured model cycles through: training on one alone drifts to a loss of exactly 0."""

Batch = tuple[Any, Any]


class Builder:
    """For the framework and the device that a worker was started for."""

    def __init__(self, job: Job, adapter: Framework) -> None:
        self.who, self.adapter = job.who, adapter
        # The runner hides the other GPUs from this process, so whichever it is, it is the first one here.
        self.kind = "cuda" if self.who.device.startswith("cuda") else "cpu"
        self.device = "cuda:0" if self.kind == "cuda" else "cpu"
        self.parameters = registry.part(self.who.model, "parameters")
        self.model_class = registry.model_class(self.who.model, self.who.framework, self.who.mode)
        specification = registry.part(self.who.model, "spec").Spec.parse(job.spec, "the job")
        self.spec: Spec = specification.changed(precision=self.who.precision)

    def spec_at(self, who: Configuration, axes: dict[str, int]) -> Spec:
        """The specification of this variant at this size."""
        return self.spec.changed(**axes).variant(who.variant)

    def model(self, spec: Spec, state: Arrays) -> Model:
        """A model in this state."""
        model: Model = self.model_class(spec, self.device)
        model.load_state(state)
        return model

    def state(self, spec: Spec) -> Arrays:
        """The first state of a training."""
        state: Arrays = self.parameters.initial_state(spec)
        return state

    def host_batches(self, spec: Spec, count: int = BATCHES) -> list[Batch]:
        """Synthetic batches as host arrays."""
        return [(x.astype(spec.dtype), y) for x, y in self.parameters.batches(spec, count)]

    def batches(self, host: list[Batch]) -> list[Batch]:
        """The same on the device."""
        return [(self.to_device(x), self.to_device(y)) for x, y in host]

    def to_device(self, array: np.ndarray) -> Any:
        """A copy on the device, finished on return."""
        return self.adapter.to_device(array, self.device)

    def fence(self, result: Any) -> None:
        """Wait until the device has finished this."""
        self.adapter.synchronise(self.device, result)
