"""Inside a worker: builds the models of one framework, has them proved, and makes opaque callables for the timing.

The one place where the two halves meet: implementations on one side, timing and records on the other.
"""

import dataclasses
import hashlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

from benchmarks import gpus, stepwise, timing
from benchmarks.record import (
    COPY,
    FLOORS,
    PEAK,
    PRODUCTS,
    TARGET,
    Cell,
    Check,
    LearningPoint,
    LearningRecord,
    OutcomeRecord,
    ProofRecord,
    StepsRecord,
    Who,
    WorkerRecord,
)
from benchmarks.work import Work
from implementations import limits, registry, watching
from implementations.contract import Unavailable
from implementations.equivalence import strays
from implementations.equivalence.kit import Kit
from implementations.equivalence.precision import kept_bits

BATCHES = 8
"""Distinct batches that a timed cell cycles through: training on one alone drifts to a loss of exactly 0."""


PEAK_SIZE = {"cpu": 512, "cuda": 8192}
"""Rows and columns of the large product's matrices, by kind of device: large enough to reach the library's full rate."""

COPY_BYTES = {"cpu": 2**25, "cuda": 2**29}
"""Size of the large copy's array: larger than the caches."""

TRAINS = ("train_step", "epoch")
"""Phases that move the state, which is put back before each round."""


@dataclass
class Subject:
    """One model at one size: what was proved, and what is timed."""

    who: Who
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


class Laboratory:
    """The models of one framework on one device."""

    def __init__(self, job: Any, adapter: Any, send: Callable[[Any], None]) -> None:
        self.job, self.adapter, self.send = job, adapter, send
        self.who: Who = job.who
        # The runner hides the other GPUs from this process, so whichever it is, it is the first one here.
        self.kind = "cuda" if self.who.device.startswith("cuda") else "cpu"
        self.device = "cuda:0" if self.kind == "cuda" else "cpu"
        self.parts = {name: registry.part(self.who.model, name) for name in ("spec", "parameters")}
        self.spec = self.parts["spec"].Spec.parse(job.spec, "the job").changed(precision=self.who.precision)
        self.is_peer = registry.is_peer(self.who.framework)
        peer = registry.PEERS.get(registry.base(self.who.framework))
        self.first_phases = peer.phases if peer else ("predict", "train_step")
        shared = strays.Shared(Path(job.dataset).parent)
        self.kit = Kit(self.who.model, self.who.framework, adapter, self.device, self.who.mode, shared)
        self.subjects: dict[str, Subject] = {}
        with np.load(job.dataset, allow_pickle=False) as arrays:
            self.data = {name: arrays[name] for name in arrays.files}

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

    def prove(self, who: Who, axes: dict[str, int]) -> Subject:
        """The model of this variant at this size, built and proved once; sends the proof."""
        subject = self.subject(who, axes)
        if not subject.judged:
            self._prove(subject)
        return subject

    def subject(self, who: Who, axes: dict[str, int]) -> Subject:
        """The same, built once, its first calls made, and not yet proved."""
        key = f"{who.variant}{sorted(axes.items())}"
        if key not in self.subjects:
            self.subjects[key] = self._build(who, axes)
        return self.subjects[key]

    def _build(self, who: Who, axes: dict[str, int]) -> Subject:
        parameters = self.parts["parameters"]
        spec = self.spec.changed(**axes).variant(who.variant)
        model = self.kit.model_class(spec, self.device)
        host = [(x.astype(spec.dtype), y) for x, y in parameters.batches(spec, BATCHES)]
        batches = [(self._to_device(x), self._to_device(y)) for x, y in host]
        subject = Subject(
            who, axes, spec, model, parameters.initial_state(spec), batches, {}, self.is_peer, self.is_peer
        )
        model.load_state(subject.state)
        for phase in self.first_phases:
            if spec.problem_with(phase) is None:
                call = self._call_of(phase, subject)
                subject.first_calls[phase] = (timing.once(call, self._fence), timing.once(call, self._fence))
        return subject

    def _prove(self, subject: Subject) -> None:
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

    def _recorded(self, check: Any, subject: Subject) -> Check:
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
            subject.first_calls[cell.phase] = (timing.once(call, self._fence), timing.once(call, self._fence))
        # Beside other workers that are starting too, a first call says nothing.
        first = (None, None) if self.job.prepare_early or self.job.control else subject.first_calls[cell.phase]
        steps = len(self.data["y_train"]) // subject.spec.batch if cell.phase == "epoch" else 1
        flops, moved = self._least(cell.phase, subject.spec)
        return Work(
            call=call,
            warm=self._call_of("train_step", subject)
            if cell.phase == "epoch" and "train_step" in self.first_phases
            else call,
            fence=self._fence,
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

    def _hindrance(self, cell: Cell, subject: Subject) -> str:
        """Why there is nothing to time, or nothing."""
        samples, batch = len(self.data["y_train"]), subject.spec.batch
        if cell.phase == "epoch" and samples < batch:
            return f"the data has {samples} training samples, fewer than one batch"
        return "its adapter has no `copy`" if cell.phase == COPY and not hasattr(self.adapter, "copy") else ""

    def _call_of(self, phase: str, subject: Subject) -> Callable[[], Any]:
        """One unit of work, returning its last result without waiting for it."""
        model, batches = subject.model, itertools.cycle(subject.batches)
        if phase == "train_step":
            return lambda: model.train_step(*next(batches))
        if phase == "predict":
            return lambda: model.predict(next(batches)[0])
        if phase == PRODUCTS:
            return self._products(subject.spec.matrix_products("train_step"))
        if phase == PEAK:
            return self._products([(PEAK_SIZE[self.kind],) * 3])
        if phase == COPY:
            return self._copy()
        if hasattr(model, "epoch"):  # a peer with a loop of its own
            return lambda: model.epoch(self.data["x_train"], self.data["y_train"])
        return lambda: self._epoch(model, subject.spec, seed=0)[-1]

    def _least(self, phase: str, spec: Any) -> tuple[int, int]:
        """Floating-point operations and bytes of one step or call that cannot be avoided."""
        if phase == PEAK:
            return 2 * PEAK_SIZE[self.kind] ** 3, 0
        if phase == COPY:
            return 0, 2 * COPY_BYTES[self.kind]
        phase = "predict" if phase == "predict" else "train_step"
        return spec.flops(phase), spec.least_bytes(phase)

    def _products(self, shapes: Iterable[tuple[int, int, int]]) -> Callable[[], Any]:
        factor = self.kit.factor
        pairs = [(factor(self._random(m, k)), factor(self._random(k, n))) for m, k, n in shapes]
        product = self.adapter.matrix_product
        return lambda: [product(a, b) for a, b in pairs]  # all of them: none waits for another

    def _copy(self) -> Callable[[], Any]:
        numbers = COPY_BYTES[self.kind] // np.dtype(self.spec.dtype).itemsize
        source, target = (self._to_device(self._random(1, numbers)) for _ in range(2))
        return lambda: self.adapter.copy(source, target)

    def _random(self, rows: int, columns: int) -> np.ndarray:
        dtype = np.dtype(self.spec.dtype).type
        return np.random.default_rng(self.job.seed).random((rows, columns), dtype=dtype) - dtype(0.5)

    def _epoch(self, model: Any, spec: Any, seed: int) -> list[Any]:
        """One pass over the real data: gather on the host, copy to the device, step. Returns the losses."""
        losses = []
        for rows in self._rows(len(self.data["y_train"]), spec.batch, seed):
            losses.append(model.train_step(*self._batch(rows)))
        return losses

    def _batch(self, rows: np.ndarray) -> tuple[Any, Any]:
        x, y = self.data["x_train"][rows], self.data["y_train"][rows]
        return self._to_device(x.astype(self.spec.dtype, copy=False)), self._to_device(y)

    def _rows(self, count: int, batch: int, seed: int) -> Iterator[np.ndarray]:
        """Shuffled rows in whole batches; the remainder waits for another epoch's shuffle."""
        order = np.random.default_rng([self.job.seed, seed]).permutation(count)
        return iter(np.split(order[: count // batch * batch], max(count // batch, 1)))

    # Watching

    def watch(self) -> Iterator[StepsRecord]:
        """Where the training steps that were proved here spend their time; nothing where they cannot be watched."""
        for subject in self.subjects.values():
            model, watchable = subject.model, subject.who.mode == "plain" and subject.who.variant == "spec"
            if not (watchable and subject.proved and hasattr(model, "calls_of_steps")):
                continue
            if subject.spec.problem_with("train_step") is None:
                model.load_state(subject.state)
                found = stepwise.profile(
                    self._call_of("train_step", subject), self._fence, partial(watching.watched, model)
                )
                yield StepsRecord(who=subject.who, axes=subject.axes, block=self.job.block, **dataclasses.asdict(found))

    # Learning

    def learn(self) -> Iterator[LearningRecord]:
        """Train on the real data from several seeds, with an evaluation after each epoch.

        The first training goes on to the last epoch, for its curve; the others end when they have reached the target.
        """
        begin = timing.clock()
        model = self.kit.model_class(self.spec, self.device)
        x_test = self._to_device(self.data["x_test"].astype(self.spec.dtype))
        model.load_state(self.parts["parameters"].initial_state(self.spec))
        rows = next(self._rows(len(self.data["y_train"]), self.spec.batch, seed=0))
        self._fence(model.train_step(*self._batch(rows)))
        self._fence(model.predict(x_test))
        prepare_s = timing.clock() - begin
        for seed in range(self.job.trainings):
            yield self._training(model, x_test, seed, prepare_s)

    def _training(self, model: Any, x_test: Any, seed: int, prepare_s: float) -> LearningRecord:
        spec = self.spec.changed(seed=(self.spec.seed + seed) % 2**31)
        model.load_state(self.parts["parameters"].initial_state(spec))
        points: list[LearningPoint] = []
        spent = 0.0
        for epoch in range(1, self.job.epochs + 1):
            losses: list[Any] = []

            def train(epoch: int = epoch, losses: list[Any] = losses) -> Any:
                losses += self._epoch(model, spec, 1000 * seed + epoch)
                return losses[-1]

            spent += timing.once(train, self._fence)
            predictions = self.adapter.to_host(model.predict(x_test)).argmax(axis=1)
            mean = float(np.mean([float(self.adapter.to_host(loss)) for loss in losses]))
            accuracy = float(np.mean(predictions == self.data["y_test"]))
            points.append(LearningPoint(epoch=epoch, elapsed_s=spent, test_accuracy=accuracy, train_loss=mean))
            if seed and accuracy >= TARGET:
                break
        digest = hashlib.sha256(predictions.astype(np.int64).tobytes()).hexdigest()
        return LearningRecord(
            who=self.who, block=self.job.block, dropout=spec.dropout, batch=spec.batch, points=points,
            predictions_sha256=digest, seed=seed, prepare_s=prepare_s,
        )  # fmt: skip

    def _to_device(self, array: np.ndarray) -> Any:
        return self.kit.to_device(array)

    def _to_host(self, result: Any) -> list[np.ndarray]:
        return [self.adapter.to_host(tensor) for tensor in (result if isinstance(result, list) else [result])]

    def _device_s(self, run: Callable[[], object]) -> float:
        return float(self.adapter.device_s(self.device, run))

    def _fence(self, result: Any) -> None:
        self.adapter.synchronise(self.device, result)
