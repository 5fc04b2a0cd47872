"""The folder for what workers read: gone afterwards, cleared by the next where its process was killed, left where it is at work."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from benchmarks.runner.scratch import scratch_folder
from tests.support import ROOT

HOLDING = "from benchmarks.runner.scratch import scratch_folder\nwith scratch_folder() as folder: print(folder, flush=True); input()"


def holder(root: Path) -> tuple["subprocess.Popen[str]", Path]:
    """Another process that has such a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING], cwd=ROOT, env=os.environ | {"TMPDIR": str(root)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_cleared_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "samenet-of-somebody").mkdir()
    (tmp_path / "samenet-run-link").symlink_to(tmp_path / "samenet-of-somebody")
    (tmp_path / "samenet-of-somebody" / "mine").touch()
    (tmp_path / "samenet-run-file").touch()
    others = {path.name for path in tmp_path.iterdir()}
    (killed, left), (working, held) = holder(tmp_path), holder(tmp_path)
    try:
        (left / "compiled").mkdir()
        killed.kill()
        killed.communicate()
        assert left.is_dir()
        with scratch_folder() as folder:
            assert {path.name for path in tmp_path.iterdir()} == others | {held.name, folder.name}
        assert (tmp_path / "samenet-of-somebody" / "mine").exists()
    finally:
        working.communicate("\n")
    assert {path.name for path in tmp_path.iterdir()} == others
