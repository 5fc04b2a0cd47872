"""Inside a worker: builds the models of one framework, has them proved, and makes opaque callables for the timing.

The one place where the two halves meet: implementations on one side, timing and records on the other.
"""

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

from benchmarks import gpus
from benchmarks.records.record import (
    COPY,
    FLOORS,
    Cell,
    Check,
    Configuration,
    OutcomeRecord,
    ProofRecord,
    StepsRecord,
    WorkerRecord,
)
from benchmarks.worker import step_profiler, timing
from benchmarks.worker.floors import Floors
from benchmarks.worker.real_data import RealData
from benchmarks.worker.workloads import Work
from implementations import limits, registry, watching
from implementations.contract import Unavailable
from implementations.equivalence import strays
from implementations.equivalence.kit import Kit
from implementations.equivalence.precision import kept_bits

BATCHES = 8
"""Distinct batches that a timed cell cycles through: training on one alone drifts to a loss of exactly 0."""


TRAINS = ("train_step", "epoch")
"""Phases that move the state, which is put back before each round."""


@dataclass
class PreparedModel:
    """One model at one size: what was proved, and what is timed."""

    who: Configuration
    axes: dict[str, int]
    spec: Any
    model: Any
    state: dict[str, np.ndarray]
    batches: list[tuple[Any, Any]]
    first_calls: dict[str, tuple[float, float]]
    """First and second call by phase, in seconds, made before the proof."""
    judged: bool = False
    proved: bool = False
    reason: str = ""


class Models:
    """The models of one framework on one device."""

    def __init__(self, job: Any, adapter: Any, send: Callable[[Any], None]) -> None:
        self.job, self.adapter, self.send = job, adapter, send
        self.who: Configuration = job.who
        # The runner hides the other GPUs from this process, so whichever it is, it is the first one here.
        self.kind = "cuda" if self.who.device.startswith("cuda") else "cpu"
        self.device = "cuda:0" if self.kind == "cuda" else "cpu"
        self.parameters = registry.part(self.who.model, "parameters")
        self.spec = (
            registry.part(self.who.model, "spec").Spec.parse(job.spec, "the job").changed(precision=self.who.precision)
        )
        self.is_peer = registry.is_peer(self.who.framework)
        peer = registry.PEERS.get(registry.base(self.who.framework))
        self.first_phases = peer.phases if peer else ("predict", "train_step")
        shared = strays.Shared(Path(job.dataset).parent)
        self.kit = Kit(self.who.model, self.who.framework, adapter, self.device, self.who.mode, shared)
        self.subjects: dict[str, PreparedModel] = {}
        self.floors = Floors(self.kit, self.kind, job.seed, self.spec.dtype)
        self.data = RealData(Path(job.dataset), job.seed, self.kit.to_device, self.spec.dtype)

    def check_device(self) -> None:
        """Raises Unavailable where the framework cannot use the device that it was started for."""
        devices = self.adapter.devices()
        if self.device not in devices:
            raise Unavailable(
                f"{self.who.framework} cannot use {self.who.device} here; it sees {', '.join(devices) or 'no device'}.",
                "Install its CUDA build (see the README), or run with --device cpu.",
            )

    def describe(self, import_s: float, affinity: list[int]) -> WorkerRecord:
        """This process, for the record; measures the precision that is in force."""
        bits = kept_bits(self.who.precision, self.kit.product)
        return WorkerRecord(
            who=self.who,
            block=self.job.block,
            pid=os.getpid(),
            import_s=import_s,
            versions=self.adapter.versions(),
            flags=self._told_by_the_model() | self.adapter.flags(self.device) | self._gpu(),
            effective_precision={"matrix product": f"{bits} bits"},
            thread_pools=[
                {key: pool.get(key) for key in ("user_api", "internal_api", "version", "num_threads")}
                for pool in threadpoolctl.threadpool_info()
            ],
            affinity=affinity,
            load_average=list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        )

    def _told_by_the_model(self) -> dict[str, str]:
        named = {"training step compiled": "compiled", "dense weights in memory": "layout"}
        told = {name: getattr(self.kit.model_class, attribute, "") for name, attribute in named.items()}
        return {name: text for name, text in told.items() if text}

    def _gpu(self) -> dict[str, str]:
        """The one GPU that this process was given."""
        return {"gpu uuid": gpus.own()} if self.kind == "cuda" else {}

    # Proving

    def prove(self, who: Configuration, axes: dict[str, int]) -> PreparedModel:
        """The model of this variant at this size, built and proved once; sends the proof."""
        subject = self.subject(who, axes)
        if not subject.judged:
            self._prove(subject)
        return subject

    def subject(self, who: Configuration, axes: dict[str, int]) -> PreparedModel:
        """The same, built once, its first calls made, and not yet proved."""
        key = f"{who.variant}{sorted(axes.items())}"
        if key not in self.subjects:
            self.subjects[key] = self._build(who, axes)
        return self.subjects[key]

    def _build(self, who: Configuration, axes: dict[str, int]) -> PreparedModel:
        spec = self.spec.changed(**axes).variant(who.variant)
        model = self.kit.model_class(spec, self.device)
        host = [(x.astype(spec.dtype), y) for x, y in self.parameters.batches(spec, BATCHES)]
        batches = [(self.kit.to_device(x), self.kit.to_device(y)) for x, y in host]
        subject = PreparedModel(
            who, axes, spec, model, self.parameters.initial_state(spec), batches, {}, self.is_peer, self.is_peer
        )
        model.load_state(subject.state)
        for phase in self.first_phases:
            if spec.problem_with(phase) is None:
                call = self._call_of(phase, subject)
                subject.first_calls[phase] = (timing.once(call, self.fence), timing.once(call, self.fence))
        return subject

    def _prove(self, subject: PreparedModel) -> None:
        """The unmodified callables against the oracle; the verdict goes into the records."""
        candidate = self.kit.candidate(subject.spec, subject.model)
        if self.job.check_only:
            checks = list(self.kit.everything(candidate))
        else:  # later blocks run the same code: they prove the new callables, from the richer start
            starts = self.kit.starts(subject.spec)[: 2 if self.job.block == 0 else 1]
            checks = [*self.kit.precision(subject.spec.precision), *self.kit.steps(candidate, starts)]
        record = ProofRecord(
            who=subject.who,
            axes=subject.axes,
            block=self.job.block,
            checks=[self._recorded(c, subject) for c in checks],
        )
        # A variant is never ranked. It may be timed with a limit of the framework's own, which stands beside it.
        failed = record.ours if subject.who.variant != "spec" else [c for c in record.checks if not c.passed]
        subject.judged, subject.proved = True, not failed
        subject.reason = "; ".join(
            f"{c.check}, {c.group}: {c.tensor} is off by {c.error:.2g}, allowed {c.budget:.2g}" for c in failed
        )
        self.send(record)

    def _recorded(self, check: Any, subject: PreparedModel) -> Check:
        values = {"error": float(check.error), "budget": float(check.budget), "passed": check.passed}
        limit = None
        if not check.passed:
            who, spec = subject.who, subject.spec.model_dump(mode="json")
            limit = limits.explaining(who.framework, who.mode, spec, check)
        name = limit.name if limit else ""
        return Check(check=check.check, group=check.group, tensor=check.tensor, limit=name, **values)

    # Timing

    def work(self, cell: Cell) -> Work | None:
        """The cell's callable, proved; None (and a record that says why) where it must not be timed."""
        subject = self.prove(cell.who, cell.axes)
        if not subject.proved:
            self.send(OutcomeRecord(cell=cell, block=self.job.block, status="unequal", reason=subject.reason))
            return None
        if reason := self._hindrance(cell, subject):
            self.send(OutcomeRecord(cell=cell, block=self.job.block, status="skipped", reason=reason))
            return None
        call = self._call_of(cell.phase, subject)
        if cell.phase not in subject.first_calls:
            subject.first_calls[cell.phase] = (timing.once(call, self.fence), timing.once(call, self.fence))
        # Beside other workers that are starting too, a first call says nothing.
        first = (None, None) if self.job.prepare_early or self.job.control else subject.first_calls[cell.phase]
        steps = self.data.samples // subject.spec.batch if cell.phase == "epoch" else 1
        flops, moved = self.floors.least(cell.phase, subject.spec)
        return Work(
            call=call,
            warm=self._call_of("train_step", subject)
            if cell.phase == "epoch" and "train_step" in self.first_phases
            else call,
            fence=self.fence,
            to_host=self._to_host,
            on_gpu=self.device != "cpu",
            device_s=self._device_s if hasattr(self.adapter, "device_s") else None,
            reset=(lambda: subject.model.load_state(subject.state)) if cell.phase in TRAINS else (lambda: None),
            first_call_s=first[0],
            second_call_s=first[1],
            samples_per_call=steps * subject.spec.batch,
            flops_per_call=steps * flops,
            bytes_per_call=steps * moved,
            ranked=cell.phase not in FLOORS and not self.is_peer,
        )

    def _hindrance(self, cell: Cell, subject: PreparedModel) -> str:
        """Why there is nothing to time, or nothing."""
        samples, batch = self.data.samples, subject.spec.batch
        if cell.phase == "epoch" and samples < batch:
            return f"the data has {samples} training samples, fewer than one batch"
        return "its adapter has no `copy`" if cell.phase == COPY and not hasattr(self.adapter, "copy") else ""

    def _call_of(self, phase: str, subject: PreparedModel) -> Callable[[], Any]:
        """One unit of work, returning its last result without waiting for it."""
        model, batches = subject.model, itertools.cycle(subject.batches)
        if phase == "train_step":
            return lambda: model.train_step(*next(batches))
        if phase == "predict":
            return lambda: model.predict(next(batches)[0])
        if phase in FLOORS:
            return self.floors.call_of(phase, subject.spec)
        if hasattr(model, "epoch"):  # a peer with a loop of its own
            return lambda: model.epoch(self.data.arrays["x_train"], self.data.arrays["y_train"])
        return lambda: self.data.epoch(model, subject.spec.batch, seed=0)[-1]

    # Watching

    def watch(self) -> Iterator[StepsRecord]:
        """Where the training steps that were proved here spend their time; nothing where they cannot be watched."""
        for subject in self.subjects.values():
            model, watchable = subject.model, subject.who.mode == "plain" and subject.who.variant == "spec"
            if not (watchable and subject.proved and hasattr(model, "calls_of_steps")):
                continue
            if subject.spec.problem_with("train_step") is None:
                model.load_state(subject.state)
                found = step_profiler.profile(
                    self._call_of("train_step", subject), self.fence, partial(watching.watched, model)
                )
                yield StepsRecord(who=subject.who, axes=subject.axes, block=self.job.block, **dataclasses.asdict(found))

    def _to_host(self, result: Any) -> list[np.ndarray]:
        return [self.adapter.to_host(tensor) for tensor in (result if isinstance(result, list) else [result])]

    def _device_s(self, run: Callable[[], object]) -> float:
        return float(self.adapter.device_s(self.device, run))

    def fence(self, result: Any) -> None:
        """Wait until the device has finished this."""
        self.adapter.synchronise(self.device, result)
