"""The judge is judged: every planted fault is noticed, in every framework and in the oracle, and nothing else is.

Here all of the first model's in NumPy, one in three in its oracle and in PyTorch, and one in three of what later models have besides, in
NumPy; `make prove` plants all, those of CuPy's logic and of Keras and JAX too, where each has to be compiled, and writes down everything
that notices each.
"""

import json
from functools import cache
from typing import Any

import pytest

from implementations import mistakes, registry
from implementations.catalogue import MODEL
from tests.mutation import faults, planting
from tests.support import shared_process

HERE = {"numpy": "float32", "torch": "float32", planting.ORACLE: "float64"}
"""Of implementations the precision that is timed; of the oracle the one that is quick, since no ReLU is near its kink."""

ELSEWHERE = {(planting.ORACLE, "one-pass variance")}
"""What shows in the other precision alone."""

HERE_OF = {
    (model, name): precision
    for model in faults.models()
    for name, precision in HERE.items()
    if model == MODEL or name == "numpy"
}
"""Of every model; of those after the first, in NumPy: in the rest by `make prove`."""

ALL_OF = (MODEL, "numpy")
"""Where every fault is planted; elsewhere one in three."""


pytestmark = pytest.mark.long


def process_of(parameters: dict[str, Any]) -> str:
    """All that is planted in a framework's files of a model."""
    return f"{parameters.get('model')} {parameters.get('framework')}"


@cache
def answers(model: str, framework: str) -> dict[str, list[str]]:
    """What notices each fault first; under "" what is noticed where nothing is planted. Waits for it."""
    noticed: dict[str, list[str]] = {}
    mode = "first" if (model, framework) == ALL_OF else "some"
    done = shared_process.python("-m", "tests.mutation.planting", framework, HERE[framework], mode, model)
    assert done.returncode == 0, f"{framework}:\n{done.stderr[-3000:]}"
    for line in done.stdout.splitlines():
        answer: dict[str, Any] = json.loads(line)
        noticed.setdefault(answer["fault"], []).extend(answer["noticed"])
    return noticed


@pytest.mark.parametrize(
    ("model", "framework", "fault"),
    [
        (model, name, fault.name)
        for (model, name), precision in HERE_OF.items()
        for fault in (planting.own if (model, name) == ALL_OF else planting.some)(name, model)
        if fault.precision in ("", precision) and (name, fault.name) not in ELSEWHERE
    ],
)
def test_a_fault_is_noticed(model: str, framework: str, fault: str) -> None:
    assert answers(model, framework)[fault]


@pytest.mark.parametrize(("model", "framework"), HERE_OF)
def test_without_a_fault_nothing_is_noticed(model: str, framework: str) -> None:
    assert answers(model, framework)[""] == []


@pytest.mark.parametrize("model", registry.OURS)
def test_what_must_be_noticed_is_said_of_every_mistake(model: str) -> None:
    assert {fault.name for fault in faults.table(model).FAULTS} == {m.name for m in mistakes.of_model(model)}
