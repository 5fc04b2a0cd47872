"""The harness against a machine whose truth is known: is it found as often as the intervals promise?

The checks are proved too: each mutation of the method, made here on purpose, must be noticed by one of them.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.special import stdtrit
from scipy.stats import binom

from benchmarks import statistics
from benchmarks.analysis import run_quality
from benchmarks.plan import schedule
from benchmarks.records.record import TimingRecord
from benchmarks.statistics import Comparison
from benchmarks.worker import __main__ as worker
from benchmarks.worker import timing
from tests.support import simulation
from tests.support.simulation import BLOCKS, CELLS, MODELS, ROUNDS, RUNS, Array, Measured

Interval = tuple[float, float]
"""Of the logarithm of a ratio."""


@cache
def simulated(model: str, ratio: float) -> tuple[Comparison, ...]:
    return tuple(simulation.compared(simulation.measure(MODELS[model], RUNS, seed=round(1000 * ratio), ratio=ratio)))


@cache
def injected(ratio: float) -> tuple[Comparison, ...]:
    """Fewer runs, their noise drawn anew for each ratio, on the machine with everything."""
    return tuple(simulation.compared(simulation.measure(MODELS["all"], 300, seed=round(2000 * ratio), ratio=ratio)))


def intervals(comparisons: Sequence[Comparison]) -> list[Interval]:
    return [(math.log(c.ratio.low), math.log(c.ratio.high)) for c in comparisons]


# The two checks. The mutations below must fail them.


def coverage(bounds: Sequence[Interval], ratio: float = 1.0) -> float:
    return float(np.mean([low <= math.log(ratio) <= high for low, high in bounds]))


def as_promised(covered: float) -> bool:
    return 0.93 <= covered <= 0.97


def few_false_alarms(bounds: Sequence[Interval]) -> bool:
    """At most 64 in 1,000 runs without a difference: 50, and two standard deviations."""
    return sum(not low <= 0 <= high for low, high in bounds) <= 0.064 * len(bounds)


# What the method does


@pytest.mark.parametrize(("model", "ratio"), [*((model, 1.0) for model in MODELS), ("all", 1.05)])
def test_the_interval_covers_the_truth_95_times_in_100(model: str, ratio: float) -> None:
    assert as_promised(coverage(intervals(simulated(model, ratio)), ratio))


def lopsided_ramps(rng: np.random.Generator, runs: int) -> simulation.Effect:
    """The same ramps, but only A has them."""
    effect = simulation.ramps(rng, runs)
    return lambda turn: np.where(turn.process % 2 == simulation.A, effect(turn), 1)


@cache
def lopsided() -> tuple[Comparison, ...]:
    return tuple(simulation.compared(simulation.measure([lopsided_ramps], 2000, seed=1)))


def test_the_interval_covers_the_truth_where_only_one_side_warms_up() -> None:
    assert as_promised(coverage(intervals(lopsided())))


def test_what_a_lopsided_warm_up_leaves_is_small_beside_the_margin() -> None:
    bias = np.mean([math.log(c.ratio.value) for c in lopsided()])
    assert abs(bias) < 0.1 * statistics.MARGIN
    assert not any(c.verdict in ("faster", "slower") for c in lopsided())


@cache
def measured_without_a_difference() -> Measured:
    return simulation.measure(MODELS["all"], 1000, seed=3)


def test_a_thousand_runs_without_a_difference_raise_few_false_alarms() -> None:
    measured = measured_without_a_difference()
    comparisons = simulation.compared(measured)
    assert few_false_alarms(intervals(comparisons))
    assert [c.detected for c in comparisons] == [not low <= 0 <= high for low, high in intervals(comparisons)]
    assert sum(c.verdict in ("faster", "slower") for c in comparisons) <= 10


def test_records_and_bare_functions_give_the_identical_comparison() -> None:
    measured = simulation.measure(MODELS["all"], 50, seed=4, ratio=1.05)
    comparisons = [simulation.reported(simulation.timings(measured, run)) for run in range(50)]
    assert comparisons == simulation.compared(measured)


def test_a_null_control_gives_the_identical_comparison() -> None:
    measured = simulation.measure(MODELS["all"], 1, seed=5)
    records = simulation.timings(measured, 0, cells=(CELLS[0], CELLS[0]), control=True)
    (null,) = run_quality.null_controls(simulation.gathered(records))
    (turned,) = simulation.compared(measured)  # a null control is the copy's time over the original's, here B over A
    assert null.comparison.p_value == pytest.approx(turned.p_value, rel=1e-9)
    assert null.comparison.ratio.value == pytest.approx(1 / turned.ratio.value, rel=1e-12)
    assert null.comparison.ratio.low == pytest.approx(1 / turned.ratio.high, rel=1e-12)


POWER = (1.0, 1.01, 1.02, 1.03, 1.05, 1.1)


@pytest.mark.parametrize("ratio", POWER[1:])
def test_an_injected_difference_is_measured_without_bias(ratio: float) -> None:
    mean = np.mean([math.log(c.ratio.value) for c in injected(ratio)])
    assert abs(mean - math.log(ratio)) <= 0.005


def test_the_larger_a_difference_the_more_often_it_is_detected() -> None:
    power = [np.mean([c.detected for c in injected(ratio)]) for ratio in POWER]
    assert power == sorted(power)
    assert power[0] < 0.08
    assert power[-1] > 0.9


def test_a_tenth_is_never_called_a_tie() -> None:
    verdicts = [c.verdict for c in injected(1.1)]
    assert "tied" not in verdicts
    assert "faster" not in verdicts
    assert verdicts.count("slower") > len(verdicts) / 2


FAMILY_BOUND = binom.ppf(0.975, 500, 0.05)


def tables_with_a_detection(corrected: Callable[[Sequence[float]], list[bool]]) -> int:
    """Of 500 tables with 20 comparisons each, from all the machines, without any true difference."""
    columns = [simulated(model, 1.0) for model in MODELS]
    p_values = np.array([[c.p_value for c in column] for column in columns]).T.reshape(-1)[:10000].reshape(500, 20)
    return sum(any(corrected(table.tolist())) for table in p_values)


def test_a_whole_table_errs_once_in_20() -> None:
    assert tables_with_a_detection(statistics.holm) <= FAMILY_BOUND


def test_without_holms_correction_tables_err_too_often() -> None:
    assert tables_with_a_detection(lambda p_values: [p <= 0.05 for p in p_values]) > 5 * FAMILY_BOUND


# Mutations of the method


def unpaired(run: Array) -> Interval:
    """Mutation: the block medians as if they were two independent samples, with a pooled variance."""
    blocks = [simulation.settled(rounds) for rounds in run]
    a, b = (np.log([np.median(block[seat]) for block in blocks]) for seat in (simulation.A, simulation.B))
    error = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / BLOCKS)
    mean, half = a.mean() - b.mean(), stdtrit(2 * BLOCKS - 2, 0.975) * error
    return mean - half, mean + half


def wrongly_paired(run: Array) -> Interval:
    """Mutation: A's rounds of one block with B's of the next."""
    blocks = [simulation.settled(rounds) for rounds in run]
    logs = [statistics.log_ratio(a, b) for (a, _), (_, b) in zip(blocks, [*blocks[1:], blocks[0]], strict=True)]
    return intervals([statistics.compare_logs(logs)])[0]


def flat(run: Array) -> Interval:
    """Mutation: a percentile bootstrap over all rounds, as if rounds of one process were independent."""
    logs = []
    for a, b in (simulation.settled(rounds) for rounds in run):
        shared = min(len(a), len(b))
        logs += np.log(np.divide(a[-shared:], b[-shared:])).tolist()
    draws = np.random.default_rng(len(logs)).integers(0, len(logs), (200, len(logs)))
    low, high = np.quantile(np.array(logs)[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


@pytest.mark.parametrize("estimator", [unpaired, wrongly_paired])
def test_drift_notices_an_estimate_without_pairs(estimator: Callable[[Array], Interval]) -> None:
    measured = simulation.measure(MODELS["drift"], 500, seed=6)
    covered = coverage([estimator(run) for run in measured.elapsed_s])
    assert not as_promised(covered)
    assert covered > 0.97  # the machine's own drift is in the interval, which says nothing any more


def test_two_kinds_of_process_notice_a_bootstrap_over_rounds() -> None:
    bootstrapped = [flat(run) for run in simulation.measure(MODELS["bimodal"], 500, seed=7).elapsed_s]
    assert not as_promised(coverage(bootstrapped))
    assert not few_false_alarms(bootstrapped)
    assert coverage(bootstrapped) < 0.8


def one_after_the_other(seed: str) -> list[tuple[int, int, int]]:
    """Mutation: all of A's rounds in all blocks, then all of B's."""
    return [(block, 0, seat) for seat in (0, 1) for block in range(BLOCKS) for _ in range(ROUNDS)]


def test_drift_notices_that_one_was_measured_after_the_other() -> None:
    measured = simulation.measure(MODELS["drift"], 500, seed=8, schedule=one_after_the_other)
    unpaired = intervals(simulation.compared(measured))
    assert not as_promised(coverage(unpaired))
    assert not few_false_alarms(unpaired)
    assert coverage(unpaired) < 0.8


# The clock: pytest-benchmark inside a worker, and the fences


@pytest.fixture
def on_the_virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # as in a worker's process
    monkeypatch.setenv("PYTEST_ADDOPTS", f"--benchmark-timer={simulation.__name__}.clock")
    monkeypatch.setattr(worker, "perf_counter", simulation.clock)
    monkeypatch.setattr(timing, "clock", simulation.clock)


def played(measured: Measured) -> list[TimingRecord]:
    """Every process of the first run through the worker's own measuring, with pytest-benchmark as its engine."""
    records = []
    for block, seat in np.ndindex(measured.elapsed_s.shape[1:3]):
        stage = simulation.Stage(measured, 0, block, seat)
        worker.measure(stage.job, stage, stage)
        records += stage.sent
    return records


@cache
def two_blocks() -> Measured:
    measured = simulation.measure(MODELS["all"], 1, seed=9)
    return Measured(measured.elapsed_s[:, :2], measured.started_at_s[:, :2])


@pytest.mark.usefixtures("on_the_virtual_clock")
def test_a_workers_record_holds_exactly_the_virtual_times() -> None:
    records = played(two_blocks())
    assert [record.elapsed_s for record in records] == two_blocks().elapsed_s.reshape(4, ROUNDS).tolist()
    started = [record.started_at_s[:ROUNDS] for record in records]
    assert started == two_blocks().started_at_s.reshape(4, ROUNDS).tolist()
    assert [record.alone_s for record in records] == [record.elapsed_s[-schedule.ALONE :] for record in records]
    assert {record.warmup_rounds for record in records} == {simulation.VISITED[0]}
    assert [simulation.reported(records)] == simulation.compared(two_blocks())


def without_the_fence() -> Callable[..., Any]:
    """Mutation: `timing.round_of` as it is written, except that it does not wait for the device."""
    source = inspect.getsource(timing.round_of)
    assert source.count("fence(result)") == 1
    space: dict[str, Any] = dict(vars(timing))
    exec(source.replace("fence(result)", "pass"), space)
    mutated: Callable[..., Any] = space["round_of"]
    return mutated


@pytest.mark.usefixtures("on_the_virtual_clock")
def test_the_virtual_times_notice_a_missing_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "round_of", without_the_fence())
    launched = two_blocks().elapsed_s / 16  # what the calls take that ask for the work, and none of the work
    assert [record.elapsed_s for record in played(two_blocks())] == launched.reshape(4, ROUNDS).tolist()


class Device:
    """Works on its own: a call only puts 8 ticks of work into a queue, which takes 1 tick, and waits while it is full."""

    launch, cost, room = 1, 8, 16

    def __init__(self) -> None:
        self.now = self.free_at = 0

    def call(self) -> None:
        self.now += self.launch
        self.free_at = max(self.free_at, self.now) + self.cost
        self.now = max(self.now, self.free_at - self.room * self.cost)

    def fence(self, result: object) -> None:
        self.now = max(self.now, self.free_at)


def ticks(round_of: Callable[..., Any], loops: int) -> int:
    device = Device()
    round_of(device.call, device.fence, loops)()
    return device.now


DOUBLING = [2**n for n in range(8)]


def test_a_round_costs_all_its_work_and_grows_with_its_loops() -> None:
    rounds = [ticks(timing.round_of, loops) for loops in DOUBLING]
    assert rounds == [Device.launch + Device.cost * loops for loops in DOUBLING]


def test_a_round_without_its_fence_is_noticed() -> None:
    rounds = [ticks(without_the_fence(), loops) for loops in DOUBLING]
    assert all(spent < Device.cost * loops for spent, loops in zip(rounds, DOUBLING, strict=True))
    slopes = {(b - a) / (m - n) for a, b, n, m in zip(rounds, rounds[1:], DOUBLING, DOUBLING[1:], strict=False)}
    assert len(slopes) > 1  # cheap until the queue is full
