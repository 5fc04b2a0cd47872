"""A run that is killed at some moment, somehow, and called again: `python -m tests.support.killing 30` prints what came of so many.

Whatever was killed, the second call ends with a whole report in the same folder; no finished block is lost, and none is measured twice.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.records import records_file
from benchmarks.records.record import BlockRecord, Record, ResourceRecord, TimingRecord
from tests.support import LIGHT, ROOT
from tests.support.command import SMALL
from tests.support.virtual_run import survivors

KINDS = ("SIGKILL", "SIGTERM", "SIGKILL of a worker", "SIGKILL while it reports")
BLOCKS, BLOCK_S, REPORT_S = 2, 4.0, 1.5
"""How many there are, and how long one and the report last, about."""

PATIENCE_S = 120.0
INTERRUPTED = {-signal.SIGKILL, 143}


@dataclass(frozen=True)
class Killed:
    """What came of one: `wrong` names all that is not as it should be."""

    kind: str
    blocks: int
    after_s: float
    """When it was killed: so long after so many blocks."""

    code: int
    finished: int
    """Blocks, when it was killed."""

    again: int
    """The exit code of the second call."""

    wrong: list[str]

    def __str__(self) -> str:
        wrong = "; ".join(self.wrong) or "whole"
        return f"{self.kind:25} block {self.blocks} + {self.after_s:4.2f} s  exit {self.code:3}  {self.finished} finished  then {self.again}  {wrong}"


def started(folder: Path, *more: str) -> "subprocess.Popen[bytes]":
    """The same run, in a session of its own whose signals are as a terminal leaves them."""
    (folder / "temporary").mkdir(parents=True, exist_ok=True)
    choice = [*SMALL, "--phase", "train_step", "--blocks", str(BLOCKS), "--into", str(folder / "run"), *more]
    with (folder / "said").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks", "run", *choice],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(LIGHT), "TMPDIR": str(folder / "temporary")}, stdout=subprocess.DEVNULL, stderr=said,
            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip


def stored(folder: Path) -> list[Record]:
    with suppress(records_file.BadRecords):
        return records_file.read(folder / "run")[0]
    return []


def finished(records: list[Record]) -> list[int]:
    return [found.block for found in records if isinstance(found, BlockRecord)]


def killed(folder: Path, kind: str, after_s: float, blocks: int = 0) -> Killed:
    """Kill one so long after its begin, or after so many blocks, or after its last record where it is to report; call it again."""
    run = started(folder)
    try:
        last = ResourceRecord if kind == KINDS[3] else BlockRecord
        awaited = 1 if kind == KINDS[3] else blocks
        while run.poll() is None and sum(isinstance(found, last) for found in stored(folder)) < awaited:
            time.sleep(0.05)
        with suppress(subprocess.TimeoutExpired):
            run.wait(after_s)
        _kill(run, kind)
        code = run.wait(PATIENCE_S)
        end = time.monotonic() + PATIENCE_S
        while survivors(run.pid) and time.monotonic() < end:
            time.sleep(0.01)
        wrong = ["processes are left"] if survivors(run.pid) else []
    finally:
        run.kill()
        run.wait()
    before = stored(folder)
    again = started(folder, *(["--retry-failed"] if code == 3 else []))
    try:
        wrong += _wrong(folder, before, again.wait(PATIENCE_S), retried=code == 3)
    finally:
        again.kill()
        again.wait()
    wrong += [] if code in {0, 3} | INTERRUPTED else [f"it ended with {code}"]
    return Killed(kind, blocks, after_s, code, len(finished(before)), again.returncode, wrong)


def _kill(run: "subprocess.Popen[bytes]", kind: str) -> None:
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        if kind != KINDS[2]:
            os.kill(run.pid, signal.SIGTERM if kind == "SIGTERM" else signal.SIGKILL)
            return
        while run.poll() is None:
            workers = [
                each for each in psutil.Process(run.pid).children() if "benchmarks.worker" in " ".join(each.cmdline())
            ]
            if workers:
                return workers[0].kill()
            time.sleep(0.05)


def _wrong(folder: Path, before: list[Record], code: int, retried: bool) -> Iterator[str]:
    after, report = stored(folder), folder / "run" / "report.md"
    added = after[len(before) :]
    if code != 0:
        yield f"called again, it ended with {code}"
    if not report.is_file() or "partial" in report.read_text(encoding="utf-8").splitlines()[0]:
        yield "there is no whole report"
    if after[: len(before)] != before:
        yield "records were lost"
    if not retried and finished(after) != list(range(BLOCKS)):
        yield f"blocks are {finished(after)}"
    times = Counter((r.cell.id, r.block, r.control) for r in added if isinstance(r, TimingRecord))
    if max(times.values(), default=1) > 1 or (not retried and {block for _, block, _ in times} & {*finished(before)}):
        yield "something was measured twice"
    left = [path.name for path in (*(folder / "temporary").iterdir(), *(folder / "run").glob(".*"))]
    if [name for name in left if name.startswith(("samenet-", "."))]:
        yield f"left behind: {', '.join(left)}"


def moments(count: int, seed: int) -> Iterator[tuple[str, float, int]]:
    """Kinds in turn, each at a moment drawn from one of the blocks, or from the report."""
    rng = random.Random(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        yield kind, rng.uniform(0.0, REPORT_S if kind == KINDS[3] else BLOCK_S), rng.randrange(BLOCKS)


def main(count: int, seed: int) -> int:
    worst = 0
    for kind, after_s, blocks in moments(count, seed):
        with tempfile.TemporaryDirectory(prefix="killing-") as folder:
            result = killed(Path(folder), kind, after_s, blocks)
            print(result, flush=True)
            if result.wrong:
                worst = 1
                print((Path(folder) / "said").read_text(encoding="utf-8"), flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
