"""The shell lines of docs/ci.md are run, in small, and stand in its jobs as they are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import LIGHT, ROOT

TEXT = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
TINY = "--profile smoke --threads 1 --set batch=8 --set width=16 --phase train_step,peak --blocks 1"
FULL = "--phase train_step,predict,products,peak --budget 10m"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def in_small(lines: str) -> str:
    """The same with NumPy alone, one block and one size."""
    assert FULL in lines
    return lines.replace(FULL, TINY).replace("numpy,torch", "numpy").replace("torch", "numpy")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the code, once and twice, and the environments that the page has made."""
    for code in (tmp_path, tmp_path / "before", tmp_path / "after"):
        code.mkdir(exist_ok=True)
        for package in ("benchmarks", "implementations"):
            (code / package).symlink_to(ROOT / package)
    for name in ("now", "next", "env"):
        python = tmp_path / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("lines", blocks("sh"), ids=["turns", "commits"])
def test_the_lines_run_and_one_block_cannot_tell(lines: str, place: Path) -> None:
    done = subprocess.run(
        ["bash", "-e", "-c", in_small(lines)],
        cwd=place, env=os.environ | {"PYTHONPATH": str(LIGHT)}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr[-3000:]
    assert "Whether B is slower than A could not be told, because a verdict needs 6 blocks" in done.stdout
    assert "10% was asked for: measure more blocks" in done.stdout


@pytest.mark.parametrize(
    ("lines", "job"), list(zip(blocks("sh"), blocks("yaml"), strict=True)), ids=["turns", "commits"]
)
def test_the_job_runs_the_lines_that_are_shown(lines: str, job: str) -> None:
    assert set(lines.splitlines()) <= {line.strip() for line in job.splitlines()}
