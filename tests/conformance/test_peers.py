"""Peers are timed beside ours and never proved: each of them learns what it is timed at, the model's own data."""

import json
import math
import statistics
from functools import cache
from typing import Any

import pytest

from implementations import registry
from tests.support import ROOT, adapters, shared_process

SHARES = {
    ("mlp", "digits"): 1 / 3,
    ("cnn", "digits"): 1 / 3,
    ("rnn", "digits"): 1 / 3,
    ("rnn", "text"): 0.6,
    ("transformer", "digits"): 1 / 2,
    ("transformer", "text"): 2 / 3,
}
"""Of the loss of guessing, what is left after some hundred steps. A text stays hard to foretell: how often its characters come leaves 0.71."""

COMPILED_ONCE = {"peer-torch-compiled": ("mlp", "digits")}
"""Compiling takes longer than all else here, and is the same call around each network: one is trained."""

pytestmark = pytest.mark.long


def framework_of(name: str) -> str:
    """Of the peer with this name."""
    return registry.PEERS[name].framework


def absent(name: str) -> Any:
    """Why a peer cannot run here, or None."""
    why = registry.missing(name) or registry.missing(framework_of(name))
    return why or (registry.mode_problem(framework_of(name), "tuned") if name.endswith("compiled") else None)


Case = tuple[str, str, str]
"""Model, preset, peer."""

ALL: list[Case] = [
    (model, preset, name)
    for model, preset in SHARES
    for name in registry.PEERS
    if registry.not_written(model, name) is None and COMPILED_ONCE.get(name, (model, preset)) == (model, preset)
]

# Where a peer's package, or the compiler that it needs, is not there, pytest's summary names it and the reason; CI has them all.
CASES = [
    pytest.param(*case, marks=[pytest.mark.skip(reason=f"{case[2]}: {why}")] if (why := absent(case[2])) else [])
    for case in ALL
]


def process_of(parameters: dict[str, Any]) -> str:
    """A framework, with all its peers."""
    return framework_of(parameters["name"]) if "name" in parameters else ""


@cache
def losses(framework: str) -> dict[str, list[float]]:
    """Of every training in this framework, from first to last. Waits for them."""
    own = [":".join(case) for case in ALL if framework_of(case[2]) == framework and not absent(case[2])]
    done = shared_process.python("-m", "tests.support.peer_losses", *own, XLA_FLAGS=adapters.QUICKLY_COMPILED)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(("model", "preset", "name"), CASES)
def test_it_learns(model: str, preset: str, name: str) -> None:
    own = losses(framework_of(name))[f"{model}:{preset}:{name}"]
    assert all(map(math.isfinite, own))
    guessing = math.log(registry.part(model, "spec").Spec.preset(preset).classes)
    assert statistics.median(own[len(own) // 2 :]) < SHARES[model, preset] * guessing


@pytest.mark.parametrize("name", registry.PEERS)
def test_every_model_that_has_a_peer_has_its_class(name: str) -> None:
    module, _, of_peer = registry.PEERS[name].place.partition(":")
    for model in registry.OURS:
        if registry.not_written(model, name) is None:
            text = (ROOT / "implementations" / model / f"{module}.py").read_text(encoding="utf-8")
            assert f"\nclass {of_peer}(" in text or f"\nclass {of_peer}:" in text, (model, name)


@pytest.mark.parametrize("model", registry.OURS)
def test_a_peer_that_a_model_does_without_is_one(model: str) -> None:
    assert set(getattr(registry.part(model, "spec"), "WITHOUT_PEERS", {})) <= set(registry.PEERS)


def test_scikit_learn_has_the_perceptron_alone() -> None:
    written = {model for model in registry.OURS if registry.not_written(model, "scikit-learn") is None}
    assert written == {"mlp"}


OF_TORCH = """
import torch
from implementations.rnn.peer_torch import Network
from implementations.rnn.spec import GATES, RNNSpec
for cell in GATES:
    spec = RNNSpec(cell=cell)
    rows = torch.zeros(2, spec.length, spec.features)
    print(cell, torch._dynamo.explain(Network(spec))(rows).graph_count)
"""


# It asks PyTorch itself: without it there is nothing to ask, which the summary says; CI has it.
@pytest.mark.skipif(bool(absent("peer-torch")), reason=f"peer-torch: {absent('peer-torch')}")
def test_torch_compiles_nothing_of_a_recurrent_network() -> None:
    done = shared_process.python("-c", OF_TORCH)
    assert done.returncode == 0, done.stderr[-2000:]
    graphs = dict(line.split() for line in done.stdout.splitlines())
    assert graphs == {"lstm": "0", "gru": "0", "tanh": "0"}, (
        "Good news: torch.compile takes recurrent layers. Give the RNN its compiled peer again, and remove its WITHOUT_PEERS."
    )
