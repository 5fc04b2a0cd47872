"""What stands between the clock and the callable: fences, calibration, warm-up. The clock here is made of lists."""

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.worker import timing


class Machine:
    """A device that needs `call_s` to start a call and `device_s` more to finish it; writes down what is done to it."""

    def __init__(self, call_s: float = 0.0, device_s: float = 0.0) -> None:
        self.now, self.call_s, self.device_s = 0.0, call_s, device_s
        self.log: list[str] = []
        self.pending = 0.0
        self.calls = 0

    def clock(self) -> float:
        self.log.append("clock")
        return round(self.now, 9)  # counts nanoseconds, as a real one does

    def call(self) -> int:
        self.calls += 1
        self.log.append("call")
        self.now += self.call_s
        self.pending += self.device_s
        return self.calls

    def fence(self, result: Any) -> None:
        self.log.append(f"fence {result}")
        self.now, self.pending = self.now + self.pending, 0.0

    def copy(self, result: Any) -> None:
        """To the host: it waits for the device, and takes half a second."""
        self.fence(result)
        self.now += 0.5

    def rest(self, seconds: float) -> None:
        """The device works on."""
        self.now, self.pending = self.now + seconds, max(0.0, self.pending - seconds)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Machine]:
    def make(**times: float) -> Machine:
        made = Machine(**times)
        monkeypatch.setattr(timing, "clock", made.clock)
        monkeypatch.setattr(timing, "rest", made.rest)
        return made

    return make


def test_a_call_is_timed_between_two_fences(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=1.0, device_s=4.0)
    assert timing.once(device.call, device.fence) == 5.0
    assert device.log == ["fence None", "clock", "call", "fence 1", "clock"]


def test_work_that_was_left_over_is_not_counted(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=1.0, device_s=4.0)
    device.call()
    assert timing.once(device.call, device.fence) == 5.0
    assert device.now == 10.0


def test_a_round_makes_its_calls_and_then_waits_once_for_the_last_result() -> None:
    device = Machine(call_s=1.0, device_s=2.0)
    timed_round = timing.round_of(device.call, device.fence, loops=3)
    assert device.log == []
    timed_round()
    assert device.log == ["call", "call", "call", "fence 3"]
    assert device.now == 9.0
    timed_round()
    assert device.calls == 6
    assert device.log.count("fence 6") == 1


@pytest.mark.parametrize(
    ("call_s", "round_s", "loops"),
    [(1e-4, 1e-3, 10), (3e-4, 1e-3, 4), (1.0, 1e-3, 1), (1e-3, 1e-3, 1), (0.0, 1e-3, 10000)],
)
def test_loops_fill_a_round(machine: Callable[..., Machine], call_s: float, round_s: float, loops: int) -> None:
    device = machine(call_s=call_s)
    assert timing.calls_filling(round_s, timing.once(device.call, device.fence)) == pytest.approx(loops, abs=1)
    assert timing.calls_filling(round_s, timing.once(device.call, device.fence)) >= 1


def test_a_stall_is_no_work(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=1e-4)
    stalls = iter([0.5, 0.0, 0.2, 0.0, 0.1, *[0.0] * 6])

    def call() -> int:
        device.now += next(stalls)
        return device.call()

    assert timing.warm_up(call, device.fence, work_s=1e-3, fewest=2) == pytest.approx(1e-4)
    assert device.calls in (10, 11)


def test_what_a_call_takes_is_known_to_the_next_warm_up(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=1.0)
    assert timing.warm_up(device.call, device.fence, work_s=3.0, fastest_s=0.5) == 0.5
    assert device.calls == 6
    assert timing.warm_up(device.call, device.fence, work_s=0.0, fewest=5) == 1.0
    assert device.calls == 11


def test_a_pilot_goes_on_while_memory_is_new_but_not_for_good(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=timing.STRETCH_S / 8)
    assert timing.pilot(device.call, device.fence, lambda: min(device.calls, 20) * 2**20) == pytest.approx(
        timing.STRETCH_S / 8
    )
    assert 28 <= device.calls <= 36
    device.calls = 0
    timing.pilot(device.call, device.fence, lambda: device.calls * 2**20)
    assert device.calls == pytest.approx(8 * timing.MOST_PILOT_S / timing.STRETCH_S, rel=0.2)
    device.calls = 0
    timing.pilot(device.call, device.fence, lambda: device.calls * 64)  # that costs nothing
    assert device.calls in (8, 9)


def test_latency_is_a_call_and_its_fence_and_no_stall(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=1.0, device_s=4.0)
    stalls = iter([7.0, *[0.0] * 8])

    def call() -> int:
        device.now += next(stalls)
        return device.call()

    assert timing.latency(call, device.fence) == 5.0


def test_one_call_more_is_free_of_what_a_round_costs_besides(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=1.0, device_s=2.0)

    def fence(result: Any) -> None:
        device.fence(result)
        device.now += 0.7

    assert timing.slope(device.call, fence, loops=4) == pytest.approx(3.0)
    assert timing.latency(device.call, fence) == pytest.approx(3.7)


@pytest.mark.parametrize(("call_s", "device_s"), [(1.0, 4.0), (5.0, 0.0)], ids=["asynchronous", "synchronous"])
def test_nothing_is_left_over_where_the_fence_waits(
    machine: Callable[..., Machine], call_s: float, device_s: float
) -> None:
    device = machine(call_s=call_s, device_s=device_s)
    assert timing.left_over(device.call, device.fence, device.copy, loops=3) == 0.0


def test_what_a_fence_let_pass_is_left_over(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=1.0, device_s=4.0)
    assert timing.left_over(device.call, lambda result: None, device.copy, loops=3) == pytest.approx(12 / 15.5)


def test_what_is_done_only_when_somebody_looks_was_not_begun(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=1.0)

    def look(result: Any) -> Any:
        device.now += 0.5 + (9.0 if result is not None else 0.0)

    assert timing.not_begun(lambda: 1, device.fence, look, lambda host: None) == pytest.approx(9 / 9.5)


def test_nothing_was_not_begun_where_a_call_does_its_work(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=1.0, device_s=4.0)
    assert timing.not_begun(device.call, device.fence, device.copy, lambda host: host) == 0.0


def test_a_stall_is_not_left_over_work(machine: Callable[..., Machine]) -> None:
    device = machine(call_s=1.0, device_s=4.0)
    stalls = iter([9.0, 0.0, 0.0, 0.0, 0.0, 0.0])

    def copy(result: Any) -> None:
        device.now += next(stalls)
        device.copy(result)

    assert timing.left_over(device.call, device.fence, copy, loops=3) == 0.0


@pytest.mark.parametrize(("rounds", "warmup"), [(24, 8), (13, 4), (8, 4), (7, 3), (5, 2), (2, 1), (1, 0), (0, 0)])
def test_a_third_is_warm_up_four_rounds_at_least_and_half_at_most(rounds: int, warmup: int) -> None:
    assert timing.warmup_rounds(rounds) == warmup


def test_the_real_clock_runs() -> None:
    assert timing.once(lambda: sum(range(1000)), lambda result: None) > 0
    assert timing.warm_up(lambda: None, lambda result: None, 1e-3) < 1e-4
