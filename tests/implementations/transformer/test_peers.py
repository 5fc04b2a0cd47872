"""Each of the model's peers learns what it is timed at: a text, and digits piece by piece."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support import peers

MODEL = "transformer"
SHARES = {"text": 2 / 3, "digits": 1 / 2}
"""Of the loss of guessing, what is left after some hundred steps; a text stays hard to foretell."""


def begin_processes(parameters: Sequence[dict[str, Any]]) -> None:
    """One for each framework and preset that is asked for."""
    for given in parameters:
        if "preset" in given:
            peers.begun(MODEL, given["name"], given["preset"])


@pytest.mark.parametrize("preset", SHARES)
@pytest.mark.parametrize("name", peers.cases(MODEL))
def test_it_learns(name: str, preset: str) -> None:
    peers.assert_it_learns(MODEL, name, preset, SHARES[preset])


def test_scikit_learn_has_no_such_network() -> None:
    assert "scikit-learn" not in [case.values[0] for case in peers.cases(MODEL)]
