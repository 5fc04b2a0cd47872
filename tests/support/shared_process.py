"""Long processes of which several tests read what they said: each runs once, in whichever of pytest's processes asks first.

The others wait for it. Tests of one that takes a minute and more are marked `long`, so that they come first; a module with several
such processes offers `process_of(parameters)`, a name for the one that a test with these parameters waits for (`conftest.py`).
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from tests.support import ROOT
from tests.support.adapters import STRAYS

TIMEOUT_S = 1800

folder = Path()
"""What pytest's processes share (`conftest.py`)."""

_environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
"""As it was when the session began: tests change it for themselves."""


def python(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`python WORDS` in the project's folder, with these variables in its environment besides."""
    answer = folder / hashlib.sha256(repr((words, sorted(environment.items()))).encode()).hexdigest()
    with FileLock(answer.with_suffix(".lock")):
        if not answer.exists():
            done = _run(words, environment)
            answer.write_text(json.dumps([done.args, done.returncode, done.stdout, done.stderr]), encoding="utf-8")
    return subprocess.CompletedProcess(*json.loads(answer.read_text(encoding="utf-8")))


def _run(words: tuple[str, ...], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=_environment | {STRAYS: os.environ[STRAYS]} | environment,
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
