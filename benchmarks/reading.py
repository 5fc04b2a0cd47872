"""Reads what others wrote: files of the system and of runs, folders. What cannot be read says where and why, and nothing waits for a pipe."""

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

MISSING = (FileNotFoundError, NotADirectoryError)


class Unreadable(OSError):
    """What cannot be read: the message says which and why; `missing` where there is no such file."""

    def __init__(self, path: Path, reason: str, missing: bool = False) -> None:
        super().__init__(f"{path}: {reason}.")
        self.reason, self.missing = reason, missing


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """A file of text, in which bytes that are no UTF-8 are replaced. Raises Unreadable, also while it is read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for somebody who writes
            raise Unreadable(path, "is not a file")
        with path.open(encoding="utf-8", errors="replace") as file:
            yield file
    except Unreadable:
        raise
    except OSError as problem:
        raise Unreadable(path, f"cannot be read ({problem.strerror})", isinstance(problem, MISSING)) from problem


def lines(path: Path) -> list[str]:
    """A file's lines; none where it cannot be read, as files of the system cannot be everywhere."""
    with suppress(OSError), opened(path) as file:
        return file.read().splitlines()
    return []


def line(path: Path) -> str:
    """A file's first line, without space around it; nothing where it cannot be read."""
    return next(iter(lines(path)), "").strip()


def facts(path: Path) -> dict[str, Any]:
    """A JSON object. Raises Unreadable."""
    with opened(path) as file:
        try:
            held = json.load(file)
        except (ValueError, RecursionError):
            raise Unreadable(path, "is not JSON") from None
    if not isinstance(held, dict):
        raise Unreadable(path, "does not hold named facts")
    return held


def entries(folder: Path) -> list[Path]:
    """What a folder holds, by name; nothing where there is no such folder. Raises Unreadable."""
    try:
        return sorted(folder.iterdir())
    except MISSING:
        return []
    except OSError as problem:
        raise Unreadable(folder, f"cannot be read ({problem.strerror})") from problem
