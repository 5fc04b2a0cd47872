"""A simulated machine on which work has to be warmed: memory is slow when it is touched first, caches are cold after the
others' turns, and the first call of each turn is hit by a stall. Runner and device of one worker, on a virtual clock.
"""

from typing import Any

from benchmarks.plan import schedule
from benchmarks.records.record import TimingRecord
from benchmarks.worker import __main__ as worker
from benchmarks.worker import protocol
from benchmarks.worker.workloads import Work
from tests.support import synthetic

CELL = synthetic.cell("numpy")
CALL_S = 2.0**-14
"""In truth, and the multiple of a power of two, so that sums are exact."""

LAP, FIRST_TOUCH = 1000, 4.0
"""Calls that touch memory for the first time, and how many times as long they take."""

BYTES_OF_CALL = 2**20

COLD_S, COLD = 4 * CALL_S, 1.5
"""After the others' turns so much work takes that many times as long."""

STALL_S = 2.0**-7


class ColdMachine:
    """One process of one block, told its calls per round and its rounds; `now` is the machine's clock, in seconds."""

    now, counter = 0.0, "simulated"

    def __init__(self, loops: int, rounds: int, round_s: float) -> None:
        task = protocol.Task(who=CELL.who, spec={}, dataset="")
        self.job = protocol.Job(tasks=[task], block=0, seed=0, parts=[protocol.Part(cells=[CELL])], round_s=round_s)
        visit = protocol.Visit(rounds=rounds, alone=schedule.ALONE, loops=loops, schedule="rounds", last=True)
        self.plan = visit.model_dump_json()
        self.calls, self.since_turn = 0, 1000
        self.sent: list[Any] = []

    def measured(self) -> TimingRecord:
        """What the worker's own measuring records of it."""
        worker.measure(self.job, self, self)
        (record,) = self.sent
        assert isinstance(record, TimingRecord)
        return record

    def ask(self, name: str, **values: Any) -> str:
        """As `protocol.Channel`."""
        if name == protocol.Says.TURN:
            self.since_turn = 0
        return self.plan

    def send(self, record: Any) -> None:
        """As `protocol.Channel`."""
        self.sent.append(record)

    def work(self, cell: Any) -> Work:
        """As `models.Models`."""

        def nothing(*result: object) -> Any:
            return []

        return Work(
            call=self._call, warm=self._call, fence=nothing, to_host=nothing, reset=nothing, first_call_s=None,
            second_call_s=None, samples_per_call=1, flops_per_call=1, ranked=True, memory=self,
        )  # fmt: skip

    def reset(self) -> bool:
        """As a `Meter`."""
        return True

    def read(self) -> tuple[int, int]:
        """As a `Meter`: bytes that are held, and their peak."""
        held = min(self.calls, LAP) * BYTES_OF_CALL
        return held, held

    def _call(self) -> float:
        cost = CALL_S * (FIRST_TOUCH if self.calls < LAP else 1.0)
        cost *= COLD if self.since_turn * CALL_S < COLD_S else 1.0
        ColdMachine.now += cost + (STALL_S if self.since_turn == 0 else 0.0)
        self.calls, self.since_turn = self.calls + 1, self.since_turn + 1
        return cost


def clock() -> float:
    """Virtual seconds."""
    return ColdMachine.now
