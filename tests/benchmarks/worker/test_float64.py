"""Frameworks that have no float64 as they come: by a switch of their own they are timed in it, by a patch only proved."""

from pathlib import Path

import pytest

from benchmarks.records.record import Record, ResourceRecord
from benchmarks.runner import resource_runs
from benchmarks.runner.blocks import Runner
from implementations import registry
from tests.support.strangers import offered
from tests.support.tiny_runs import TINY, cells_of, execute, networks, outcomes, timed

SWITCH = """
import os
def use_float64():
    os.environ["SWITCHED"] = "yes"
"""
MODELS = """
import os
from implementations.mlp.mlp_numpy import MLP


class switching(MLP):
    def __init__(self, spec, device):
        super().__init__(spec, device)
        if (spec.precision == "float64") != ("SWITCHED" in os.environ):
            raise RuntimeError("the switch is not where it should be")
"""


def here(framework: str) -> pytest.MarkDecorator:
    problem = registry.missing(framework)
    return pytest.mark.skipif(problem is not None, reason=f"{framework}: {problem}")


def test_the_switch_is_used_in_float64_and_in_nothing_else(tmp_path: Path) -> None:
    with offered(tmp_path, MODELS, {"switching": SWITCH}):
        cells = cells_of("switching", precisions=("float32", "float64"), phases=("train_step",))
        records = execute(cells)
        assert timed(records) == {cell.id for cell in cells}
        found: list[Record] = []
        resource_runs.measure(Runner(networks(), cells, TINY, 1, 0, found.append), records)
    peaks = {r.who.precision: r.host.reason for r in found if isinstance(r, ResourceRecord)}
    assert peaks == {"float32": "", "float64": ""}


@here("jax")
def test_jax_is_timed_in_float64() -> None:
    cells = cells_of("jax", precisions=("float64",))
    assert timed(execute(cells)) == {cell.id for cell in cells}


@here("keras-jax")
def test_keras_is_not_timed_in_a_precision_it_has_to_be_patched_for() -> None:
    records = execute(cells_of("keras-jax", precisions=("float64",), variants=("spec",)))
    assert not timed(records)
    assert {outcome.status for outcome in outcomes(records)} == {"skipped"}
    assert "float64" in outcomes(records)[0].reason
