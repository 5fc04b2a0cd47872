import time

import psutil
import pytest

from benchmarks.selfcheck import load


def test_the_load_works_while_it_is_asked_for_and_is_gone_afterwards() -> None:
    with load.running(0, 2):
        started = [p for p in psutil.Process().children() if load.MODULE in p.cmdline()]
        time.sleep(2.5)
        used = [sum(p.cpu_times()[:2]) for p in started]
    assert len(started) == 2
    assert all(0.05 < seconds < 2.6 for seconds in used)
    assert not any(p.is_running() for p in started)


def test_a_load_that_ended_before_the_measurement_did_is_told() -> None:
    loaded = load.running(0, 2)
    loaded.__enter__()
    (first, _) = [p for p in psutil.Process().children() if load.MODULE in p.cmdline()]
    first.kill()
    psutil.wait_procs([first], timeout=60)
    with pytest.raises(RuntimeError, match="of 2 processes of the load 1 ended before"):
        loaded.__exit__(None, None, None)
