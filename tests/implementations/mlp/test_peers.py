"""Each of the model's peers learns what it is timed at."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support import peers

MODEL = "mlp"


def begin_processes(parameters: Sequence[dict[str, Any]]) -> None:
    """One for each framework that is asked for."""
    for given in parameters:
        peers.begun(MODEL, given["name"])


@pytest.mark.parametrize("name", peers.cases(MODEL))
def test_it_learns_the_digits(name: str) -> None:
    peers.assert_it_learns(MODEL, name)
