"""Runs a plan: blocks of fresh worker processes, visit by visit to its turn groups, and what is written when a worker dies.

A block is one process per framework, device and thread count, with all its networks, and a second copy of one of them as
null control. They start side by side, because importing and proving are slow and are not measured (except in the first block,
where the first calls are), and then take turns: see `benchmarks.plan.schedule`.
"""

import itertools
import math
import random
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic

from benchmarks import system
from benchmarks.plan import schedule as turns
from benchmarks.plan.profiles import Profile
from benchmarks.records.record import BlockRecord, Cell, Configuration, OutcomeRecord, Record, TimingRecord
from benchmarks.runner import interference, losses
from benchmarks.runner.networks import Network, dataset_of, of_named, scratch
from benchmarks.runner.progress import Place, Say
from benchmarks.runner.worker_process import PROGRAM, Sink, WorkerLost, WorkerProcess
from benchmarks.worker.protocol import Job, Part, Says, Task, Visit
from benchmarks.worker.timing import calls_filling
from implementations import registry


@dataclass
class Runner:
    """Everything a run needs to know, and where its results go."""

    networks: Mapping[str, Network]
    cells: list[Cell]
    profile: Profile
    blocks: int
    seed: int
    sink: Sink
    say: Say = lambda text: None
    pythons: Mapping[str, str] = field(default_factory=dict)
    call_s: dict[str, float] = field(default_factory=dict)
    """Seconds per call of each cell's fastest round so far. Every block's rounds get as many calls as fill them by this
    and by the block's pilots: what a stall has set too low is raised in the next."""

    restless: set[tuple[str, ...]] = field(default_factory=set)
    """Comparison groups whose waiting workers used the processor: from the next block on whole workers take turns there."""

    left: Mapping[int, list[Cell]] | None = None
    """What is to be measured, by block, where some of it is there already."""

    untrained: Collection[Configuration] | None = None
    """Who is to be trained in the first block; None: all."""

    program: str = PROGRAM
    """The module that a worker runs."""

    null_control: bool = True

    end_s: float = math.inf
    """When blocks should end, by the monotonic clock: one begins only where half of it fits; the first in any case."""

    more_until_s: float = 0.0
    """Until then, further blocks follow the planned ones: each begins only where it fits."""

    def execute(self) -> None:
        """All blocks, or those that are left; then further ones while there is time."""
        left = self.left if self.left is not None else dict.fromkeys(range(self.blocks), self.cells)
        typical = 0.0
        with scratch(self.networks) as folder:
            for number, cells in left.items():
                if typical and monotonic() + typical / 2 > self.end_s:
                    self.say(f"the budget is over before block {number + 1} of {self.blocks}; the same command goes on")
                    return
                took = self._block(number, cells, folder)
                typical = min(typical or took, took)
            number = self.blocks
            while left and monotonic() + typical < self.more_until_s:
                typical = self._block(number, self.cells, folder)
                number += 1

    def _block(self, number: int, cells: list[Cell], folder: Path) -> float:
        """One block; the seconds that it took."""
        begin, interfered = monotonic(), interference.begin()
        Block(self, number, cells, folder).execute()
        took = monotonic() - begin
        if cells:  # else lost trainings were made again
            self.sink(BlockRecord(block=number, wall_s=took, node=system.node(), interference=interfered()))
        return took

    def keep(self, result: Record) -> None:
        """A record of a worker's, on its way to the results."""
        if isinstance(result, TimingRecord):
            for name, seconds in turns.fastest_calls([result]).items():
                self.call_s[name] = min(seconds, self.call_s.get(name, math.inf))
            if turns.restless(result):
                self.restless.add(result.cell.comparison_group)
        self.sink(result)

    def keep_of_control(self, result: Record) -> None:
        """The same of a null control, whose outcomes are left out: they are no holes in the results."""
        if not isinstance(result, OutcomeRecord):
            self.keep(result)

    def sink_of(self, job: Job) -> Sink:
        """Where the records of its worker go."""
        return self.keep_of_control if job.control else self.keep

    def spawn(self, job: Job, folder: Path) -> WorkerProcess:
        """Start a worker."""
        who, copy = job.who, "-control" if job.control else ""
        name = f"{job.block}-{who.model}-{who.framework}-{who.precision}-{who.mode}-{who.device.replace(':', '')}-{who.threads}{copy}.log"
        python = self.pythons.get(who.framework, sys.executable)
        return WorkerProcess(job, python, folder / name, self.sink_of(job), self.program)


class Block:
    """Fresh processes for every configuration, alive together, and every turn group, in a new order."""

    def __init__(self, run: Runner, number: int, cells: list[Cell], folder: Path) -> None:
        self.run, self.number, self.cells, self.folder = run, number, cells, folder
        self.order = random.Random(f"{run.seed}-{number}")
        self.parts = turns.parts(turns.turn_groups(cells, self.order))
        self.workers: list[WorkerProcess] = []
        self.rounds: dict[tuple[str, ...], int] = {}
        self.loops: dict[str, int] = {}
        self.restless = frozenset(run.restless)

    def execute(self) -> None:
        """Start the workers, take all turns, profile and train; at the end every worker is stopped."""
        name = f"block {self.number + 1}/{max(self.run.blocks, self.number + 1)}"
        try:
            self.run.say(Place(f"{name}  starting", self._done(0), is_block=True))
            for job in self._jobs():  # one by one: an interruption must find those that were started
                self.workers.append(self.run.spawn(job, self.folder))
            for worker in list(self.workers):
                self._step(worker, worker.listen)
            for worker in [w for w in self.workers if w.event["event"] == Says.READY]:
                self._step(worker)
            self._prove_side_by_side()
            for i, (visits, groups) in enumerate(self.parts):
                self._visit(visits, groups, f"{name}  part {i + 1}/{len(self.parts)}", self._turns(i))
            while going_on := [worker for worker in self.workers if not worker.ended]:  # profiles and learning are left
                self._step(going_on[0])
        finally:
            for worker in self.workers:
                worker.stop()

    def _turns(self, parts: int) -> int:
        """So often the first parts of the block come to a turn group."""
        return sum(visits * len(groups) for visits, groups in self.parts[:parts])

    def _visit(self, visits: int, groups: list[list[Cell]], part: str, begun: int) -> None:
        """All visits to the groups of a part, and further ones where a new process has some left."""
        ids = {cell.id for group in groups for cell in group}
        for visit in itertools.count():
            left = [w for w in self.workers if w.event["event"] == Says.START and w.in_progress in ids]
            if visit >= visits and not left:
                return
            for i, group in enumerate(groups):
                share = (begun + min(visit, visits - 1) * len(groups) + i) / self._turns(len(self.parts))
                where = f"{part}, visit {visit + 1}, group {i + 1}/{len(groups)}  {self._named(group[0])}"
                self.run.say(Place(where, self._done(share)))
                self._take_turns(group, visits)

    def _done(self, share: float) -> float:
        """The share of the run's blocks that is done, with so much of this one."""
        return (self.number + share) / max(self.run.blocks, self.number + 1)

    def _named(self, cell: Cell) -> str:
        """A turn group by one of its cells; with the network where there are several."""
        network = [cell.who.model] if len(self.run.networks) > 1 else []
        return ", ".join([*network, cell.phase, *(f"{axis} {value}" for axis, value in cell.axes.items())])

    def _prove_side_by_side(self) -> None:
        """Workers that have made their first calls alone prove together, up to their first cell."""
        called = [worker for worker in self.workers if worker.event["event"] == Says.CALLED]
        for worker in called:
            worker.wake()
        for worker in called:
            self._step(worker, worker.listen)

    def _jobs(self) -> list[Job]:
        order = [cell for _, part in self.parts for group in part for cell in group]
        untrained = (self.run.untrained or ()) if self.number == 0 else ()
        jobs = [self._job(whos, order) for whos in turns.processes([*turns.by_implementation(order), *untrained])]
        if self.run.null_control and self.run.blocks > 1:
            peers = {cell.who.framework for cell in self.cells if registry.is_peer(cell.who.framework)}
            control = turns.control(of_named(self.cells, self.run.networks), self.number, peers)
            copied = [cell for cell in order if cell in control]
            jobs += [self._job(whos, copied, True) for whos in turns.processes(cell.who for cell in control)]
        self.order.shuffle(jobs)
        return jobs

    def _job(self, whos: Sequence[Configuration], cells: Collection[Cell], control: bool = False) -> Job:
        """What these implementations, which share a process, have to do with these cells."""
        own = {cell.id: cell for cell in cells if turns.implementation_of(cell.who) in whos}
        parts = [(n, [cell for group in part for cell in group if cell.id in own]) for n, part in self.parts]
        return Job(
            tasks=[self._task(who, control) for who in whos],
            block=self.number,
            seed=self.run.seed,
            parts=[Part(cells=part, visits=visits) for visits, part in parts if part],
            round_s=self.run.profile.round_s,
            trainings=self.run.profile.trainings,
            profile_steps=not control and any(cell.phase == "train_step" for cell in own.values()),
            prepare_early=self.number > 0,
            control=control,
            proves_each=len(self.cells) < len(self.run.cells),
        )

    def _task(self, who: Configuration, control: bool) -> Task:
        learns = self.number == 0 and not control and not registry.is_peer(who.framework)
        learns = learns and (self.run.untrained is None or who in self.run.untrained)
        network, dataset = self.run.networks[who.model], str(dataset_of(who.model, self.folder))
        spec = network.spec.model_dump(mode="json")
        epochs = network.epochs if learns else 0
        return Task(who=who, spec=spec, dataset=dataset, epochs=epochs, first_calls=not network.unnamed)

    def _take_turns(self, group: list[Cell], visits: int) -> None:
        """Every worker with a cell here prepares it in turn, once; then a visit's rounds in turn, after the last some rounds in a row."""
        ids, key = {cell.id for cell in group}, group[0].comparison_group
        there = [w for w in self.workers if w.event["event"] == Says.START and w.in_progress in ids]
        new = [w for w in there if w.visits[str(w.in_progress)] == 1]
        for seat in self.order.sample(new, len(new)):
            self._step(seat)
        prepared = [w for w in self.workers if w.event["event"] == Says.PREPARED]
        self._plan_rounds(key, prepared)
        schedule: turns.Schedule = "workers" if key in self.restless else "rounds"
        most = 0
        for seat in [w for w in there if w not in new] + prepared:
            name = str(seat.in_progress)
            visit = seat.visits[name] - 1
            rounds = turns.rounds_of_visit(self.rounds[key], visit, visits, schedule)
            most, last = max(most, rounds), visit == visits - 1
            alone, loops = turns.ALONE * last, self.loops[name]
            answer = Visit(rounds=rounds, alone=alone, loops=loops, schedule=schedule, last=last)
            self._step(seat, partial(seat.proceed, answer.model_dump_json()))
        racing = [w for w in self.workers if w.event["event"] == Says.TURN]
        for seat in (*turns.sequence(racing, most, schedule, self.order), *turns.alone(racing, self.order)):
            if seat in self.workers and seat.event["event"] == Says.TURN:
                self._step(seat)

    def _plan_rounds(self, key: tuple[str, ...], prepared: list[WorkerProcess]) -> None:
        """Calls per round of these workers' cells, and rounds, for the longest of them; once in a block."""
        call_s = self._fastest_calls(prepared)
        for name, seconds in call_s.items():
            self.loops.setdefault(name, calls_filling(self.run.profile.round_s, seconds))
        if call_s:
            longest = max(self.loops[name] * seconds for name, seconds in call_s.items())
            self.rounds.setdefault(key, turns.rounds_for(longest, self.run.profile.rounds))

    def _fastest_calls(self, prepared: list[WorkerProcess]) -> dict[str, float]:
        """Seconds by cell, of all that is known: one figure for an implementation and its null control."""
        fastest: dict[str, float] = {}
        for seat in prepared:
            name = str(seat.in_progress)
            fastest[name] = min(fastest.get(name, math.inf), seat.event["call_s"], self.run.call_s.get(name, math.inf))
        return fastest

    def _step(self, worker: WorkerProcess, step: Callable[[], None] | None = None) -> None:
        """Let a worker go on until it waits again; one that is lost gives way to a new one for the rest of its cells."""
        if worker.ended:
            return
        try:
            (step or worker.proceed)()
        except WorkerLost as problem:
            worker.stop()
            self._replace(worker, str(problem))
        if worker.event["event"] == Says.UNAVAILABLE and not worker.job.control:
            self.run.say(f"  {worker.job.who.framework} cannot run: {worker.event['reason']} {worker.event['fix']}")

    def _replace(self, worker: WorkerProcess, reason: str) -> None:
        """Record what was lost; start a new process for what is left."""
        at = self.workers.index(worker)
        self.workers.remove(worker)
        for record in losses.records(worker, reason):
            self.run.sink_of(worker.job)(record)
        self.run.say(f"  {worker.job.who.framework} was lost: {reason}")
        job = losses.job_left(worker)
        if job is None:
            return
        successor = self.run.spawn(job, self.folder)
        self.workers.insert(at, successor)
        self._step(successor, successor.listen)
        if successor in self.workers:
            self._step(successor)


if sys.platform == "win32":
    raise ImportError("samenet runs on Linux and macOS; on Windows use WSL2 (see the README).")
