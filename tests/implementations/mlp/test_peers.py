"""Peers are timed beside ours and never proved: here, that each of them learns what it is timed at."""

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from implementations import registry
from tests.support import background

PROGRAM = "tests.support.mlp.peer_losses"
TOGETHER = ("peer-torch", "peer-torch-compiled")
"""They share a process, as they share a framework."""


def absent(name: str) -> Any:
    """Why it cannot run here, or None."""
    framework = registry.PEERS[name].framework
    why = registry.missing(name) or registry.missing(framework)
    return why or (registry.mode_problem(framework, "tuned") if name.endswith("compiled") else None)


def case(name: str) -> Any:
    """Skipped with the reason where it cannot run."""
    why = absent(name)
    return pytest.param(name, marks=[pytest.mark.skip(reason=f"{name}: {why}")] if why else [])


def begin_processes(parameters: Sequence[dict[str, Any]]) -> None:
    """One for each framework that is asked for."""
    for given in parameters:
        begun(given["name"])


def begun(name: str) -> Any:
    """The process that trains it."""
    names = [peer for peer in TOGETHER if not absent(peer)] if name in TOGETHER else [name]
    return background.python("-m", PROGRAM, *names)


@pytest.mark.parametrize("name", [case(name) for name in registry.PEERS])
def test_it_learns_the_digits(name: str) -> None:
    done = begun(name).result()
    assert done.returncode == 0, done.stderr[-2000:]
    losses = json.loads(done.stdout.splitlines()[-1])[name]
    assert all(map(math.isfinite, losses))
    assert losses[-1] < losses[0] / 3
