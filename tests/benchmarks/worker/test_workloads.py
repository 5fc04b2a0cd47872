"""A callable as the timing sees it: what is told of it besides its rounds."""

from time import perf_counter, sleep
from typing import Any

import numpy as np
import pytest

from benchmarks.worker.workloads import Work


def work(result: float = 1.0, **changed: Any) -> Work:
    values: dict[str, Any] = {
        "call": lambda: result,
        "warm": lambda: result,
        "fence": lambda result: None,
        "to_host": lambda result: [np.asarray(result)],
        "reset": lambda: None,
        "first_call_s": None,
        "second_call_s": None,
        "samples_per_call": 1,
        "flops_per_call": 1,
        "ranked": True,
    }
    return Work(**(values | changed))


@pytest.mark.parametrize("result", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(result: float) -> None:
    work(1.0).check()
    with pytest.raises(FloatingPointError, match="infinities or NaN"):
        work(result).check()


def test_only_a_gpu_has_clocks_of_its_own() -> None:
    assert work().device_clocks(loops=3) is None


def test_the_device_counts_the_calls_of_a_round_without_a_fence() -> None:
    done: list[str] = []

    def device_s(run: Any) -> float:
        done.clear()
        run()
        assert done == ["call"] * 3
        return 6.0

    found = work(
        call=lambda: done.append("call"), fence=lambda result: done.append("fence"), on_gpu=True, device_s=device_s
    ).device_clocks(loops=3)
    assert found is not None
    assert found.events_s == 2.0
    assert found.latency_s > 0


def test_a_framework_without_events_has_no_number_for_them() -> None:
    found = work(on_gpu=True).device_clocks(loops=1)
    assert found is not None
    assert found.events_s is None


def test_what_is_quick_only_on_batches_that_it_has_seen_is_refused() -> None:
    def slow() -> float:
        end = perf_counter() + 1e-4
        while perf_counter() < end:
            pass
        return 1.0

    work(call=slow, call_unseen=slow, unseen=5).check_nothing_is_remembered()
    work(unseen=5).check_nothing_is_remembered()
    with pytest.raises(RuntimeError, match="results are remembered"):
        work(call=lambda: 1.0, call_unseen=slow, unseen=5).check_nothing_is_remembered()


def test_a_call_that_was_lucky_once_is_not_held_against_others() -> None:
    """Beside busy programs, a call on two threads takes a hundred times as long, but for the few that find both processors free."""
    calls = [0]

    def seen() -> float:
        calls[0] += 1
        sleep(1e-2 if calls[0] % 3 else 1e-5)
        return 1.0

    def unseen() -> float:
        sleep(1e-2)
        return 1.0

    work(call=seen, call_unseen=unseen, unseen=8).check_nothing_is_remembered()


def test_what_looked_remembered_once_is_asked_again() -> None:
    """Beside busy programs all calls on new batches of one try can be slow."""
    calls = [0]

    def unseen() -> float:
        calls[0] += 1
        sleep(1e-1 if calls[0] <= 5 else 5e-3)
        return 1.0

    work(call=lambda: sleep(5e-3), call_unseen=unseen, unseen=5).check_nothing_is_remembered()
    assert calls[0] > 5


def test_a_training_that_is_remembered_from_its_first_state_on_is_refused() -> None:
    steps = [0]

    def reset() -> None:
        steps[0] = 0

    def step() -> float:
        steps[0] += 1
        if steps[0] > 1:
            sleep(1e-4)
        return 1.0

    def unseen() -> float:
        sleep(1e-4)
        return step()

    with pytest.raises(RuntimeError, match="results are remembered"):
        work(call=step, call_unseen=unseen, reset=reset, unseen=5).check_nothing_is_remembered()


def test_the_fence_of_an_epoch_is_tested_on_its_steps() -> None:
    """Twenty epochs before the first round would take a silent worker's time."""
    epochs: list[float] = []
    work(call=lambda: epochs.append(1.0), warm=lambda: 1.0).check_fence()
    assert epochs == []
