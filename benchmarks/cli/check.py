"""Whether a run may be sent in: what it is, what stands against it, and the command that packs it."""

import shlex
from pathlib import Path

from benchmarks.records.records_file import RECORDS
from benchmarks.report.sharing import Shared

SENT = (RECORDS, "environment.json")
"""What is sent: all else is made of it."""


def render(folder: Path, run: Shared) -> str:
    """For people."""
    about = [f"{run.machine}, {run.measured}, {run.extent}. {run.proofs}", *run.answers, *run.notes]
    problems = [f"It cannot be shown: {problem}." for problem in run.problems]
    good = ["It may be sent in (results/README.md). Pack it:", packing(folder.resolve())]
    return "\n".join([*about, *(problems or good)])


def packing(folder: Path) -> str:
    """The command that packs what is sent."""
    files = [f"{folder.name}/{name}" for name in SENT]
    return shlex.join(["tar", "czf", f"{folder.name}.tgz", "-C", str(folder.parent), *files])
