"""Long processes of which tests read what they said: begun with the session, two at a time, beside the other tests.

A test module that has some offers `begin_processes(parameters)`, with the parameters of each of its selected tests; its tests come
last (`conftest.py`). With `BEGIN_FIRST` in a module, its processes are begun before those of others.
"""

import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from tempfile import TemporaryDirectory

from tests.support import ROOT
from tests.support.adapters import STRAYS

TIMEOUT_S = 1800

_strays = TemporaryDirectory(prefix="strays-")
_pool = ThreadPoolExecutor(max_workers=2)
_running: set[subprocess.Popen[str]] = set()
_environment = dict(os.environ)
"""As it was when the session began: tests that run beside change it for themselves."""


@cache
def python(*words: str, **environment: str) -> "Future[subprocess.CompletedProcess[str]]":
    """`python WORDS` in the project's folder, once; with these variables in its environment besides."""
    return _pool.submit(_run, words, environment)


def _run(words: tuple[str, ...], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *words]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=_environment | {STRAYS: _strays.name} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _running.add(process)
        try:
            out, err = process.communicate(timeout=TIMEOUT_S)
        finally:
            process.kill()
            _running.discard(process)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def stop() -> None:
    """When the session ends early: what runs is killed, and nothing more begins."""
    _pool.shutdown(wait=False, cancel_futures=True)
    for process in list(_running):
        process.kill()
