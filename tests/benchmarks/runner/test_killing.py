"""Real runs that are killed and called again; `python -m tests.support.killing 30` does more of them."""

import sys
from pathlib import Path

import pytest

from tests.support.killing import KINDS, killed


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a stopped process whose parent was killed")
@pytest.mark.parametrize("kind", [KINDS[0], KINDS[3]])
def test_a_run_that_is_killed_is_whole_when_it_is_called_again(tmp_path: Path, kind: str) -> None:
    result = killed(tmp_path, kind, after_s=0.5, blocks=1)
    assert (result.wrong, result.finished >= 1) == ([], True)
