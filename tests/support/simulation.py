"""A simulated machine, for proving the statistics: noise that is known, a clock that is virtual, a truth to be found.

Everything that is not noise is real: the schedule is `turns.sequence`, the warm-up is what `timing` says, the rounds
go into `TimingRecord`s, and these through `gather` and `compare`. A and B are two cells of one group.

Many runs are simulated side by side, one row of an array each, because the tests need thousands. The noise multiplies
the true time. Its sizes are those of a shared cloud machine: several percent to 30%.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks import statistics
from benchmarks.analysis import ranking, results
from benchmarks.plan import schedule as turns
from benchmarks.plan.profiles import PROFILES
from benchmarks.records.record import Record, TimingRecord
from benchmarks.statistics import Comparison
from benchmarks.worker import protocol, timing
from benchmarks.worker.workloads import Work
from tests.support import synthetic

Array = np.ndarray
A, B = 0, 1
CELLS = (synthetic.cell("numpy"), synthetic.cell("torch"))
RUNS = 2000
"""The most runs that are simulated at once."""

BLOCKS, ROUNDS = PROFILES["quick"].blocks, PROFILES["quick"].rounds

CALL_S = 4e-4
"""What B's call costs on an undisturbed machine. A's costs the true ratio times as much."""

LOOPS = (10, 8)
"""Calls in a round of A and of B; they differ, as they do where each worker calibrates its own."""

TICK_S = 2.0**-30
"""Every virtual time is a multiple of this, so that sums and differences of times are exact."""

SWITCH_S = 2.0**-10
"""From the end of one turn to the beginning of the next."""

GAP_S = 2.0**-3
"""From block to block. In truth it is much longer; here it is short, so that a step of the clock rate often falls
within a block."""

VISIT_GAP_S = 2.0**-4
"""From visit to visit, while others have theirs. In truth some seconds."""

SPAN_S = BLOCKS * (GAP_S + turns.VISITS * VISIT_GAP_S + ROUNDS * (sum(LOOPS) * CALL_S + 2 * SWITCH_S))
"""How long a run takes, about."""


@dataclass(frozen=True)
class Turn:
    """One turn in each of the simulated runs: when it begins, in whose process, and how many that process had before."""

    now: Array
    process: Array
    nth: Array


Effect = Callable[[Turn], Array]
Noise = Callable[[np.random.Generator, int], Effect]
"""Draws what is fixed for so many runs; what it returns gives the factor on the time of each turn."""


def jitter(rng: np.random.Generator, runs: int) -> Effect:
    """White noise of 2%, each round's own. Part of every machine: without it most medians would be exact."""
    return lambda turn: np.exp(rng.normal(0, 0.02, runs))


def drift(rng: np.random.Generator, runs: int) -> Effect:
    """A random walk of about 5% in a second and one step of the clock rate by up to 30%, the same for everybody."""
    grid_s = 2e-3
    walk = np.cumsum(rng.normal(0, 0.05 * np.sqrt(grid_s), (runs, int(3 * SPAN_S / grid_s))), axis=1)
    step, at = rng.uniform(-np.log(1.3), np.log(1.3), runs), rng.uniform(0, SPAN_S, runs)
    rows = np.arange(runs)

    def effect(turn: Turn) -> Array:
        here = np.minimum(turn.now / grid_s, walk.shape[1] - 1).astype(int)
        return np.exp(walk[rows, here] + np.where(turn.now >= at, step, 0))

    return effect


def spikes(rng: np.random.Generator, runs: int) -> Effect:
    """One round in 20 is hit by a stall that makes it 1.3 to 4 times as long."""
    return lambda turn: np.where(rng.random(runs) < 0.05, rng.uniform(1.3, 4, runs), 1)


def bursts(rng: np.random.Generator, runs: int) -> Effect:
    """Autocorrelated noise of 10% that everybody shares: AR(1) in virtual time, forgotten after about 20 ms."""
    level, last = rng.normal(0, 0.1, runs), np.zeros(runs)

    def effect(turn: Turn) -> Array:
        nonlocal level, last
        kept = np.exp(-(turn.now - last) / 0.02)
        level = kept * level + np.sqrt(1 - kept**2) * rng.normal(0, 0.1, runs)
        last = turn.now.copy()
        return np.exp(level)

    return effect


def bimodal(rng: np.random.Generator, runs: int) -> Effect:
    """Every fresh process is fast or 4% slower, for its whole life: its memory may lie well or badly."""
    slow = np.where(rng.random((runs, 2 * BLOCKS)) < 0.5, 1.04, 1.0)
    return lambda turn: slow[np.arange(runs), turn.process]


def ramps(rng: np.random.Generator, runs: int) -> Effect:
    """Every process begins 5 to 30% too slow, and loses that within some rounds."""
    height, length = rng.uniform(0.05, 0.3, (runs, 2 * BLOCKS)), rng.uniform(0.5, 2, (runs, 2 * BLOCKS))
    rows = np.arange(runs)
    return lambda turn: 1 + height[rows, turn.process] * np.exp(-turn.nth / length[rows, turn.process])


MODELS: dict[str, tuple[Noise, ...]] = {
    "drift": (drift,),
    "spikes": (spikes,),
    "bursts": (bursts,),
    "bimodal": (bimodal,),
    "ramps": (ramps,),
    "all": (drift, spikes, bursts, bimodal, ramps),
}

Schedule = Callable[[str], list[tuple[int, int, int]]]
"""From a seed to every turn of a run: the block, the visit, and A or B."""

VISITED = [turns.rounds_of_visit(ROUNDS, visit, turns.VISITS) for visit in range(turns.VISITS)]
"""Rounds of each visit."""


def in_turns(seed: str) -> list[tuple[int, int, int]]:
    """The real schedule, its order drawn from the run's seed and the block's number as in `runner.Block`."""
    drawn = [random.Random(f"{seed}-{block}") for block in range(BLOCKS)]
    return [
        (block, visit, seat)
        for block in range(BLOCKS)
        for visit, rounds in enumerate(VISITED)
        for seat in turns.sequence((A, B), rounds, "rounds", drawn[block])
    ]


@cache
def _plans(schedule: Schedule) -> Array:
    return np.array([schedule(str(run)) for run in range(RUNS)])


@dataclass(frozen=True)
class Measured:
    """Rounds of simulated runs: [run, block, A or B, round], in seconds for the whole round."""

    elapsed_s: Array
    started_at_s: Array


def measure(
    noise: Sequence[Noise], runs: int, seed: int, ratio: float = 1.0, schedule: Schedule = in_turns
) -> Measured:
    """So many runs of A and B on a machine with this noise (and jitter). A's time is `ratio` times B's in truth."""
    rng, rows = np.random.default_rng(seed), np.arange(runs)
    effects = [make(rng, runs) for make in (jitter, *noise)]
    true_s, loops = np.array([CALL_S * ratio, CALL_S]), np.array(LOOPS)
    elapsed, started = np.empty((2, runs, BLOCKS, 2, ROUNDS))
    now, before = np.zeros(runs), np.zeros((runs, 2 * BLOCKS), dtype=int)
    last = before_that = np.zeros(runs, dtype=int)
    for block, visit, seat in np.moveaxis(_plans(schedule)[:runs], 0, 2):
        now = now + np.where(block != last, GAP_S, np.where(visit != before_that, VISIT_GAP_S, SWITCH_S))
        process = 2 * block + seat
        turn = Turn(now, process, before[rows, process])
        call_s = true_s[seat] * np.prod([effect(turn) for effect in effects], axis=0)
        seconds = loops[seat] * np.round(call_s / TICK_S) * TICK_S
        elapsed[rows, block, seat, turn.nth], started[rows, block, seat, turn.nth] = seconds, now
        before[rows, process] += 1
        now, last, before_that = now + seconds, block, visit
    return Measured(elapsed, started)


@cache
def _proved() -> tuple[Record, ...]:
    return (synthetic.run(CELLS, BLOCKS), *(synthetic.proof(of, block) for of in CELLS for block in range(BLOCKS)))


def timings(measured: Measured, run: int, cells: Sequence[Any] = CELLS, **options_of_b: Any) -> list[TimingRecord]:
    """What the workers of one of the runs would have recorded."""
    found = []
    for block, seat in np.ndindex(BLOCKS, 2):
        elapsed = measured.elapsed_s[run, block, seat].tolist()
        values: dict[str, Any] = {
            "cell": cells[seat],
            "block": block,
            "schedule": "rounds",
            "loops": LOOPS[seat],
            "warmup_rounds": timing.warmup_rounds(ROUNDS),
            "elapsed_s": elapsed,
            "started_at_s": measured.started_at_s[run, block, seat].tolist(),
            "first_call_s": None,
            "second_call_s": None,
            "samples_per_call": 1,
            "flops_per_call": 1,
        }
        found.append(TimingRecord(**(values | (options_of_b if seat == B else {}))))
    return found


def gathered(found: Iterable[TimingRecord]) -> results.Results:
    """These timings as a whole run's results, every cell proved in every block."""
    return results.gather([*_proved(), *found], [], {})


def reported(found: Iterable[TimingRecord]) -> Comparison:
    """A against B by the report's own path: records, `gather`, `compare`."""
    entries = {entry.cell.id: entry for entry in gathered(found).entries}
    a, b = (entries[of.id] for of in CELLS)
    comparison = ranking.compare(a, b)
    assert comparison is not None
    return comparison


def settled(rounds: Array) -> tuple[list[float], list[float]]:
    """Seconds per call of A and of B in one block, without their warm-up; `rounds` are [A or B, round]."""
    a, b = (
        [seconds / LOOPS[seat] for seconds in elapsed[timing.warmup_rounds(ROUNDS) :]]
        for seat, elapsed in enumerate(rounds.tolist())
    )
    return a, b


def compared(measured: Measured) -> list[Comparison]:
    """A against B in every run by the same functions, without records: for thousands of runs."""
    return [
        statistics.compare_logs([statistics.log_ratio(*settled(rounds)) for rounds in run])
        for run in measured.elapsed_s
    ]


def clock() -> float:
    """Virtual seconds. pytest-benchmark is told to read it: `--benchmark-timer=tests.support.simulation.clock`."""
    return Stage.now


class Stage:
    """Stands in for the runner and the models of one worker, and lets its rounds last as long as in a simulation.

    The device is asynchronous: a call returns after a sixteenth of its time, and the fence waits for the rest. Waiting for a turn and putting the
    state back take time too, which must not be counted.
    """

    now = 0.0

    def __init__(self, measured: Measured, run: int, block: int, seat: int) -> None:
        self.call_s = (measured.elapsed_s[run, block, seat] / LOOPS[seat]).tolist()
        self.started_at_s = measured.started_at_s[run, block, seat].tolist()
        self.call_s += self.call_s[-turns.ALONE :]
        self.started_at_s += [self.started_at_s[-1] + n for n in range(1, turns.ALONE + 1)]
        task = protocol.Task(who=CELLS[seat].who, spec={}, dataset="")
        self.job = protocol.Job(
            tasks=[task],
            block=block,
            seed=0,
            parts=[protocol.Part(cells=[CELLS[seat]], visits=turns.VISITS)],
            round_s=SWITCH_S / 4,
        )
        self.loops, self.turn, self.visit, self.pending = LOOPS[seat], -1, -1, 0.0
        self.sent: list[Any] = []

    def ask(self, name: str, **values: Any) -> str:
        """As `protocol.Channel`: the worker says where it is, and the runner answers."""
        if name == "turn":
            self.turn += 1
            Stage.now = self.started_at_s[self.turn] - 2 * SWITCH_S / 4  # then the worker puts the state back
        self.visit += name == "start"
        last = self.visit == turns.VISITS - 1
        alone = turns.ALONE * last
        visit = protocol.Visit(rounds=VISITED[self.visit], alone=alone, loops=self.loops, schedule="rounds", last=last)
        return visit.model_dump_json()

    def send(self, record: Any) -> None:
        """As `protocol.Channel`: a record for the results."""
        self.sent.append(record)

    def work(self, cell: Any) -> Work:
        """As `models.Models`: the cell's callable."""
        return Work(
            call=self._call,
            warm=self._reset,
            fence=self._fence,
            to_host=lambda result: [np.asarray(result)],
            reset=self._reset,
            first_call_s=None,
            second_call_s=None,
            samples_per_call=1,
            flops_per_call=1,
            ranked=True,
        )

    def _call(self) -> float:
        cost = self.call_s[max(self.turn, 0)]
        Stage.now += cost / 16
        self.pending += cost - cost / 16
        return cost

    def _fence(self, result: object) -> None:
        Stage.now, self.pending = Stage.now + self.pending, 0.0

    def _reset(self) -> None:
        Stage.now += SWITCH_S / 4
