import time

import psutil

from benchmarks.selfcheck import load


def test_the_load_works_while_it_is_asked_for_and_is_gone_afterwards() -> None:
    with load.running(0, 2):
        started = [p for p in psutil.Process().children() if load.MODULE in p.cmdline()]
        time.sleep(2.5)
        used = [sum(p.cpu_times()[:2]) for p in started]
    assert len(started) == 2
    assert all(0.05 < seconds < 2.6 for seconds in used)
    assert not any(p.is_running() for p in started)
