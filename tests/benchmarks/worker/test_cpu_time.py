"""Processor time of the timed rounds: of all threads, without waiting, restoring and warming."""

import hashlib
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from benchmarks import system
from benchmarks.records.record import TimingRecord
from benchmarks.worker import __main__ as worker
from benchmarks.worker.protocol import Job, Part, Task, Visit
from benchmarks.worker.workloads import Work
from tests.support.synthetic import cell

CALL_S, LOOPS, ROUNDS = 2e-3, 2, 4


def use(seconds: float) -> None:
    """So much processor time of this thread."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


class Stage:
    """Stands in for the runner and the models of a worker: everything but a call takes ten times a round."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def ask(self, name: str, **values: Any) -> str:
        use(10 * LOOPS * CALL_S)
        return Visit(rounds=ROUNDS, alone=1, loops=LOOPS, schedule="rounds", last=True).model_dump_json()

    def send(self, record: Any) -> None:
        self.sent.append(record)

    def work(self, of: Any) -> Work:
        def call() -> float:
            use(CALL_S / 2)
            time.sleep(CALL_S / 2)
            return 1.0

        def slow() -> None:
            use(10 * LOOPS * CALL_S)

        return Work(
            call, slow, lambda result: None, lambda result: [np.asarray(result)], slow, first_call_s=None, second_call_s=None,
            samples_per_call=1, flops_per_call=1, ranked=True,
        )  # fmt: skip


def test_the_rounds_are_counted_and_nothing_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # as in a worker's process
    stage, of = Stage(), cell("numpy")
    worker.measure(
        Job(tasks=[Task(who=of.who, spec={}, dataset="")], block=0, seed=0, parts=[Part(cells=[of])], round_s=1e-3),
        stage,
        stage,
    )
    (record,) = [sent for sent in stage.sent if isinstance(sent, TimingRecord)]
    assert len(record.cpu_s) == len(record.elapsed_s) == ROUNDS
    assert record.cpu_per_call
    for per_call in record.cpu_per_call:
        assert CALL_S / 2 <= per_call < CALL_S * 0.9


@pytest.mark.skipif(sys.platform != "linux", reason="threads have clocks of their own on Linux")
def test_what_a_running_thread_has_used_is_counted_at_once() -> None:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            hashlib.sha256(bytes(10_000_000))  # without the interpreter's lock

    def of_threads() -> float:
        return time.thread_time() + time.clock_gettime(time.pthread_getcpuclockid(ident))

    thread = threading.Thread(target=work)
    thread.start()
    ident = thread.ident or 0
    try:
        off = []
        for tried in range(60):
            before = system.own_cpu_s(), of_threads()
            end = time.perf_counter() + 1e-3 + 37e-6 * tried
            while time.perf_counter() < end:
                pass
            off.append(abs(system.own_cpu_s() - before[0] - of_threads() + before[1]))
    finally:
        done.set()
        thread.join()
    assert sorted(off)[-10] < 2e-4  # the process's own clock alone is off by milliseconds, every third time
