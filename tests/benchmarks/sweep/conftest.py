"""The command of a sweep on a queue that is written here."""

from pathlib import Path

import pytest
from click.testing import Result

from benchmarks.records.record import BlockRecord, Record
from tests.support import command, synthetic
from tests.support.fake_slurm import FakeSlurm

FILE = """
run = ["--profile", "smoke", "--blocks", "2"]
[slurm]
timeout_min = 30
slurm_account = "net"
slurm_additional_parameters = {reservation = "r"}
[kinds.a100]
slurm_constraint = "a100"
gpus_per_node = 1
nodes = 2
setup = ["module load cuda/12.6"]
[kinds.cpu]
python = "apptainer exec image.sif python"
cpus_per_task = 8
slurm_exclusive = false
slurm_additional_parameters = {nice = 7}
"""
CELL = synthetic.cell("numpy")


class Typed:
    """The command, in a folder of its own."""

    def __init__(self, folder: Path, slurm: FakeSlurm) -> None:
        self.file, self.folder, self.slurm = folder / "sweep.toml", folder / "sweep", slurm
        self.write(FILE)

    def write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    def sweep(self, *options: str) -> Result:
        return command.invoke("sweep", self.file, "--into", self.folder, *options)

    def states(self) -> dict[str, str]:
        lines = self.sweep("--status").stdout.splitlines()
        return {line.split()[0]: " ".join(line.split()[1:]) for line in lines}

    def measure(self, run: str, blocks: int, *more: Record, whole: bool = False, timed: bool = True) -> None:
        """What a job leaves when it came so far."""
        records: list[Record] = [
            synthetic.run([CELL], blocks=2, command=["python", "run", "--into", "/home/jane/sweep"])
        ]
        for number in range(blocks):
            node = f"n{number + 1}"
            if timed:
                records += [synthetic.proof(CELL, number), synthetic.timing(CELL, number, 1e-3)]
            records += [BlockRecord(block=number, wall_s=1.0, node=node)]
        synthetic.save(self.folder / run, [*records, *more, *(synthetic.costs(CELL) if whole else [])])
        if whole:
            (self.folder / run / "report.md").write_text("a report")

    def end(self, run: str, code: int, job: int) -> None:
        (self.folder / "jobs" / f"{run}_{job}.exit_code").write_text(f"{code}\n")


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    return Typed(tmp_path, FakeSlurm(tmp_path / "slurm", monkeypatch))
