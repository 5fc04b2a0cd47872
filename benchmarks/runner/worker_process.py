"""A worker process seen from the runner: it works while it has the turn, and is stopped while it waits.

Waiting on a pipe alone is not stillness: the thread pools of BLAS and OpenMP spin on, and take the time of whoever has
the turn. So a worker that asks for its turn stops itself as a process (SIGSTOP), and is woken when it comes (SIGCONT).
"""

import json
import os
import queue
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
from pydantic import ValidationError

from benchmarks import gpus, system, writing
from benchmarks.records import records_file
from benchmarks.records.record import Configuration, OutcomeRecord, Record, TimingRecord
from benchmarks.worker.protocol import ENDS, WHERE, Job, Says

PROGRAM = "benchmarks.worker"
START_TIMEOUT_S = 300.0
CELL_TIMEOUT_S = 300.0
PROOF_TIMEOUT_S = 1800.0
"""Of a process that only proves: it sends one message for a size, whose proof and compiling may take this long."""

LAST_LINES = 12
POLL_S = 1e-4

KEPT_BY_JAX = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
"""So that it keeps whatever it compiles, not only what takes long."""

STILL_TIMEOUT_S = 60
"""Within which a worker that waits must have stopped: one that somebody else continued never does."""


TRACEBACK = "Traceback (most recent call last):"
MOST = 300
"""Characters of what a process wrote, in a message."""

STACK = "Stack (most recent call first)"
"""How faulthandler begins its answer."""

Sink = Callable[[Record], None]
Event = dict[str, Any]


class WorkerLost(RuntimeError):
    """A worker ended or sent nothing for too long; the message says which."""


class WorkerProcess:
    """One job in one process: lines in both directions, standard error in a file."""

    def __init__(self, job: Job, python: str, log: Path, sink: Sink, program: str = PROGRAM) -> None:
        self.job, self.log, self.sink = job, log, sink
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.in_progress: str | None = None
        self.event: Event = {"event": Says.STARTING}
        self.finished: set[str] = set()
        self.visits: Counter[str] = Counter()
        """By cell, how often it has come to it."""
        with writing.telling(log):
            stderr = log.open("ab")
        with stderr:
            self.log_begins = stderr.tell()  # behind what its predecessors wrote
            self.process = subprocess.Popen(
                command(python, program),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=environment(job.who, log.parent, apart=job.control and job.block == 0, proves=job.check_only),
                cwd=system.ROOT,
            )
        self.system_process = psutil.Process(self.process.pid)
        self.clock = system.cpu_clock(self.process.pid)
        self.waited = Waiting(self.clock)
        self.waited_in: dict[str | None, Waiting] = {}
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self._answer(job.model_dump_json())

    @property
    def ended(self) -> bool:
        """Whether its job is over."""
        return self.event["event"] in ENDS

    def proceed(self, answer: str = "go") -> None:
        """Answer it, and let it work until it waits again. Raises WorkerLost."""
        self.wake(answer)
        self.listen()

    def wake(self, answer: str = "go") -> None:
        """Answer it, and let it work."""
        self._answer(answer)
        self.waited.end()
        with suppress(OSError):
            self.process.send_signal(signal.SIGCONT)

    def listen(self) -> None:
        """Keep its records until it waits for an answer, or to be ended: `event` says for what. Raises WorkerLost."""
        timeout_s = START_TIMEOUT_S if self.event["event"] == Says.STARTING else CELL_TIMEOUT_S
        timeout_s = PROOF_TIMEOUT_S if self.job.check_only else timeout_s
        while True:
            message = self.next(timeout_s)
            if isinstance(message, TimingRecord):
                waited = {"waiting_s": self.waited.wall_s, "waiting_cpu_s": self.waited.cpu_s}
                message = message.model_copy(update=waited)
            if isinstance(message, TimingRecord | OutcomeRecord):
                self.finished.add(message.cell.id)
            if not isinstance(message, dict):
                self.sink(message)
                continue
            self.in_progress = message.get("cell", self.in_progress)
            if message["event"] != Says.PREPARING:
                self.event = message
                return self._until_it_stands_still()

    def next(self, timeout_s: float) -> Record | Event:
        """The next record or event. Raises WorkerLost."""
        try:
            line = self.lines.get(timeout=timeout_s)
        except queue.Empty:
            raise WorkerLost(
                f"nothing was heard of it for {timeout_s:.0f} s, so it was stopped{self.where()}"
            ) from None
        if line is None:
            raise WorkerLost(f"its process ended with {ending(self.process.wait(), self._written())}")
        try:
            return json.loads(line) if line.startswith('{"event"') else records_file.parse(line)
        except (json.JSONDecodeError, ValidationError):
            raise WorkerLost(f"it sent something unreadable: {line[:200]!r}") from None

    def where(self) -> str:
        """File and line of a silent worker, for a message; empty where it does not answer."""
        with suppress(OSError):
            self.process.send_signal(WHERE)
        for _ in range(20):
            sleep(0.05)
            if at := last_stack(self._written()):
                return at
        return ""

    def last_lines(self) -> list[str]:
        """The end of what it wrote to standard error."""
        return self._written().splitlines()[-LAST_LINES:]

    def stop(self) -> None:
        """End the process, whatever it is doing, and close its pipes."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(timeout=1)
        with suppress(OSError):
            if self.process.stdin:
                self.process.stdin.close()

    def _written(self) -> str:
        with suppress(OSError):
            return self.log.read_bytes()[self.log_begins :].decode(errors="replace")
        return ""

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as stdout:
            for line in stdout:
                self.lines.put(line)
        self.lines.put(None)

    def _answer(self, line: str) -> None:
        """Send a line; a worker that is gone is noticed when its next line is awaited."""
        with suppress(OSError):
            if self.process.stdin:
                self.process.stdin.write(line + "\n")
                self.process.stdin.flush()

    def _until_it_stands_still(self) -> None:
        """Wait until it is stopped. It stops itself just after its message: a signal to go on sent before that is lost. Its
        other threads spin on for some milliseconds. Raises WorkerLost where it does not stop."""
        if self.event["event"] == Says.START:
            self.visits[str(self.in_progress)] += 1
            self.waited = self.waited_in.setdefault(self.in_progress, Waiting(self.clock))
        end = monotonic() + STILL_TIMEOUT_S
        with suppress(psutil.NoSuchProcess):
            while (status := self.system_process.status()) != psutil.STATUS_ZOMBIE:
                used = self.clock()
                sleep(POLL_S)
                if self.clock() == used and status == psutil.STATUS_STOPPED:
                    break
                if monotonic() > end:
                    raise WorkerLost("it did not stand still while it waited: was it continued by somebody else?")
        self.waited.begin()


class Waiting:
    """How long a worker has waited for its turns in a cell, and the processor time that it took from others meanwhile."""

    def __init__(self, cpu_clock: Callable[[], float]) -> None:
        self.wall_s = self.cpu_s = 0.0
        self._cpu_clock = cpu_clock
        self._since: tuple[float, float] | None = None

    def begin(self) -> None:
        """The worker is stopped."""
        self._since = monotonic(), self._cpu_clock()

    def end(self) -> None:
        """It is about to be woken."""
        if self._since:
            self.wall_s += monotonic() - self._since[0]
            self.cpu_s += self._cpu_clock() - self._since[1]


def command(python: str, program: str, *words: str) -> list[str]:
    """A module in an interpreter. Where that cannot be started the shell says so and ends with 126 or 127: a process that is
    lost like any other, not an exception."""
    return ["/bin/sh", "-c", 'exec "$@"', "sh", python, "-m", program, *words]


def ending(code: int, written: str) -> str:
    """How a process ended, with the error that it wrote last, where it ended by itself."""
    if code < 0:
        return f"signal {-code}"
    return f"exit code {code}: {last_error(written)}".removesuffix(": ")


def last_error(written: str) -> str:
    """What a last traceback says was wrong; where there is none, the last line."""
    _, traceback, end = written.rpartition(TRACEBACK)
    lines = [line.rstrip() for line in end.splitlines() if line.strip() and not (traceback and line.startswith(" "))]
    if traceback and lines:
        lines = lines[: 2 if lines[0].endswith(":") else 1]  # NumPy says what is wrong in the next line
    return " ".join(lines if traceback else lines[-1:])[:MOST]


def last_stack(written: str) -> str:
    """Where a process was that was asked by WHERE, for a message; empty where it has not answered."""
    _, answered, stack = written.rpartition(STACK)
    frames = [line.strip().replace(f"{system.ROOT}/", "") for line in stack.splitlines()[1:3]]
    return f"; it was at {', called at '.join(frames)}" if answered and frames else ""


def environment(who: Configuration, scratch: Path, apart: bool = False, proves: bool = False) -> dict[str, str]:
    """A worker's environment: its threads, its GPU and no other, the harness's own code first on the path.

    What is compiled is kept for this run and no longer, of each implementation by itself: a first call of its first block has
    compiled it, and not another's before it, nor its null control's (`apart`). PyTorch compiles in the worker itself: a pool of
    processes of its own would work on while the worker is stopped.

    pytest is to load what the worker names and nothing else: other plugins and options of the user's cost time there. PyTorch asks once, at its
    first product, whether cuBLAS may be deterministic: a process that `proves` and times nothing lets it, for it asks for that at its end.
    """
    gpu = _gpu(who.device)
    path = os.pathsep.join(filter(None, [str(system.ROOT), os.environ.get("PYTHONPATH", "")]))
    settings = {gpus.ORDER: "PCI_BUS_ID", gpus.VARIABLE: gpu}
    settings |= {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    settings |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
        "PYTEST_PLUGINS": "",
        "PYTEST_XDIST_WORKER": "",
    }
    words = [who.framework, who.mode, who.precision, who.device.replace(":", ""), f"t{who.threads}", "control" * apart]
    compiled = str(scratch / "compiled" / "-".join(filter(None, words)))
    settings |= {"TORCHINDUCTOR_CACHE_DIR": compiled, "TRITON_CACHE_DIR": compiled, "CUPY_CACHE_DIR": compiled}
    settings["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    settings |= {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"} if proves else {}
    if gpu:  # XLA tries there which way is quickest, and each process may find another one
        settings["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    else:
        settings |= {"JAX_PLATFORMS": "cpu", "JAX_COMPILATION_CACHE_DIR": compiled} | KEPT_BY_JAX
    return os.environ | system.thread_environment(who.threads) | settings


def _gpu(device: str) -> str:
    """The UUID of `cuda:1` among those that the run was given; nothing for the CPU. A card that was not given is never named."""
    index = int(device.partition(":")[2] or 0)
    given = gpus.visible() if device.startswith("cuda") else []
    return given[index].uuid if index < len(given) else ""
