"""Peers are timed beside ours and never proved: each of them learns what it is timed at, the model's own data."""

import json
import math
import statistics
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from implementations import registry
from tests.support import background

SHARES = {
    ("mlp", "digits"): 1 / 3,
    ("cnn", "digits"): 1 / 3,
    ("rnn", "digits"): 1 / 3,
    ("rnn", "text"): 1 / 2,
    ("transformer", "digits"): 1 / 2,
    ("transformer", "text"): 2 / 3,
}
"""Of the loss of guessing, what is left after some hundred steps; a text stays hard to foretell."""


def absent(name: str) -> Any:
    """Why a peer cannot run here, or None."""
    framework = registry.PEERS[name].framework
    why = registry.missing(name) or registry.missing(framework)
    return why or (registry.mode_problem(framework, "tuned") if name.endswith("compiled") else None)


# Where a peer's package, or the compiler that it needs, is not there, pytest's summary names it and the reason; CI has them all.
CASES = [
    pytest.param(
        model, preset, name, marks=[pytest.mark.skip(reason=f"{name}: {why}")] if (why := absent(name)) else []
    )
    for model, preset in SHARES
    for name in registry.PEERS
    if registry.not_written(model, name) is None
]


def begin_processes(parameters: Sequence[dict[str, Any]]) -> None:
    """One for each framework that is asked for, with all its peers."""
    for given in parameters:
        if "preset" in given:
            asked.setdefault(registry.PEERS[given["name"]].framework, []).append(":".join(given.values()))
    for framework in asked:
        begun(framework)


asked: dict[str, list[str]] = {}
"""MODEL:PRESET:NAME, by framework."""


def begun(framework: str) -> Any:
    return background.python("-m", "tests.support.peer_losses", *asked[framework])


@cache
def losses(framework: str) -> dict[str, list[float]]:
    """Of every training in this framework, from first to last. Waits for them."""
    done = begun(framework).result()
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(("model", "preset", "name"), CASES)
def test_it_learns(model: str, preset: str, name: str) -> None:
    own = losses(registry.PEERS[name].framework)[f"{model}:{preset}:{name}"]
    assert all(map(math.isfinite, own))
    guessing = math.log(registry.part(model, "spec").Spec.preset(preset).classes)
    assert statistics.median(own[len(own) // 2 :]) < SHARES[model, preset] * guessing


def test_scikit_learn_has_the_perceptron_alone() -> None:
    written = {model for model in registry.OURS if registry.not_written(model, "scikit-learn") is None}
    assert written == {"mlp"}
