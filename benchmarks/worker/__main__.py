"""One process, one framework, one device, all networks: it proves each of its implementations, then times the same objects.

`python -m benchmarks.worker` reads a Job (one JSON line) from standard input and writes records and events (one JSON
line each) to standard output. pytest-benchmark is the engine inside: the cells run as tests of `timed_cells.py`. Before
each cell and each round the worker asks for its turn and waits for the answer: the schedule belongs to the runner.
"""

import contextlib
import gc
import importlib
import os
import traceback
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, Protocol

import pytest
import threadpoolctl
from pydantic import BaseModel

from benchmarks import system
from benchmarks.records.record import Cell, OutcomeRecord, TimingRecord
from benchmarks.worker import timed_cells, timing
from benchmarks.worker.learning import learn
from benchmarks.worker.networks import Networks
from benchmarks.worker.protocol import PROFILING, Channel, Job, Says, Visit, begin
from benchmarks.worker.workloads import Bench, Untimeable, Work
from implementations import precisions, registry
from implementations.errors import Unavailable

ENGINE = "pytest_benchmark.plugin"
COLLECTING = "unraisableexception"
"""pytest's own plugin that looks for garbage among a framework's million objects when the tests are over."""


class Line(Protocol):
    """To the runner and back; a `Channel`, or what stands in for it."""

    def send(self, record: BaseModel) -> None:
        """A record for the results."""

    def ask(self, name: Says, **values: Any) -> str:
        """Say where we are, and wait for the answer."""


def main() -> None:
    """Do one job, then end."""
    channel, job, affinity = begin()
    try:
        networks = _start(job, affinity, channel)
        if job.prepare_early:
            _prove_all(job, networks, channel)
    except Unavailable as problem:
        for cell in job.cells:
            channel.send(
                OutcomeRecord(cell=cell, block=job.block, status="skipped", reason=problem.reason, fix=problem.fix)
            )
        channel.ask(Says.UNAVAILABLE, reason=problem.reason, fix=problem.fix)
        return
    channel.ask(Says.READY)
    with threadpoolctl.threadpool_limits(1, user_api="blas"):  # small products, and other processes beside this one
        for who, axes in job.prove:
            channel.event(Says.PREPARING, cell=f"{who.label} {axes}")
            networks.of(who).prove(who, axes)
    if job.cells:
        if not job.prepare_early:
            _call_first(job, networks, channel)
            channel.ask(Says.CALLED)
            _prove_all(job, networks, channel)
        measure(job, networks, channel)
    if job.profile_steps:
        channel.ask(Says.START, cell=PROFILING)
        for profile in networks.profile_steps():
            channel.send(profile)
    for task in job.trained:
        channel.ask(Says.START, cell=task.training)
        for training in learn(networks.of(task.who), partial(channel.event, Says.PREPARING, cell=task.training)):
            channel.send(training)
    channel.ask(Says.DONE)  # ending a process takes time, and others still measure


def _start(job: Job, affinity: list[int], channel: Channel) -> Networks:
    """Import the framework, set its threads and precision, and say what it is."""
    gc.disable()  # an import makes a million objects, none of them garbage: looking for some is a fifth of TensorFlow's time
    try:
        adapter = registry.adapter(job.who.framework)
    finally:
        gc.freeze()
        gc.enable()
    networks = Networks(job, adapter, channel.send)
    adapter.start(job.who.threads)
    precisions.enter(adapter, job.who.precision, patch=job.check_only)
    networks.check_device()
    importlib.import_module(ENGINE)  # now, not in the worker's turn
    networks.describe(affinity)
    return networks


def _call_first(job: Job, networks: Networks, channel: Channel) -> None:
    """Build every model and make its first calls, while no other process works; proving raises again what fails here."""
    measured = {task.who.model for task in job.tasks if task.first_calls}
    for cell in (cell for cell in job.cells if cell.who.model in measured):
        channel.event(Says.PREPARING, cell=cell.id)
        with contextlib.suppress(Exception):
            networks.of(cell.who).prepare(cell.who, cell.axes)


def _prove_all(job: Job, networks: Networks, channel: Channel) -> None:
    """All proofs at once; what fails here is raised again, and recorded, when the cell is timed.

    The oracle's BLAS uses one thread: several workers do this at the same time.
    """
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        for cell in job.cells:
            channel.event(Says.PREPARING, cell=cell.id)
            with contextlib.suppress(Exception):
                networks.of(cell.who).prove(cell.who, cell.axes)
    gc.collect()
    gc.freeze()  # or else what was built is looked through again after each visit


def measure(job: Job, bench: Bench, channel: Line) -> None:
    """Time the job's cells: run them as pytest tests in this process, without the project's own pytest settings."""
    module = str(Path(__file__).with_name("timed_cells.py"))
    settings = ["-c", os.devnull, "--rootdir", str(system.ROOT), "-q"]
    plugins = ["-p", ENGINE, "-p", "no:cacheprovider", "-p", f"no:{COLLECTING}"]
    options = ["--benchmark-quiet", "--benchmark-disable-gc"]
    pytest.main([*settings, *plugins, *options, module], plugins=[Measuring(job, bench, channel)])


@dataclass
class Underway:
    """A cell between two visits: its callable, and its rounds so far."""

    work: Work
    visits: list[Visit] = field(default_factory=list)
    started_at_s: list[float] = field(default_factory=list)
    elapsed_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)


class Measuring:
    """The pytest plugin of a worker: gives `timed_cells.py` its cells and does the work of each test."""

    def __init__(self, job: Job, bench: Bench, channel: Line) -> None:
        self.job, self.bench, self.channel = job, bench, channel
        self.underway: dict[str, Underway] = {}
        self.over: set[str] = set()
        """Cells of which everything is said."""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Where `timed_cells.py` looks for what to do."""
        config.stash[timed_cells.MEASURING] = self

    def measure(self, cell: Cell, benchmark: Any) -> None:
        """Prove, then time one cell, as far as this visit goes; one that cannot be timed is reported with its reason."""
        if cell.id in self.over:
            return
        answer = self.channel.ask(Says.START, cell=cell.id)
        try:
            if record := self._visit(cell, benchmark, answer):
                self._tell(record)
        except Exception as error:  # whatever a framework raises belongs to this cell, not to the run
            reason = f"{type(error).__name__}: {error}".splitlines()[0][:500]
            lines = traceback.format_exc().splitlines()[-12:]
            status: Literal["unequal", "failed"] = "failed"
            if isinstance(error, Untimeable):  # nor may it be ranked by its times in other blocks
                status, reason = "unequal", str(error)
            self._tell(OutcomeRecord(cell=cell, block=self.job.block, status=status, reason=reason, last_lines=lines))
            raise

    def _tell(self, record: TimingRecord | OutcomeRecord) -> None:
        self.over.add(record.cell.id)
        self.underway.pop(record.cell.id, None)
        self.channel.send(record)

    def _visit(self, cell: Cell, benchmark: Any, answer: str) -> TimingRecord | OutcomeRecord | None:
        """What there is to say of the cell; None where another visit comes, or where it was said."""
        if cell.id not in self.underway:
            call_s = self._prepared(cell)
            if call_s is None:
                return None
            answer = self.channel.ask(Says.PREPARED, cell=cell.id, call_s=call_s)
        measured, visit = self.underway[cell.id], Visit.model_validate_json(answer)
        measured.visits.append(visit)
        if visit.rounds + visit.alone:
            measured.work.begin()
            self._take_turns(cell, measured, benchmark)
        if not visit.last:
            return None
        work = measured.work
        work.check()
        if reason := work.afterwards():
            return OutcomeRecord(cell=cell, block=self.job.block, status="unequal", reason=reason)
        if self.job.block == 0:
            work.check_nothing_is_remembered()
        return self._record(cell, measured)

    def _prepared(self, cell: Cell) -> float | None:
        """Seconds of the cell's fastest call; None where it must not be timed."""
        work = self.bench.work(cell)
        if work is None:
            self.over.add(cell.id)
            return None
        if self.job.block == 0:  # the later blocks have the same fences
            work.check_fence()
        call_s = work.pilot()
        self.underway[cell.id] = Underway(work)
        return call_s

    def _take_turns(self, cell: Cell, measured: Underway, benchmark: Any) -> None:
        work, visit = measured.work, measured.visits[-1]
        cpu_at: list[float] = []  # read before and after each round, outside its time; in between it waits and restores

        def wait_for_turn() -> None:
            cpu_at.append(system.own_cpu_s())
            self.channel.ask(Says.TURN, cell=cell.id)
            work.restore(self.job.round_s)
            cpu_at.append(system.own_cpu_s())
            measured.started_at_s.append(perf_counter())

        timed_round = timing.round_of(work.call, work.fence, visit.loops)
        benchmark.pedantic(timed_round, setup=wait_for_turn, rounds=visit.rounds + visit.alone, warmup_rounds=0)
        cpu_at.append(system.own_cpu_s())
        measured.elapsed_s += benchmark.stats.stats.data
        measured.cpu_s += [end - begin for begin, end in zip(cpu_at[1::2], cpu_at[2::2], strict=True)]

    def _record(self, cell: Cell, measured: Underway) -> TimingRecord:
        work, visit = measured.work, measured.visits[-1]
        in_turn = sum(each.rounds for each in measured.visits)
        return TimingRecord(
            cell=cell,
            block=self.job.block,
            control=self.job.control,
            schedule=visit.schedule,
            loops=visit.loops,
            warmup_rounds=timing.warmup_rounds(in_turn),
            elapsed_s=measured.elapsed_s[:in_turn],
            alone_s=measured.elapsed_s[in_turn:],
            cpu_s=measured.cpu_s[:in_turn],
            started_at_s=measured.started_at_s,
            first_call_s=work.first_call_s,
            second_call_s=work.second_call_s,
            samples_per_call=work.samples_per_call,
            tokens_per_call=work.tokens_per_call,
            flops_per_call=work.flops_per_call,
            least_flops_per_call=work.least_flops_per_call,
            bytes_per_call=work.bytes_per_call,
            device_clocks=work.device_clocks(visit.loops),
            kernels=dict(work.kernels()),
            ranked=work.ranked,
        )


if __name__ == "__main__":
    main()
