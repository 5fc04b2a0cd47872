"""A run on the virtual clock, by the same way as any other (`session.run`), in a process that a test may kill."""

import math
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from benchmarks.cli import run as session
from benchmarks.cli.prepare import Prepared, PreparedNetwork
from benchmarks.plan import schedule
from benchmarks.plan.cells import Plan
from benchmarks.plan.profiles import Profile
from benchmarks.plan.request import Request
from benchmarks.runner import blocks
from implementations.mlp.spec import MLPSpec
from tests.support import synthetic, virtual_worker

BLOCKS = 6
PHASES = ("train_step", "predict")
PROFILE = Profile("virtual", ("numpy", "torch"), BLOCKS, 8, 4e-3, PHASES, epochs=0, costs=False)
CELLS = [synthetic.cell(framework, phase) for framework in PROFILE.frameworks for phase in PHASES]


def execute(results: Path, said: Connection) -> None:
    """The whole run, or what is left of it; every line of progress is sent."""
    os.setsid()  # all that it starts can be found by this, whoever their parent is later
    tempfile.tempdir = str(results.parent)  # what a killed run leaves there goes with the test
    # Without the null control, whose processes would take as long to start as the others.
    virtual = partial(blocks.Runner, program=virtual_worker.__name__, null_control=False)
    vars(blocks)["Runner"] = virtual  # in this process alone
    schedule.GROUPS = 1  # in a part, which is kept at its end
    schedule.BURN = math.inf  # whether the waiting were still is a matter of the real clock
    prepared = Prepared({"mlp": PreparedNetwork(MLPSpec())}, Request(PROFILE), Plan(CELLS, []))
    sys.exit(session.run(prepared, None, 0, results, said.send).exit_code)


def survivors(session: int) -> list[psutil.Process]:
    """Processes of this session that are there, running or stopped: those that its leader started, and itself."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


class Process:
    """One of these runs. It is forked from a process that has imported everything, which saves a second each."""

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "benchmarks.runner.resume"])

    def __init__(self, results: Path) -> None:
        self.heard, said = self.context.Pipe(duplex=False)
        self.process = self.context.Process(target=execute, args=(results, said))
        self.process.start()
        said.close()

    def lines(self) -> Iterator[str]:
        """What it says, until it ends."""
        while True:
            try:
                yield self.heard.recv()
            except EOFError:
                return

    def kill(self) -> None:
        """With a signal that it cannot notice."""
        self.process.kill()

    def end(self) -> int | None:
        """Wait until it has ended. Its exit code, or minus the signal."""
        self.process.join()
        self.heard.close()
        return self.process.exitcode

    def survivors(self) -> list[psutil.Process]:
        """Processes that it started and that are there yet, running or stopped."""
        assert self.process.pid
        return survivors(self.process.pid)
