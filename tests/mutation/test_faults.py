"""The judge is judged: every planted fault is noticed, in every framework and in the oracle, and nothing else is.

Here the faults of NumPy, its oracle and PyTorch; `make prove` plants those of CuPy's logic, and of Keras and JAX, where
each has to be compiled, and writes down everything that notices each.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from implementations import mistakes, registry
from tests.mutation import faults, planting
from tests.support import background

HERE = {"numpy": "float32", "torch": "float32", planting.ORACLE: "float64"}
"""Of implementations the precision that is timed; of the oracle the one that is quick, since no ReLU is near its kink."""

ELSEWHERE = {(planting.ORACLE, "one-pass variance")}
"""What shows in the other precision alone."""


def begin_processes(parameters: Sequence[dict[str, Any]]) -> None:
    """Every framework that is asked for."""
    for framework in dict.fromkeys(given["framework"] for given in parameters if "framework" in given):
        background.python("-m", "tests.mutation.planting", framework, HERE[framework])


@cache
def answers(framework: str) -> dict[str, list[str]]:
    """What notices each fault first; under "" what is noticed where nothing is planted. Waits for it."""
    noticed: dict[str, list[str]] = {}
    done = background.python("-m", "tests.mutation.planting", framework, HERE[framework]).result()
    assert done.returncode == 0, f"{framework}:\n{done.stderr[-3000:]}"
    for line in done.stdout.splitlines():
        answer: dict[str, Any] = json.loads(line)
        noticed.setdefault(answer["fault"], []).extend(answer["noticed"])
    return noticed


@pytest.mark.parametrize(
    ("framework", "fault"),
    [
        (name, fault.name)
        for name, precision in HERE.items()
        for fault in planting.of(name)
        if fault.precision in ("", precision) and (name, fault.name) not in ELSEWHERE
    ],
)
def test_a_fault_is_noticed(framework: str, fault: str) -> None:
    assert answers(framework)[fault]


@pytest.mark.parametrize("framework", HERE)
def test_without_a_fault_nothing_is_noticed(framework: str) -> None:
    assert answers(framework)[""] == []


@pytest.mark.parametrize("model", registry.OURS)
def test_what_must_be_noticed_is_said_of_every_mistake(model: str) -> None:
    assert {fault.name for fault in faults.table(model).FAULTS} == {m.name for m in mistakes.of_model(model)}
