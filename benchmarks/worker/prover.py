"""Inside a worker: builds the models of one network in one framework and has them proved, before their rounds and after."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from benchmarks.records.configuration import size_order
from benchmarks.records.record import Axes, Cell, Check, Configuration, ProofRecord
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.worker import afterwards
from benchmarks.worker.builder import Builder
from benchmarks.worker.protocol import Job, Task
from implementations import limits, registry
from implementations.contract import Arrays, DeviceBatch, Framework, Model, Spec
from implementations.equivalence import strays, tolerances
from implementations.equivalence.kit import Kit
from implementations.equivalence.proof import Candidate

AFTERWARDS = "after the rounds"
"""The name of a proof that begins where the timing ended."""

TRAINS = ("train_step", "epoch")
"""Phases that move the state, which is put back before each round."""


@dataclass
class PreparedModel:
    """One model at one size: what was proved, and what is timed."""

    who: Configuration
    axes: Axes
    spec: Spec
    model: Model
    state: Arrays
    batches: list[DeviceBatch]
    first_calls: dict[str, tuple[float, float]]
    """First and second call by phase, in seconds, made before the proof."""
    proof_made: bool = False
    proved: bool = False
    reason: str = ""
    """Why it is not proved."""


class Prover(Builder):
    """The models of one network in one framework, each built and proved once, and once more where its rounds ended."""

    def __init__(self, job: Job, task: Task, adapter: Framework, send: Callable[[BaseModel], None]) -> None:
        super().__init__(task, adapter)
        self.job, self.send = job, send
        self.cells = [cell for cell in job.cells if cell.who.model == self.who.model]
        self.is_peer = registry.is_peer(self.who.framework)
        shared = strays.Shared(Path(task.dataset).parent)
        self.kit = Kit(self.who.model, self.who.framework, adapter, self.device, self.who.mode, shared)
        self.prepared: dict[tuple[object, ...], PreparedModel] = {}

    def call_first(self, prepared: PreparedModel) -> None:
        """What is to be called before the proof; nothing, where first calls are not measured."""

    def prove(self, who: Configuration, axes: Axes) -> PreparedModel:
        """The model of this variant at this size, built and proved once; sends the proof."""
        prepared = self.prepare(who, axes)
        if not prepared.proof_made:
            self._prove(prepared)
        return prepared

    def prepare(self, who: Configuration, axes: Axes) -> PreparedModel:
        """The same, built once, its first calls made, and not yet proved."""
        key = who.variant, size_order(axes)
        if key not in self.prepared:
            self.prepared[key] = self._prepare(who, axes)
        return self.prepared[key]

    def _prepare(self, who: Configuration, axes: Axes) -> PreparedModel:
        spec = self.spec_at(who, axes)
        state = self.state(spec)
        model, batches = self.model(spec, state), [self.batch_to_device(batch) for batch in self.host_batches(spec)]
        prepared = PreparedModel(who, axes, spec, model, state, batches, {}, self.is_peer, self.is_peer)
        self.call_first(prepared)
        return prepared

    def _prove(self, prepared: PreparedModel) -> None:
        """The unmodified callables against the oracle; the verdict goes into the records."""
        candidate = self.kit.candidate(prepared.spec, prepared.model)
        if self.job.check_only:
            checks = self._whole_proof(candidate, prepared)
        else:  # later blocks run the same code: they prove the new callables, from the richer start
            starts = self.kit.starts(prepared.spec)[: None if self.job.block == 0 else 1]
            checks = [*self.kit.precision(prepared.spec.precision), *self.kit.steps(candidate, starts)]
        prepared.proof_made, prepared.reason = True, self._judged(prepared, checks)
        prepared.proved = not prepared.reason

    def _whole_proof(self, candidate: Candidate, prepared: PreparedModel) -> list[tolerances.Check]:
        """As far as the part that shows a fault of its own: what is longer would show it again."""
        checks: list[tolerances.Check] = []
        for part in self.kit.parts(candidate):
            checks += part
            if any(not check.passed and not self._limit(check, prepared) for check in checks):
                break
        return checks

    def _judged(self, prepared: PreparedModel, checks: Iterable[tolerances.Check]) -> str:
        """Sends the proof; returns what failed, or nothing."""
        record = ProofRecord(
            who=prepared.who,
            axes=prepared.axes,
            block=self.job.block,
            checks=[self._recorded(c, prepared) for c in checks],
        )
        self.send(record)
        # A variant is never ranked. It may be timed with a limit of the framework's own, which stands beside it.
        failed = record.ours if prepared.who.variant != "spec" else [c for c in record.checks if not c.passed]
        return "; ".join(
            f"{c.check}, {c.group}: {c.tensor} is off by {c.error:.2g}, allowed {c.budget:.2g}" for c in failed
        )

    def prove_afterwards(self, cell: Cell, prepared: PreparedModel, batch: Arrays, there: DeviceBatch | None) -> str:
        """Once more, from where the rounds of this cell ended, without loading anything; what failed, or nothing.

        On a batch that was timed: a result that is remembered of it may be none of this state. `there`: it, on the device.
        """
        candidate, checks = replace(self.kit.candidate(prepared.spec, prepared.model), there=there), []
        try:
            if cell.phase in TRAINS:
                here = prepared.model.state()
                moved = any(not np.array_equal(here[name], value) for name, value in prepared.state.items())
                checks.append(tolerances.exact(AFTERWARDS, "training moves the state", cell.phase, moved))
            checks += self.kit.from_here(candidate, AFTERWARDS, batch, cell.phase)
        except MemoryError:  # perhaps the oracle's: the cell has failed, and may be tried again
            raise
        except Exception as error:  # whatever a framework raises after so many calls, it was not proved there
            text = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            checks.append(tolerances.exact(AFTERWARDS, "raises", text, False))
        prepared.reason = self._judged(prepared, checks)
        prepared.proved = not prepared.reason
        return prepared.reason

    def is_its_turn(self, cell: Cell) -> bool:
        """Whether this cell is proved after its rounds in this block."""
        if self.is_peer:
            return False
        proved = afterwards.proved(self.cells, lambda c: self.spec_at(c.who, c.axes).flops("train_step"))
        if self.job.proves_each:
            return cell in proved
        return cell in proved[self.job.block % MIN_BLOCKS_FOR_VERDICT :: MIN_BLOCKS_FOR_VERDICT]

    def _recorded(self, check: Any, prepared: PreparedModel) -> Check:
        return Check(
            check=check.check, group=check.group, tensor=check.tensor, error=float(check.error),
            budget=float(check.budget), passed=check.passed, limit=self._limit(check, prepared),
        )  # fmt: skip

    def _limit(self, check: tolerances.Check, prepared: PreparedModel) -> str:
        """Which of the framework's own explains that it failed; nothing where none does, or it passed."""
        if check.passed:
            return ""
        who = prepared.who
        limit = limits.explaining(who.framework, who.mode, prepared.spec.model_dump(mode="json"), check)
        return limit.name if limit else ""
