"""Exit codes. Where several apply, the smallest is given, but INTERRUPTED and TERMINATED before all others.

Of `compare` a regression that was found comes before a changed machine, and both before FAILED: what else could have been missed.
"""

import signal

GOOD = 0
UNEQUAL = 1
OUTSIDE = 2
"""Wrong input (the options, the data, a folder, two runs that may not be compared), or something outside the program stood
in the way: a full disk, a file that cannot be read, a package that cannot be imported."""
FAILED = 3
"""Some cells have no time, or no proof where one was asked for, or a training was lost; or `compare` could not see what it was asked to."""
NOTHING = 4
REGRESSION = 5
"""Only `compare`: a cell became slower or is missing, or a run's null control failed."""
MACHINE = 6
"""Only `compare`: the machine itself changed, and with that taken out nothing became slower."""
FAULT = 70
"""A fault of samenet itself: EX_SOFTWARE of BSD's sysexits.h. Never 1, which means unequal."""
INTERRUPTED = 130
TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """Somebody sent SIGTERM: a batch system, a container that is stopped, `timeout`."""


def of_interrupt(stop: KeyboardInterrupt) -> int:
    """The exit code of being stopped."""
    return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED


def end_as_interrupted() -> None:
    """From now on SIGTERM ends this process as Ctrl-C does: workers are stopped, what was measured is kept and reported."""

    def terminate(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough; the report is still to be written
        raise Terminated

    signal.signal(signal.SIGTERM, terminate)
