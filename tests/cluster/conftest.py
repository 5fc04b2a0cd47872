"""A sweep on a real Slurm with two virtual nodes of two kinds."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.records import records_file
from benchmarks.records.record import BlockRecord, Record, TimingRecord
from tests.support import slurm
from tests.support.slurm import Slurm

BLOCK = ["--profile", "smoke", "--framework", "numpy", "--phase", "train_step"]
"""Of two or three seconds."""


class Sweeping:
    """The command, and what it left in its folder."""

    def __init__(self, folder: Path, slurm: Slurm) -> None:
        self.file, self.folder, self.slurm = folder / "sweep.toml", folder / "sweep", slurm

    def ask(self, blocks: int, *tables: str, slurm: str = "timeout_min = 30") -> None:
        """Write the file."""
        run = json.dumps([*BLOCK, "--blocks", str(blocks)])
        self.file.write_text("\n".join([f"run = {run}", "[slurm]", slurm, *tables]))

    def sweep(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """Give the command."""
        command = [sys.executable, "-m", "benchmarks", "sweep", str(self.file), "--into", str(self.folder), *options]
        return subprocess.run(
            command, env=self.slurm.environment, capture_output=True, text=True, timeout=120, check=False
        )

    def state(self, run: str) -> str:
        """What --status says of a run."""
        (line,) = [line for line in self.sweep("--status").stdout.splitlines() if line.startswith(run)]
        return " ".join(line.split()[1:])

    def records(self, run: str) -> list[Record]:
        """Its records so far."""
        return records_file.read(self.folder / run)[0] if records_file.size(self.folder / run) else []

    def blocks(self, run: str) -> list[BlockRecord]:
        """The blocks that it finished so far."""
        return [record for record in self.records(run) if isinstance(record, BlockRecord)]

    def until_blocks(self, run: str, count: int) -> None:
        """Wait until it has finished so many."""
        self.slurm.until(lambda: len(self.blocks(run)) >= count)

    def until_gone(self) -> None:
        """Wait until nothing is in the queue."""
        self.slurm.until(lambda: not self.hurry(), 120)

    def check_each_block_once(self, run: str, blocks: int) -> None:
        """Whether every block was finished once, and none that was finished was measured again."""
        records = self.records(run)
        numbers = [record.block for record in records if isinstance(record, BlockRecord)]
        assert sorted(numbers) == list(range(blocks))
        finished: set[int] = set()
        for record in records:
            if isinstance(record, BlockRecord):
                finished.add(record.block)
            assert not (isinstance(record, TimingRecord) and record.block in finished)
        assert Counter(type(record).__name__ for record in records)["RunRecord"] == 1

    def processes(self, program: str) -> list[psutil.Process]:
        """Of this sweep's, those that run a module."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if program in words and any(str(self.folder) in word for word in words):
                found.append(process)
        return found

    def hurry(self) -> bool:
        """Whether something is in the queue; what was requeued begins at once: Slurm would wait two minutes."""
        queue = self.slurm.ask("squeue", "--noheader", "--format=%A|%T|%r").split()
        for job, state, reason in (line.split("|") for line in queue):
            if state == "PENDING" and reason == "BeginTime":
                self.slurm.ask("scontrol", "update", f"JobId={job}", "StartTime=now")
        return bool(queue)


@pytest.fixture
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Slurm]:
    """Its parameter, where a test gives one, is Slurm's own: SlurmctldParameters."""
    if reason := slurm.missing():
        pytest.skip(reason)
    (folder := tmp_path / "slurm").mkdir()
    with slurm.running(folder, getattr(request, "param", "")) as cluster:
        yield cluster


@pytest.fixture
def sweeping(tmp_path: Path, cluster: Slurm) -> Sweeping:
    return Sweeping(tmp_path, cluster)


def kind(name: str, *lines: str) -> str:
    """A table of the file."""
    return "\n".join([f"[kinds.{name}]", *lines])


def environment(folder: Path) -> dict[str, Any]:
    """What a run wrote down of its machine."""
    held: dict[str, Any] = json.loads((folder / "environment.json").read_text())
    return held
