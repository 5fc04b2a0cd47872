"""PyTorch's tuned implementation as a CUDA graph, with a stand-in for the graph: no line of CUDA runs.

What PyTorch does while a graph is captured is written down instead of done, and done again with the very same memory when
the graph is replayed: what would be stale in a graph is stale here.
"""

import json
from typing import Any

import pytest

from implementations import registry
from tests.support import shared_process

pytestmark = pytest.mark.skipif(registry.missing("torch") is not None, reason=str(registry.missing("torch")))

PROGRAM = "tests.support.mlp.torch_cuda_graph"


@pytest.fixture(scope="module")
def answers() -> Any:
    """What the program says."""
    done = shared_process.python("-m", PROGRAM)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_graph_equals_the_oracle(answers: dict[str, Any]) -> None:
    assert answers["checks"] > 100
    assert answers["failed"] == []


def test_every_step_but_the_first_is_a_replay(answers: dict[str, Any]) -> None:
    assert answers["captures"] == 3, "training, and predictions of two sizes"
    assert answers["replays"] == 15


@pytest.mark.parametrize("fault", ["inputs not copied", "random numbers elsewhere", "what moved is not put back"])
def test_what_is_stale_is_noticed(answers: dict[str, Any], fault: str) -> None:
    assert answers["noticed"][fault]


def test_a_prediction_is_one_graph_for_the_compiler(answers: dict[str, Any]) -> None:
    assert answers["prediction compiled"] is True
