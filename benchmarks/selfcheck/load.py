"""The declared load: what the machine does beside the measuring. One process per usable core, `python -m ... SEED`.

Each works in bursts, now arithmetic, now memory, and rests in between; how much of the time it works rises and falls
over a minute. The operating system places it, as it does with whatever else runs on a shared machine.
"""

import math
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import numpy as np

from benchmarks import system

MODULE = "benchmarks.selfcheck.load"

BURST_S = 0.2
"""Mean length of a burst; lengths are exponentially distributed."""

DUTY, SWING, PERIOD_S = 0.3, 0.2, 60.0
"""Share of the time that a process works: its mean, and how far and how slowly it goes up and down."""

DESCRIPTION = (
    f"one process per usable core, each working {DUTY:.0%} of the time (between {DUTY - SWING:.0%} and {DUTY + SWING:.0%}, "
    f"up and down within {PERIOD_S:.0f} s), in bursts of {BURST_S * 1e3:.0f} ms on average, half of them sorting numbers, "
    "half of them copying 32 MiB, placed by the operating system"
)


@contextmanager
def running(seed: int, processes: int) -> Iterator[None]:
    """The load, for as long as the block lasts. Raises RuntimeError where it did not last so long."""
    started = [
        subprocess.Popen([sys.executable, "-m", MODULE, f"{seed}-{i}"], cwd=system.ROOT, stdin=subprocess.PIPE)
        for i in range(processes)
    ]
    try:
        yield
        if gone := [process.returncode for process in started if process.poll() is not None]:
            raise RuntimeError(
                f"selfcheck: of {processes} processes of the load {len(gone)} ended before the measurement did"
            )
    finally:
        for process in started:
            process.kill()
            process.communicate()


def main(seed: str) -> None:
    """Work and rest until the process is ended."""
    system.die_with_parent()
    rng, begin, kinds = random.Random(seed), monotonic(), (_sorting(), _copying())
    phase = rng.uniform(0, 2 * math.pi)
    while True:
        _work(rng.choice(kinds), rng.expovariate(1 / BURST_S))
        duty = DUTY + SWING * math.sin(2 * math.pi * (monotonic() - begin) / PERIOD_S + phase)
        sleep(rng.expovariate(1 / BURST_S) * (1 - duty) / duty)


def _work(kind: Callable[[], object], seconds: float) -> None:
    end = monotonic() + seconds
    while monotonic() < end:
        kind()


def _sorting() -> Callable[[], object]:
    numbers = np.random.default_rng(0).random(2**14)
    return lambda: np.sort(numbers)


def _copying() -> Callable[[], object]:
    source, target = np.ones(2**22), np.zeros(2**22)
    return lambda: np.copyto(target, source)


if __name__ == "__main__":
    main(sys.argv[1])
