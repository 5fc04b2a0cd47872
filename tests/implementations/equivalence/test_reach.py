"""NaN that was put in must come out of a training step, and not only be where it was put."""

from typing import Any

import pytest

from implementations import mistakes, registry
from implementations.equivalence import reach
from tests.mutation import planting

TEXT: dict[str, dict[str, Any]] = {
    "rnn": {"vocabulary": 11, "features": 5, "hidden": (7,), "classes": 11, "outputs": "every"},
    "transformer": {"vocabulary": 11, "classes": 11, "length": 7, "width": 6, "heads": 3, "batch": 4},
}
"""Networks that read tokens: NaN is put into a row of a table, which is a parameter."""


@pytest.mark.parametrize("model", TEXT)
@pytest.mark.parametrize(
    ("name", "failing"), [("", []), ("step without a finite loss skipped", [("NaN in training", "parameters")])]
)
def test_a_step_that_hides_nan_is_noticed(model: str, name: str, failing: list[tuple[str, str]]) -> None:
    mistake = next((mistake for mistake in mistakes.of_model(model) if mistake.name == name), None)
    kit = planting.PlantedKit("numpy", mistake, model)
    spec = registry.part(model, "spec").Spec().changed(**TEXT[model])
    checks = reach.not_a_number(kit.candidate(spec), kit.states, kit.starts(spec)[0])
    assert [(check.group, check.tensor) for check in checks if not check.passed] == failing
