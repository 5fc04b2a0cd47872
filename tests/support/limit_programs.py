"""Runs programs in copies of one process: `python -m tests.support.limit_programs PACKAGE PROGRAM ...`.

Importing a framework's package takes longer than most of them, so that is done once; what a program sets ends with its copy
(`os.fork`). Prints a JSON object for each: what it said and how it ended.
"""

import contextlib
import importlib
import io
import json
import os
import runpy
import sys
import traceback
from typing import Any


def ended(program: str) -> dict[str, Any]:
    """The program's end, as if it had been started by itself."""
    said, broke, code = io.StringIO(), "", 0
    with contextlib.redirect_stdout(said):
        try:
            runpy.run_path(program, run_name="__main__")
        except SystemExit as end:
            code = int(end.code or 0)
        except Exception:  # the next is to be run too; the test of this one fails, with this text
            code, broke = 1, traceback.format_exc()
    return {"program": program, "returncode": code, "stdout": said.getvalue(), "stderr": broke}


def run_in_a_copy(program: str) -> None:
    """What is said of it comes from the copy."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        print(json.dumps(ended(program)), flush=True)
    finally:
        os._exit(0)


NOT_NEEDED = {"jax", "sklearn"} - {os.environ.get("KERAS_BACKEND")} if "KERAS_BACKEND" in os.environ else set()
"""Keras imports them where they are there, for seconds; no program of its needs them."""


if __name__ == "__main__":
    sys.modules |= dict.fromkeys(NOT_NEEDED)  # type: ignore[arg-type]  # None keeps a module from being imported
    importlib.import_module(sys.argv[1])
    for path in sys.argv[2:]:
        run_in_a_copy(path)
