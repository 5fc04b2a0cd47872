"""One process, one framework, nothing timed but its import: memory and energy of some training steps and a prediction.

`python -m benchmarks.worker.resource_worker` speaks with the runner as `benchmarks.worker` does, and is as light as it can be until
the framework is imported: NumPy, pytest and the rest of the harness come after that, and are in nobody's import time.
"""

import gc
import itertools
import os
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks import gpus
from benchmarks.records.record import Cell, Energy, InstalledRecord, Peak, ResourceRecord, StartRecord
from benchmarks.worker.protocol import Job, Says, begin
from implementations import precisions, registry

if TYPE_CHECKING:
    from benchmarks.worker.counters import EnergyCounter

STEPS = 5
"""Enough for everything to have been allocated once, optimizer and prediction included."""

BATCHES = 8
"""Distinct batches, as in what is timed: training on one alone drifts to a loss of 0."""

ENERGY_S = 1.0
"""Counters of energy move some ten times a second."""


def main() -> None:
    """Size up the installation, wait for the turn, then import and measure."""
    channel, job, _ = begin()
    if code := in_a_copy(lambda: channel.send(installed(job.who.framework))):
        reason = f"the process that looked it up ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}"
        channel.send(InstalledRecord(framework=job.who.framework, reason=reason))
    channel.ask(Says.READY)
    start = perf_counter()
    adapter = registry.adapter(job.who.framework)
    channel.send(StartRecord(who=job.who, import_s=perf_counter() - start))
    adapter.start(job.who.threads)
    precisions.enter(adapter, job.who.precision)
    gc.freeze()  # or else the framework's own objects, a million, are looked through again for each size
    costing = Costing(job, adapter)
    for cell in job.cells[:1]:
        costing.measure_memory(cell)  # what is loaded for the first model of all belongs to none
    for cell in job.cells:
        channel.send(costing.measure(cell))
    channel.ask(Says.DONE)


def in_a_copy(work: Callable[[], None]) -> int:
    """Do this in a copy of the process, so that the names of thousands of files are not in the memory of this one.

    Returns the copy's exit code: 0 where all went well, the negative number of the signal that ended it.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def installed(framework: str) -> InstalledRecord:
    """Bytes on disk of the framework, or what went wrong."""
    from benchmarks.worker import counters, installed_size

    try:
        return installed_size.measure(framework, registry.distributions(framework))
    except Exception as problem:  # whatever the files of a distribution hold, a size is not worth a run
        return InstalledRecord(framework=framework, reason=counters.reason_of(problem))


class Costing:
    """The models of one framework, one after the other, with the counters around them."""

    def __init__(self, job: Job, adapter: Any) -> None:
        from benchmarks.worker import counters

        self.job, self.adapter = job, adapter
        # The runner hides the other GPUs from this process, so whichever it is, it is the first one here.
        self.device = "cuda:0" if job.who.device.startswith("cuda") else "cpu"
        self.parts = {name: registry.part(job.who.model, name) for name in ("spec", "parameters")}
        self.spec = self.parts["spec"].Spec.parse(job.spec, "the job").changed(precision=job.who.precision)
        self.watches = (
            counters.Watch(counters.HostMemory),
            counters.Watch(lambda: counters.DeviceMemory(adapter, self.device)),
        )

    def measure(self, cell: Cell) -> ResourceRecord:
        """Memory, then energy, of one implementation at one size; what fails leaves its reason."""
        from benchmarks.worker.counters import reason_of

        host, device = self.measure_memory(cell)
        try:
            energy = self._energy(cell)
        except Exception as problem:  # a hole in the energy is told by its reason, and costs no memory figure
            energy = Energy(reason=reason_of(problem))
        return ResourceRecord(who=cell.who, axes=cell.axes, host=host, device=device, energy=energy)

    def measure_memory(self, cell: Cell) -> list[Peak]:
        """Peaks on the host and on the device, or what went wrong."""
        from benchmarks.worker.counters import reason_of

        try:
            return self._memory(cell)
        except Exception as problem:  # whatever a framework raises belongs to this size, not to the run
            return [Peak(reason=reason_of(problem))] * 2

    def _memory(self, cell: Cell) -> list[Peak]:
        """Peaks while the model is built, takes some steps and predicts."""
        spec = self._spec(cell)
        host, state = self._host_batches(spec, 2), self.parts["parameters"].initial_state(spec)
        for watch in self.watches:
            watch.begin()
        model, batches = self._build(cell, spec, host, state)
        for x, y in itertools.islice(itertools.cycle(batches), STEPS):
            loss = model.train_step(x, y)
        self._fence(loss)
        self._fence(model.predict(batches[0][0]))
        return [watch.end() for watch in self.watches]

    def _energy(self, cell: Cell) -> Energy:
        """Joules of as many training steps as fill about a second. Raises resources.NotCounted."""
        from benchmarks.worker.counters import NotCounted, energy_counter

        counter = energy_counter(self.job.who.device, gpus.own())
        spec = self._spec(cell)
        state = self.parts["parameters"].initial_state(spec)
        model, batches = self._build(cell, spec, self._host_batches(spec, BATCHES), state)
        turn = itertools.cycle(batches)
        energy = used(counter, lambda: model.train_step(*next(turn)), self._fence, spec.batch)
        if energy.joules == 0:
            raise NotCounted(f"the energy counter stood still for {energy.elapsed_s:.1f} s")
        return energy

    def _spec(self, cell: Cell) -> Any:
        return self.spec.changed(**cell.axes).variant(cell.who.variant)

    def _host_batches(self, spec: Any, count: int) -> list[tuple[Any, Any]]:
        return [(x.astype(spec.dtype), y) for x, y in self.parts["parameters"].batches(spec, count)]

    def _build(self, cell: Cell, spec: Any, host: list[tuple[Any, Any]], state: Any) -> tuple[Any, list[Any]]:
        model = registry.model_class(cell.who.model, cell.who.framework, cell.who.mode)(spec, self.device)
        model.load_state(state)
        to_device = self.adapter.to_device
        return model, [(to_device(x, self.device), to_device(y, self.device)) for x, y in host]

    def _fence(self, result: Any) -> None:
        self.adapter.synchronise(self.device, result)


def used(counter: "EnergyCounter", call: Callable[[], Any], fence: Callable[[Any], None], samples: int) -> Energy:
    """Joules of calls, each with so many samples, that fill about a second."""
    from benchmarks.worker import timing

    loops = timing.loops_for(call, fence, ENERGY_S)
    before = counter.joules()
    elapsed_s = timing.once(timing.round_of(call, fence, loops), fence)
    joules = counter.joules() - before
    return Energy(joules=joules, samples=loops * samples, elapsed_s=elapsed_s, counter=counter.counter)


if __name__ == "__main__":
    main()
