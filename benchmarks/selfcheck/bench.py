"""A worker of the harness that times units instead of a network: everything but the callable is what `run` uses."""

from benchmarks.records.record import Cell
from benchmarks.selfcheck import units
from benchmarks.worker import __main__ as worker
from benchmarks.worker import protocol
from benchmarks.worker.protocol import Says
from benchmarks.worker.workloads import Work


class Units:
    """Hands out the callables; nothing to prove, nothing to put back, no device to wait for."""

    def work(self, cell: Cell) -> Work:
        """The cell's callable."""
        call = units.call(cell.phase, int(cell.axes["extra"]), cell.who.framework)
        return Work(
            call=call,
            warm=call,
            fence=lambda result: None,
            to_host=lambda result: [],
            reset=lambda: None,
            first_call_s=None,
            second_call_s=None,
            samples_per_call=1,
            flops_per_call=0,
            ranked=False,
        )


def main() -> None:
    """Do one job, then end."""
    channel, job, _ = protocol.begin()
    channel.ask(Says.READY)
    worker.measure(job, Units(), channel)
    channel.ask(Says.DONE)


if __name__ == "__main__":
    main()
