"""Memory and energy of training steps, one size after the other: the counters around a model."""

import itertools
from functools import partial

from benchmarks import gpus
from benchmarks.records.record import Cell, Energy, Peak, ResourceRecord
from benchmarks.worker.builder import Builder
from benchmarks.worker.energy import energy_counter, energy_of
from benchmarks.worker.memory import DeviceMemory, HostMemory, PeakMeter
from benchmarks.worker.not_counted import reason_of

STEPS = 5
"""Enough for everything to have been allocated once, optimizer and prediction included."""


class Resources:
    """Of the models of one framework; what fails leaves its reason."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.meters = PeakMeter(HostMemory), PeakMeter(partial(DeviceMemory, builder.adapter, builder.device))

    def measure(self, cell: Cell) -> ResourceRecord:
        """Memory, then energy, of one implementation at one size."""
        host, device = self.memory(cell)
        try:
            energy = self._energy(cell)
        except Exception as problem:  # the memory figures stay, the energy has its reason
            energy = Energy(reason=reason_of(problem))
        return ResourceRecord(who=cell.who, axes=cell.axes, host=host, device=device, energy=energy)

    def memory(self, cell: Cell) -> list[Peak]:
        """Peaks on the host and on the device, or what went wrong."""
        try:
            return self._peaks(cell)
        except Exception as problem:  # whatever a framework raises belongs to this size, not to the run
            return [Peak(reason=reason_of(problem))] * 2

    def _peaks(self, cell: Cell) -> list[Peak]:
        """While the model is built, takes some steps and predicts."""
        builder, spec = self.builder, self.builder.spec_at(cell.who, cell.axes)
        host, state = builder.host_batches(spec, 2), builder.state(spec)
        for meter in self.meters:
            meter.begin()
        model, batches = builder.model(spec, state), [builder.batch_to_device(batch) for batch in host]
        for batch in itertools.islice(itertools.cycle(batches), STEPS):
            loss = model.train_step(batch)
        builder.fence(loss)
        builder.fence(model.predict(batches[0]))
        return [meter.end() for meter in self.meters]

    def _energy(self, cell: Cell) -> Energy:
        """Joules of as many training steps as fill about a second. Raises NotCounted."""
        counter = energy_counter(cell.who.device, gpus.assigned_uuid())
        builder, spec = self.builder, self.builder.spec_at(cell.who, cell.axes)
        model = builder.model(spec, builder.state(spec))
        batches = itertools.cycle([builder.batch_to_device(batch) for batch in builder.host_batches(spec)])
        return energy_of(counter, lambda: model.train_step(next(batches)), builder.fence, spec.batch)
