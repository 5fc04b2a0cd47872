"""Writes so that nothing is lost: a file is whole or as it was, a line is added at the end. What cannot be written says where and why."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Unwritable(OSError):
    """What cannot be written: the message says where and why."""

    def __init__(self, where: Path | str, reason: str) -> None:
        super().__init__(f"{where}: {reason}.")


@contextmanager
def telling(where: Path | str) -> Iterator[None]:
    """Raises Unwritable with this place for whatever the system refuses within."""
    try:
        yield
    except Unwritable:
        raise
    except OSError as problem:
        raise Unwritable(where, f"cannot be written ({problem.strerror or problem})") from problem


def text(path: Path, content: str) -> None:
    """Write a file anew: aside, then in its place. What stood there, a link too, is replaced, not followed. Raises Unwritable."""
    aside = path.with_name(f".{path.name}.part")
    with telling(path):
        aside.unlink(missing_ok=True)  # of a process that was killed
        try:
            with aside.open("xb") as file:
                file.write(content.encode("utf-8", errors="replace"))
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except BaseException:
            with suppress(OSError):
                aside.unlink()
            raise


def line(path: Path, content: bytes, size: int | None = None) -> int:
    """Add a line at the end of a file; returns the file's new length. One that was cut short before stays a line of its own.

    `size` is the length at which it was left: where it has another, somebody else wrote there, whom a lock should have held off: whoever
    finds that gives way.
    Not every file system has locks, and not every one tells other machines of them. Raises Unwritable.
    """
    with telling(path), path.open("a+b") as file:
        if size is not None and file.tell() != size:
            raise Unwritable(path, "another process writes there too; this one gives way")
        if file.tell():
            file.seek(-1, os.SEEK_END)
            cut = file.read(1) != b"\n"
        else:
            cut = False
        file.write((b"\n" if cut else b"") + content + b"\n")
        return file.tell()
