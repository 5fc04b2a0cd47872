"""What a job does on its node: one run in its folder. It imports the standard library and submitit, whatever Python starts it."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import Popen
from time import sleep

from submitit.helpers import Checkpointable

STOPPED = (130, 143, -signal.SIGINT, -signal.SIGTERM)
"""Exit codes of a run that was stopped from outside: it has not ended."""

LONGEST_GRACE_S = 900
"""Between the signal that ends the run and the end of its job; a run that somebody else stopped keeps its node so long."""


class Job(Checkpointable):  # type: ignore[misc]  # submitit is an extra: without it mypy knows the base as Any
    """A run, which its base has requeued when its time is over; all that submitit stores of it are texts. In the path of the exit code, %j is the job's number."""

    def __init__(self, folder: str, options: Sequence[str], exit_code: str) -> None:
        self.folder, self.options, self.exit_code = folder, list(options), exit_code

    def __call__(self) -> int:
        """Run it, go on with it where it was stopped, and write down what it ended with, by the job's number."""
        command = [sys.executable, "-m", "benchmarks", "run", "--into", self.folder, *self.options]
        process = Popen(command, preexec_fn=_ignore_notice)
        try:
            code = process.wait()
        finally:
            process.terminate()  # submitit leaves through here when the time is over: the run then ends in good order
            process.wait()
        if code in STOPPED:  # a job that ended before Slurm ends it would count as completed, and not be requeued
            sleep(LONGEST_GRACE_S)
        else:
            path = Path(self.exit_code.replace("%j", os.environ["SLURM_JOB_ID"]))
            path.write_text(f"{code}\n", encoding="ascii")
        return code


def _ignore_notice() -> None:
    """Slurm's notice that the time is nearly over goes to all processes of a job. It is submitit's; others would die of it."""
    notice = os.environ.get("SUBMITIT_PREEMPT_SIGNAL", "USR2")
    signal.signal(getattr(signal, f"SIG{notice}"), signal.SIG_IGN)
