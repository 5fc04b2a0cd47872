"""The time of each step of a call: sums, nesting, fences, and that nothing is collected meanwhile. On a made-up clock."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.worker import step_profiler, timing


class Machine:
    """A clock that only work moves. A call has three steps: one of 1 s, one of 2 s with another in it, 1 s of nothing."""

    def __init__(self, watching_s: float = 0.0) -> None:
        self.now, self.watching_s, self.fences = 0.0, watching_s, 0
        self.begins: Callable[[str], None] = lambda step: None
        self.ends: Callable[[str], None] = lambda step: None
        self.collecting: list[bool] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.now += self.watching_s
        self.begins(name)
        yield
        self.ends(name)

    def call(self) -> None:
        self.collecting.append(gc.isenabled())
        with self.step("first"):
            self.now += 1
        for _ in range(2):
            with self.step("second"):
                self.now += 0.5
                with self.step("first"):
                    self.now += 0.5
        self.now += 1

    @contextmanager
    def watch(self, begins: Callable[[str], None], ends: Callable[[str], None]) -> Iterator[None]:
        before = self.begins, self.ends
        self.begins, self.ends = begins, ends
        yield
        self.begins, self.ends = before

    def fence(self, result: object) -> None:
        self.fences += 1


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(timing, "clock", lambda: made.now)
    return made


def test_a_step_within_a_step_belongs_to_the_outer_one(machine: Machine) -> None:
    profile = step_profiler.profile(machine.call, machine.fence, machine.watch)
    assert profile.steps_s == {"first": 1.0, "second": 2.0}
    assert profile.whole_s == profile.watched_s == 4.0
    assert profile.passes == step_profiler.LEAST_PASSES


def test_what_watching_costs_is_in_the_watched_time_alone(machine: Machine) -> None:
    watch = machine.watch

    @contextmanager
    def slow(begins: Callable[[str], None], ends: Callable[[str], None]) -> Iterator[None]:
        with watch(begins, ends):
            machine.watching_s = 0.25
            yield
            machine.watching_s = 0.0

    profile = step_profiler.profile(machine.call, machine.fence, slow)
    assert (profile.whole_s, profile.watched_s) == (4.0, 4.0 + 5 * 0.25)
    assert profile.steps_s == {"first": 1.0, "second": 2.5}


def test_the_device_is_waited_for_at_both_ends_of_a_step(machine: Machine) -> None:
    stopwatch = step_profiler.Stopwatch(machine.fence)
    stopwatch.begins("a")
    stopwatch.begins("b")
    stopwatch.ends("b")
    assert machine.fences == 1
    stopwatch.ends("a")
    assert machine.fences == 2


@pytest.mark.parametrize("enabled", [True, False])
def test_nothing_is_collected_meanwhile_and_it_is_as_before_afterwards(machine: Machine, enabled: bool) -> None:
    was = gc.isenabled()
    try:
        gc.enable() if enabled else gc.disable()
        step_profiler.profile(machine.call, machine.fence, machine.watch)
        assert gc.isenabled() == enabled
    finally:
        gc.enable() if was else gc.disable()
    assert not any(machine.collecting)


def test_short_calls_are_watched_more_often(machine: Machine) -> None:
    def short() -> None:
        machine.now += 0.01

    assert step_profiler.profile(short, machine.fence, machine.watch).passes == 10
