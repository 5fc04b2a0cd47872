"""Peers are timed beside ours and never proved: of a model, those that can run here, and whether each learns what it is timed at."""

import json
import math
import statistics
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


def begun(model: str, name: str, preset: str = "digits") -> Any:
    """The process that trains it."""
    names = [peer for peer in TOGETHER if not absent(peer)] if name in TOGETHER else [name]
    return background.python("-m", PROGRAM, model, preset, *names)


def assert_it_learns(model: str, name: str, preset: str = "digits", share: float = 1 / 3) -> None:
    """Its losses are finite, and those of the second half, most of them, less than this share of what guessing has."""
    done = begun(model, name, preset).result()
    assert done.returncode == 0, done.stderr[-2000:]
    losses = json.loads(done.stdout.splitlines()[-1])[name]
    assert all(map(math.isfinite, losses))
    assert statistics.median(losses[len(losses) // 2 :]) < share * math.log(
        registry.part(model, "spec").Spec.preset(preset).classes
    )
