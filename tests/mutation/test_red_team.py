"""Every vice of a plug-in is told by whom it should be, with these words; what is beyond the claim, by nobody.

Here those that share a process, and of each those who should tell it; `make prove` starts workers for the others too, asks
everyone of everything, and writes down who tells what.
"""

import json
from functools import cache
from typing import Any

import pytest

from tests.mutation.vices import VICES
from tests.mutation.vices.vice import Vice
from tests.support import shared_process

QUICK = [vice for vice in VICES if not vice.alone]


pytestmark = pytest.mark.long


@cache
def answers() -> dict[str, dict[str, Any]]:
    """By vice. Waits for them."""
    done = shared_process.python("-m", "tests.mutation.red_team", "quick")
    assert done.returncode == 0, done.stderr[-3000:]
    return {answer["vice"]: answer for answer in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("vice", QUICK, ids=lambda vice: vice.name)
def test_who_tells_it(vice: Vice) -> None:
    assert vice.as_expected(answers()[vice.name]), answers()[vice.name]


def test_of_whatever_is_not_told_it_is_said_why() -> None:
    assert [vice.name for vice in VICES if not (vice.verify and vice.run) and not vice.why] == []
