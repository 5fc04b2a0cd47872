"""The system as a disk that fails has it: of one kind of call on paths in some folders, one is refused."""

import errno
import fcntl
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

CALLS: dict[str, tuple[int, tuple[tuple[Any, str], ...]]] = {
    "open for reading": (errno.EACCES, ((io, "open"),)),
    "open for writing": (errno.EROFS, ((io, "open"),)),
    "write": (errno.ENOSPC, ((io, "open"),)),
    "fsync": (errno.EIO, ((os, "fsync"),)),
    "rename": (errno.EXDEV, ((os, "rename"), (os, "replace"))),
    "mkdir": (errno.EDQUOT, ((os, "mkdir"),)),
    "stat": (errno.EACCES, ((os, "stat"),)),
    "list": (errno.EIO, ((os, "listdir"), (os, "scandir"))),
    "flock": (errno.ENOLCK, ((fcntl, "flock"),)),
    "unlink": (errno.EACCES, ((os, "unlink"),)),
}
"""What is refused, why, and by which functions of Python it is asked for."""


class HalfWritten:
    """A file of which only the first half of what is written arrives."""

    def __init__(self, file: Any, refuse: Callable[[], bool]) -> None:
        self.file, self.refuse = file, refuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> "HalfWritten":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, content: bytes) -> Any:
        if self.refuse():
            self.file.write(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(content)


class Failing:
    """Refuses the call of a kind with this number, counted from 1; 0 refuses none. `seen` counts them."""

    def __init__(self, kind: str, number: int, folders: tuple[Path, ...]) -> None:
        self.kind, self.number, self.folders, self.seen = kind, number, folders, 0
        self.code, self.functions = CALLS[kind]

    @contextmanager
    def installed(self) -> Iterator["Failing"]:
        with ExitStack() as patches:
            for of, name in self.functions:
                patches.enter_context(mock.patch.object(of, name, self._of(getattr(of, name))))
            yield self

    def _of(self, whole: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **options: Any) -> Any:
            concerned = self.kind in ("flock", "fsync") or (
                isinstance(words[0], str | os.PathLike)
                and any(Path(words[0]).is_relative_to(of) for of in self.folders)
            )
            if not concerned:
                return whole(*words, **options)
            if self.functions[0][1] != "open":
                self._perhaps(words[0])
                return whole(*words, **options)
            mode = options.get("mode", words[1] if len(words) > 1 else "r")
            writes = any(letter in mode for letter in "wax+")
            if self.kind == "write":
                return HalfWritten(whole(*words, **options), self._refuses) if writes else whole(*words, **options)
            if writes == (self.kind == "open for writing"):
                self._perhaps(words[0])
            return whole(*words, **options)

        return call

    def _refuses(self) -> bool:
        self.seen += 1
        return self.seen == self.number

    def _perhaps(self, path: Any) -> None:
        if self._refuses():
            raise OSError(
                self.code, os.strerror(self.code), *([] if self.kind in ("flock", "fsync") else [os.fspath(path)])
            )
