"""Slurm's commands for a test that needs no cluster: a queue that is written here, and jobs that nobody runs."""

import os
from pathlib import Path

import pytest

SQUEUE = """#!/bin/sh
[ -f {folder}/down ] && {{ echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1; }}
cat {folder}/queue
"""
SBATCH = """#!/bin/sh
[ -r /proc/$$/status ] && while read name value; do [ "$name" = SigBlk: ] && echo "$value" > {folder}/blocked; done < /proc/$$/status
[ -f {folder}/refuses ] && {{ echo "sbatch: error: invalid partition specified: $(cat {folder}/refuses)" >&2; exit 1; }}
echo x >> {folder}/submitted
number=$(wc -l < {folder}/submitted)
cp "$1" {folder}/$number.sh
[ -f {folder}/interrupts ] && kill -INT $PPID
echo "$number|PENDING|(None)" >> {folder}/queue
echo "Submitted batch job $number"
"""


class FakeSlurm:
    """The commands, in front of all others on the path."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        (programs := folder / "bin").mkdir(parents=True)
        for name, text in (("squeue", SQUEUE), ("sbatch", SBATCH), ("srun", "#!/bin/sh\n")):
            (programs / name).write_text(text.format(folder=folder))
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        self.hold()

    def hold(self, *rows: str) -> None:
        """What squeue prints: "12|PENDING|(Priority)"."""
        (self.folder / "queue").write_text("".join(f"{row}\n" for row in rows))

    def refuse(self, what: str) -> None:
        """From now on sbatch refuses everything."""
        (self.folder / "refuses").write_text(what)

    def interrupt(self) -> None:
        """From now on somebody presses Control-C when sbatch has taken a job and has not answered yet."""
        (self.folder / "interrupts").touch()

    def go_down(self) -> None:
        """From now on squeue finds no controller."""
        (self.folder / "down").touch()

    def blocked(self) -> int:
        """The signals that do not reach sbatch at once, as Linux tells them: bit N - 1 for signal N."""
        return int((self.folder / "blocked").read_text(), 16)

    def scripts(self) -> list[str]:
        """What was submitted."""
        return [path.read_text() for path in sorted(self.folder.glob("*.sh"))]
