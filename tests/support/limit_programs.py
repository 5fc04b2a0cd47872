"""Runs programs one after the other in this process: `python -m tests.support.limit_programs PROGRAM ...`.

Importing a framework takes longer than most of them. Prints a JSON object for each: what it said and how it ended.
"""

import contextlib
import io
import json
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
        except (
            Exception
        ):  # a program that breaks off must not keep the next from running; its test fails, with this text
            code, broke = 1, traceback.format_exc()
    return {"program": program, "returncode": code, "stdout": said.getvalue(), "stderr": broke}


if __name__ == "__main__":
    for path in sys.argv[1:]:
        print(json.dumps(ended(path)), flush=True)
