"""The networks of a worker, each with its models. What a network breaks while it is loaded is told with its cells."""

import contextlib
from collections.abc import Callable, Iterator

from pydantic import BaseModel

from benchmarks.records.record import Cell, Configuration, StepsRecord
from benchmarks.worker.builder import device_here
from benchmarks.worker.models import Models
from benchmarks.worker.protocol import Job
from benchmarks.worker.workloads import Work
from implementations.contract import Framework
from implementations.errors import Unavailable


class Networks:
    """Of one framework on one device."""

    def __init__(self, job: Job, adapter: Framework, send: Callable[[BaseModel], None]) -> None:
        self.job, self.adapter, self.send = job, adapter, send
        self.tasks = {task.who.model: task for task in job.tasks}
        self.loaded: dict[str, Models] = {}
        for task in job.tasks:
            with contextlib.suppress(Exception):  # raised again by `of`
                self.of(task.who)

    def of(self, who: Configuration) -> Models:
        """The models of the network of this implementation. Raises whatever its files raise."""
        if who.model not in self.loaded:
            self.loaded[who.model] = Models(self.job, self.tasks[who.model], self.adapter, self.send)
        return self.loaded[who.model]

    def work(self, cell: Cell) -> Work | None:
        """The cell's callable, proved; None (and a record that says why) where it must not be timed."""
        return self.of(cell.who).work(cell)

    def check_device(self) -> None:
        """Raises Unavailable where the framework cannot use the device that it was started for."""
        who, devices = self.job.who, self.adapter.devices()
        if device_here(who.device) not in devices:
            raise Unavailable(
                f"{who.framework} cannot use {who.device} here; it sees {', '.join(devices) or 'no device'}.",
                "Install its CUDA build (docs/gpu.md), or run with --device cpu.",
            )

    def describe(self, affinity: list[int]) -> None:
        """Sends what is known of this process, for each network."""
        for models in self.loaded.values():
            self.send(models.describe(affinity))

    def profile_steps(self) -> Iterator[StepsRecord]:
        """Where the training steps that were proved here spend their time."""
        for models in self.loaded.values():
            yield from models.profile_steps()
