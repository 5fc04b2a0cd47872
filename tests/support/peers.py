"""Peers are timed beside ours and never proved: of a model, those that can run here, and whether each learns what it is timed at."""

import json
import math
from typing import Any

import pytest

from implementations import registry
from tests.support import background

PROGRAM = "tests.support.peer_losses"
TOGETHER = ("peer-torch", "peer-torch-compiled")
"""They share a process, as they share a framework."""


def absent(name: str) -> Any:
    """Why it cannot run here, or None."""
    framework = registry.PEERS[name].framework
    why = registry.missing(name) or registry.missing(framework)
    return why or (registry.mode_problem(framework, "tuned") if name.endswith("compiled") else None)


def cases(model: str) -> list[Any]:
    """The peers of a model; skipped with the reason where one cannot run."""
    names = [name for name in registry.PEERS if registry.not_written(model, name) is None]
    reasons = {name: absent(name) for name in names}
    return [
        pytest.param(name, marks=[pytest.mark.skip(reason=f"{name}: {why}")] if why else [])
        for name, why in reasons.items()
    ]


def begun(model: str, name: str) -> Any:
    """The process that trains it."""
    names = [peer for peer in TOGETHER if not absent(peer)] if name in TOGETHER else [name]
    return background.python("-m", PROGRAM, model, *names)


def assert_it_learns(model: str, name: str) -> None:
    """Its losses are finite, and the last is less than a third of the first."""
    done = begun(model, name).result()
    assert done.returncode == 0, done.stderr[-2000:]
    losses = json.loads(done.stdout.splitlines()[-1])[name]
    assert all(map(math.isfinite, losses))
    assert losses[-1] < losses[0] / 3
