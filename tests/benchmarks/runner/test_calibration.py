"""Calls per round, rounds and warm-up: what a stall sets too low is raised, and how many there are does not move a time.

Every mend is undone once, and each time the same check notices it.
"""

import itertools
import statistics
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from benchmarks.records.record import Cell, Record, TimingRecord
from benchmarks.runner import blocks
from benchmarks.runner.blocks import Runner
from benchmarks.runner.networks import Network
from benchmarks.worker import __main__ as worker
from benchmarks.worker import timing
from benchmarks.worker.workloads import Work
from implementations.mlp.spec import MLPSpec
from tests.support import cold_machine, stalled_worker, synthetic
from tests.support.cold_machine import CALL_S, ColdMachine
from tests.support.virtual_run import PROFILE

ROUND_S = 32 * CALL_S
LOOPS, ROUNDS = (1, 2, 4, 10, 20), (5, 24)


@pytest.fixture(autouse=True)
def on_the_virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # as in a worker's process
    monkeypatch.setenv("PYTEST_ADDOPTS", f"--benchmark-timer={cold_machine.__name__}.clock")
    monkeypatch.setattr(worker, "perf_counter", cold_machine.clock)
    monkeypatch.setattr(timing, "clock", cold_machine.clock)


def bias(loops: int, rounds: int) -> float:
    """Of a time against the truth, on the machine that has to be warmed."""
    record = ColdMachine(loops, rounds, ROUND_S).measured()
    return abs(statistics.median(record.per_call) / CALL_S - 1)


@pytest.mark.parametrize(("loops", "rounds"), [*itertools.product(LOOPS, ROUNDS)])
def test_neither_calls_per_round_nor_rounds_move_a_time(loops: int, rounds: int) -> None:
    assert bias(loops, rounds) <= 0.005


def one_call(self: Work, round_s: float) -> None:
    self.reset()
    self.fence(self.warm())


def no_look_at_the_memory(call: Any, fence: Any, held_bytes: Callable[[], int]) -> float:
    return timing.warm_up(call, fence, timing.STRETCH_S, fewest=2)


def by_the_clock(call: Any, fence: Any, work_s: float, fastest_s: float = 1.0, fewest: int = 1) -> float:
    done, calls = 0.0, 0
    while done < work_s or calls < fewest:
        fastest_s, done, calls = min(fastest_s, took := timing.once(call, fence)), done + took, calls + 1
    return fastest_s


@pytest.mark.parametrize(
    ("holder", "name", "undone"),
    [(Work, "restore", one_call), (timing, "pilot", no_look_at_the_memory), (timing, "warm_up", by_the_clock)],
)
def test_each_mend_of_the_warm_up_is_needed(
    monkeypatch: pytest.MonkeyPatch, holder: Any, name: str, undone: Callable[..., Any]
) -> None:
    monkeypatch.setattr(holder, name, undone)
    assert any(bias(loops, rounds) > 0.05 for loops, rounds in itertools.product((1, 20), ROUNDS))


# A stall while calls per round are found, with real workers on the virtual clock


CELLS = [synthetic.cell(framework, phase) for framework in ("numpy", "torch") for phase in ("train_step", "predict")]


def stalled(cells: list[Cell] = CELLS, null_control: bool = True) -> dict[tuple[str, str, int, bool], TimingRecord]:
    """What three blocks recorded, by framework, phase, block and whether it is the null control."""
    records: list[Record] = []
    networks, program = {"mlp": Network(MLPSpec(), {})}, stalled_worker.__name__
    Runner(networks, cells, PROFILE, 3, 0, records.append, program=program, null_control=null_control).execute()
    timings = [record for record in records if isinstance(record, TimingRecord)]
    return {(t.cell.who.framework, t.cell.phase, t.block, t.control): t for t in timings}


as_it_is = cache(stalled)


def fills_its_rounds(record: TimingRecord) -> bool:
    return 0.85 * PROFILE.round_s < statistics.median(record.elapsed_s) < 1.3 * PROFILE.round_s


def test_what_a_stall_has_set_too_low_is_raised_in_the_next_block_and_never_again_too_low() -> None:
    numpy, torch = ([as_it_is()[name, "predict", block, False] for block in range(3)] for name in ("numpy", "torch"))
    assert numpy[0].loops == 1  # nobody can know better
    assert [fills_its_rounds(record) for record in (*torch, *numpy[1:])] == [True] * 5
    for ours, theirs in zip(numpy[1:], torch[1:], strict=True):
        assert ours.loops == pytest.approx(theirs.loops, abs=2)


def test_an_implementation_and_its_null_control_have_the_same_calls_and_the_same_rounds() -> None:
    original, control = (as_it_is()["numpy", "train_step", 0, is_control] for is_control in (False, True))
    assert original.loops == control.loops
    assert fills_its_rounds(original)  # by the pilot that was not stalled
    rounds = {(phase, len(record.elapsed_s)) for (_, phase, _, _), record in as_it_is().items()}
    assert sorted(phase for phase, _ in rounds) == ["predict", "train_step"]


def fixed_by_the_first(original: Callable[..., dict[str, float]]) -> Callable[..., dict[str, float]]:
    """Mutation: the first block's pilots hold for the whole run."""
    first: dict[str, float] = {}

    def fastest(block: Any, seats: Any) -> dict[str, float]:
        found = original(block, seats)
        return {name: first.setdefault(name, seconds) for name, seconds in found.items()}

    return fastest


def of_this_block(block: Any, seats: Any) -> dict[str, float]:
    """Mutation: nothing is kept of earlier blocks, and each process stands for itself."""
    return {str(seat.in_progress): seat.event["call_s"] for seat in reversed(seats)}


@pytest.mark.parametrize(
    "undone", [fixed_by_the_first(blocks.Block._fastest_calls), of_this_block], ids=["fixed", "forgotten"]
)
def test_a_run_that_does_not_learn_keeps_what_a_stall_has_set(
    monkeypatch: pytest.MonkeyPatch, undone: Callable[..., dict[str, float]]
) -> None:
    monkeypatch.setattr(blocks.Block, "_fastest_calls", undone)
    records = stalled([cell for cell in CELLS if cell.who.framework == "numpy"], null_control=False)
    assert not all(fills_its_rounds(records["numpy", "predict", block, False]) for block in (1, 2))
