"""Progress on standard error: in a terminal one line that is written over, elsewhere a line per block."""

import shutil
import sys
from contextlib import suppress
from time import monotonic

from benchmarks import wording
from benchmarks.runner.progress import Place

CLEAR = "\r\033[K"


class ProgressLine:
    """Says lines; those of where a run is take the place of one another, with the time that passed and about what is left."""

    def __init__(self) -> None:
        self.begin = monotonic()
        self.in_terminal = bool(sys.stderr and sys.stderr.isatty())
        self.is_open = False
        self.since: tuple[float, float] | None = None
        """When what is still to come began to go at its pace, in seconds after `begin`, and what was done by then: by an earlier process, where
        a run goes on. A run's first block is no measure of the others: networks are trained in it."""

    def __call__(self, text: str) -> None:
        """Say it, without what a worker's error may hold for the terminal."""
        words = wording.clean(text, keep_lines=True)
        if not isinstance(text, Place):
            self.close()
            self._write(f"{words}\n")
        elif self.in_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(CLEAR + f"{words}  {self._times(text)}"[:width])
            self.is_open = True
        elif text.is_block:
            self._write(f"{words}, {self._times(text)}\n")

    def close(self) -> None:
        """Take the line away."""
        if self.is_open:
            self._write(CLEAR)
            self.is_open = False

    def _times(self, place: Place) -> str:
        elapsed, done = monotonic() - self.begin, place.done
        if self.since is None or (self.since[1] == 0 < done and place.is_block):
            self.since = elapsed, done
        begun, before = self.since
        left = f", about {_clock((elapsed - begun) * (1 - done) / (done - before))} left" if done > before else ""
        return f"{_clock(elapsed)} elapsed{left}"

    def _write(self, text: str) -> None:
        if sys.stderr is None:
            return
        with suppress(OSError):  # nobody reads it, or its disk is full: no reason to end a run
            sys.stderr.write(text)
            sys.stderr.flush()


def _clock(seconds: float) -> str:
    """Minutes and seconds: "1:07"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
