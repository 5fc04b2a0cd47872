"""A worker that is lost while it trains."""

from typing import Any

from benchmarks.runner.worker_process import WorkerProcess


class LostWhileTraining(WorkerProcess):
    """Is killed at its first sign of life while it trains its first network, if it may be."""

    may_be = True

    def next(self, timeout_s: float) -> Any:
        said = super().next(timeout_s)
        if self.may_be and said == {"event": "preparing", "cell": self.job.tasks[0].training}:
            self.process.kill()
            self.process.wait()
            while self.lines.get() is not None:  # what it has said meanwhile is lost too
                pass
            self.lines.put(None)
            return super().next(timeout_s)
        return said
