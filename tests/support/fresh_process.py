"""Python in a process of its own that a test waits for."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT


def python(
    *words: str | Path, cwd: Path = ROOT, site: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`python WORDS`; on its path stands the project, behind the folder `site` where one is given."""
    path = os.pathsep.join(map(str, (site, ROOT) if site else (ROOT,)))
    return subprocess.run(
        [sys.executable, *map(str, words)], cwd=cwd, env=os.environ | {"PYTHONPATH": path} | environment,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def interpreter_that(folder: Path, does: str) -> Path:
    """An executable file that does this in the place of a Python."""
    interpreter = folder / "python"
    interpreter.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    interpreter.chmod(0o755)
    return interpreter
