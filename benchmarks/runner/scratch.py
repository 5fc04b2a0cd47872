"""The folder in which a run keeps what its workers read, log and compile. It is gone afterwards, also if the run was killed: the next clears it."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks import writing

PREFIX, NEW = "samenet-run-", "samenet-new-"
"""How folders are called that are locked by the process they belong to, and until it has done so."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder of this process. Raises Unwritable."""
    with writing.telling("the folder for temporary files (TMPDIR says which)"):
        root = Path(tempfile.gettempdir())
    with writing.telling(root):
        _clear(root)
        folder = Path(tempfile.mkdtemp(prefix=NEW, dir=root))
    try:
        with _opened(folder) as lock:
            with suppress(OSError):  # a file system without locks: nothing is cleared there
                fcntl.flock(lock, fcntl.LOCK_EX)
            with writing.telling(folder):
                folder = folder.rename(folder.with_name(folder.name.replace(NEW, PREFIX)))
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clear(root: Path) -> None:
    """Remove our folders that no process holds: whoever made them was killed."""
    for left in root.glob(f"{PREFIX}*"):
        with suppress(OSError), _opened(left) as lock:
            if os.fstat(lock).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """A descriptor of a folder that is no link. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
