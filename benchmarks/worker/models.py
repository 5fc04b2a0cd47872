"""Inside a worker: builds the models of one network in one framework, has them proved, and makes opaque callables for the timing.

The one place where the two halves meet: implementations on one side, timing and records on the other.
"""

import dataclasses
import itertools
import math
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import threadpoolctl
from pydantic import BaseModel

from benchmarks import gpus
from benchmarks.records.record import (
    COPY,
    FLOORS,
    Cell,
    OutcomeRecord,
    StepsRecord,
    ThreadPool,
    WorkerRecord,
)
from benchmarks.worker import step_profiler, timing
from benchmarks.worker.builder import BATCHES
from benchmarks.worker.floors import CORNER, Floors
from benchmarks.worker.protocol import Job, Task
from benchmarks.worker.prover import TRAINS, PreparedModel, Prover
from benchmarks.worker.workloads import TRIES, Work
from implementations import registry, watching
from implementations.contract import Arrays, ExtendedModel, Framework, Spec
from implementations.equivalence.kit import UNSEEN
from implementations.equivalence.precision import kept_bits
from implementations.initialisation import batches
from implementations.train import Samples

UNSEEN_CALLS = 8
"""Batches never seen before, on which a call is timed beside those that it has seen."""


class Models(Prover):
    """The models of one network in one framework on one device, each built and proved once."""

    def __init__(self, job: Job, task: Task, adapter: Framework, send: Callable[[BaseModel], None]) -> None:
        super().__init__(job, task, adapter, send)
        self.epochs = task.epochs
        self.measures_first_calls = task.first_calls and not (job.prepare_early or job.control)
        peer = registry.PEERS.get(registry.base(self.who.framework))
        self.first_phases = peer.phases if peer else ("predict", "train_step")
        self.floors = Floors(self.kit, self.kind, job.seed, self.spec.dtype)
        self.data = Samples(_loaded(Path(task.dataset)), job.seed, self.batch_to_device)

    def describe(self, affinity: list[int]) -> WorkerRecord:
        """This process, for the record; measures the precision that is in force."""
        bits = {what: kept_bits(self.who.precision, product) for what, product in self.kit.products.by_name().items()}
        gpu = {"gpu uuid": gpus.assigned_uuid()} if self.kind == "cuda" else {}
        return WorkerRecord(
            who=self.who,
            block=self.job.block,
            pid=os.getpid(),
            versions=self.adapter.versions(),
            flags=self._notes_of_the_model() | self.adapter.flags(self.device) | gpu,
            effective_precision={what: f"{count} bits" for what, count in bits.items()},
            thread_pools=[
                ThreadPool(**{name: pool.get(name) for name in ThreadPool.model_fields})
                for pool in threadpoolctl.threadpool_info()
            ],
            affinity=affinity,
            load_average=list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        )

    def _notes_of_the_model(self) -> dict[str, str]:
        attributes = {
            "training step compiled": "compiled",
            "dense weights in memory": "layout",
            "random bits per dropout unit": "random_bits",
            "memory of a training step": "step_memory",
        }
        notes = {title: getattr(self.model_class, attribute, "") for title, attribute in attributes.items()}
        return {title: text for title, text in notes.items() if text}

    # First calls

    def call_first(self, prepared: PreparedModel) -> None:
        """Two calls of every phase that has to be called before the proof."""
        for phase in self.first_phases:
            if prepared.spec.problem_with(phase) is None:
                self._call_twice(phase, prepared)

    def _call_twice(self, phase: str, prepared: PreparedModel) -> None:
        call = self._call_of(phase, prepared)
        prepared.first_calls[phase] = timing.once(call, self.fence), timing.once(call, self.fence)

    def _first_calls(self, phase: str, prepared: PreparedModel) -> tuple[float | None, float | None]:
        """Seconds of the first two, made now if they were not; beside other workers that are starting too they say nothing."""
        if phase not in prepared.first_calls:
            self._call_twice(phase, prepared)
        return prepared.first_calls[phase] if self.measures_first_calls else (None, None)

    # Timing

    def work(self, cell: Cell) -> Work | None:
        """The cell's callable, proved; None (and a record that says why) where it must not be timed."""
        prepared = self.prove(cell.who, cell.axes)
        if not prepared.proved:
            self.send(OutcomeRecord(cell=cell, block=self.job.block, status="unequal", reason=prepared.reason))
            return None
        if reason := self._hindrance(cell, prepared):
            self.send(OutcomeRecord(cell=cell, block=self.job.block, status="skipped", reason=reason))
            return None
        call = self._call_of(cell.phase, prepared)
        first = self._first_calls(cell.phase, prepared)
        device_clock = getattr(self.adapter, "device_s", None)
        steps = self.data.count // prepared.spec.batch if cell.phase == "epoch" else 1
        put = prepared.model.load_state
        flops, least_flops, moved = self.floors.least(cell.phase, prepared.spec)
        return Work(
            call=call,
            warm=self._call_of("train_step", prepared)
            if cell.phase == "epoch" and "train_step" in self.first_phases
            else call,
            fence=self.fence,
            to_host=self._corner_to_host if cell.phase in FLOORS else self._to_host,
            finished_like=lambda host: [self.to_device(np.zeros_like(array)) for array in host],
            on_gpu=self.device != "cpu",
            device_s=partial(device_clock, self.device) if device_clock else None,
            reset=partial(put, prepared.state) if cell.phase in TRAINS else bool,
            begin=partial(put, prepared.model.state()) if cell.phase == "predict" else bool,
            first_call_s=first[0],
            second_call_s=first[1],
            samples_per_call=steps * prepared.spec.batch,
            tokens_per_call=steps * _tokens(prepared.spec),
            flops_per_call=steps * flops,
            least_flops_per_call=steps * least_flops,
            bytes_per_call=steps * moved,
            call_unseen=self._call_on_unseen(cell.phase, prepared),
            unseen=UNSEEN_CALLS,
            afterwards=partial(self._prove_afterwards, cell, prepared),
            kernels=dict if cell.phase in FLOORS else getattr(prepared.model, "kernels", dict),
            ranked=cell.phase not in FLOORS and not self.is_peer,
        )

    def _hindrance(self, cell: Cell, prepared: PreparedModel) -> str:
        """Why this cell cannot be timed, or nothing."""
        samples, batch = self.data.count, prepared.spec.batch
        if cell.phase == "epoch" and samples < batch:
            return f"the data has {samples} training samples, fewer than one batch"
        return "its adapter has no `copy`" if cell.phase == COPY and not hasattr(self.adapter, "copy") else ""

    def _prove_afterwards(self, cell: Cell, prepared: PreparedModel) -> str:
        """Where it is its turn. On a batch of the rounds: of an epoch, one of the data's; else one of those that they cycle through."""
        if not self.is_its_turn(cell):
            return prepared.reason
        if cell.phase == "epoch":
            rows = {name: array[: prepared.spec.batch] for name, array in self.data.train.items()}
            return self.prove_afterwards(cell, prepared, rows, None)
        k = self.job.block % BATCHES
        return self.prove_afterwards(cell, prepared, self.host_batches(prepared.spec)[k], prepared.batches[k])

    def _call_on_unseen(self, phase: str, prepared: PreparedModel) -> Callable[[], Any] | None:
        """A call on a batch that the model has not seen: the first block asks for them, once per cell."""
        if self.job.block or self.is_peer or phase not in ("train_step", "predict"):
            return None

        def on_device() -> Iterator[Any]:  # not before they are asked for, after the rounds
            kept: list[Any] = []  # all of them: what remembers them by where they lie is not to meet one again
            for k in range(TRIES):
                kept += [self.batch_to_device(batch) for batch in batches(prepared.spec, UNSEEN_CALLS, seed=UNSEEN + k)]
                yield from kept[-UNSEEN_CALLS:]

        call, unseen = getattr(prepared.model, phase), on_device()
        return lambda: call(next(unseen))

    def _call_of(self, phase: str, prepared: PreparedModel) -> Callable[[], Any]:
        """One unit of work, returning its last result without waiting for it."""
        model, batches = prepared.model, itertools.cycle(prepared.batches)
        if phase == "train_step":
            return lambda: model.train_step(next(batches))
        if phase == "predict":
            return lambda: model.predict(next(batches))
        if phase in FLOORS:
            return self.floors.call_of(phase, prepared.spec)
        if self.is_peer and hasattr(model, "epoch"):  # with a loop of its own, which is not ranked
            return lambda: model.epoch(self.data.train)
        # Shuffled anew each time, as in training: what was copied to the device for one epoch is of no use in the next.
        numbers = itertools.count()
        return lambda: self.data.epoch(model, prepared.spec.batch, next(numbers))[-1]

    # Profiling

    def profile_steps(self) -> Iterator[StepsRecord]:
        """Where the training steps that were proved here spend their time; nothing where they cannot be watched."""
        for prepared in self.prepared.values():
            model, watchable = prepared.model, prepared.who.mode == "plain" and prepared.who.variant == "spec"
            if not (watchable and prepared.proved and hasattr(model, "calls_of_steps")):
                continue
            if prepared.spec.problem_with("train_step") is None:
                model.load_state(prepared.state)
                call = self._call_of("train_step", prepared)
                profile = step_profiler.profile(
                    call,
                    self.fence,
                    partial(watching.watched, cast(ExtendedModel, model), registry.part(self.who.model, "steps").STEPS),
                )
                yield StepsRecord(
                    who=prepared.who, axes=prepared.axes, block=self.job.block, **dataclasses.asdict(profile)
                )

    def _to_host(self, result: Any) -> list[np.ndarray]:
        return [self.adapter.to_host(tensor) for tensor in (result if isinstance(result, list) else [result])]

    def _corner_to_host(self, result: Any) -> list[np.ndarray]:
        """Of a floor, whose result may be half a gigabyte: a copy of its corner waits for all of it."""
        return self._to_host([tensor[:1, :CORNER] for tensor in (result if isinstance(result, list) else [result])])


def _tokens(spec: Spec) -> int:
    """In the inputs of a batch: the whole numbers."""
    inputs = [array for array in spec.arrays().values() if array.role == "input" and array.below]
    return sum(math.prod(array.shape) for array in inputs)


def _loaded(file: Path) -> Arrays:
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
