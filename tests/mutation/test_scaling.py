"""Gates B and C: errors beside NumPy's, and errors that must shrink with the unit roundoff."""

import numpy as np
import pytest

from implementations.equivalence.kit import Kit
from implementations.equivalence.tolerances import UNIT_ROUNDOFF
from implementations.frameworks import numpy_adapter
from implementations.mlp import mlp_numpy
from implementations.mlp.spec import MLPSpec
from tests.mutation import scaling
from tests.support.mlp.cases import SMALL

U32, U64 = UNIT_ROUNDOFF["float32"], UNIT_ROUNDOFF["float64"]


class SecretlySingle(mlp_numpy.MLP):
    """Its gradient of one kernel goes through float32."""

    def update(self, gradients: dict[str, np.ndarray]) -> None:
        name = "dense1.weight"
        gradients[name] = gradients[name].astype(np.float32).astype(self.dtype)
        super().update(gradients)


def errors(model: type, precision: str) -> dict[str, tuple[float, float]]:
    kit = Kit("mlp", "numpy", numpy_adapter, "cpu")
    spec = MLPSpec().changed(**SMALL, precision=precision)
    oracle = kit.oracle_class(spec, np.longdouble if precision == "float64" else np.float64)
    found, candidate = scaling.Errors(), kit.candidate(spec, model(spec))
    for seed in range(1, 6):
        found.add(candidate, oracle, kit.starts(spec, seed)[1])
    assert len(found.of_candidate["dense1.weight"]) >= 4
    return found.medians()


@pytest.fixture(scope="module")
def clean() -> dict[str, dict[str, tuple[float, float]]]:
    return {precision: errors(mlp_numpy.MLP, precision) for precision in ("float32", "float64")}


def test_numpy_errs_as_numpy_does_and_in_proportion(clean: dict) -> None:
    for precision in ("float32", "float64"):
        assert all(check.passed for check in scaling.peer_checks(clean[precision], precision))
        assert all(error == of_numpy for error, of_numpy in clean[precision].values())
    assert all(check.passed for check in scaling.scaling_checks(clean["float32"], clean["float64"]))


def test_small_tensors_are_not_judged(clean: dict) -> None:
    assert "output.bias" not in clean["float32"]
    assert "velocity:dense1.weight" in clean["float32"]


def test_one_seed_far_off_is_not_what_is_usual() -> None:
    errors = scaling.Errors({"w": [1e-7] * 29 + [1e-3]}, {"w": [1e-7] * 30})
    assert errors.medians() == {"w": (1e-7, 1e-7)}


def test_a_reference_without_a_number_passes_nothing_beside_others_that_have_one() -> None:
    checks = scaling.peer_checks({"a": (1e-7, 1e-7), "w": (1e-7, np.nan), "z": (1e-7, 1e-7)}, "float32")
    assert [(check.tensor, check.passed) for check in checks] == [("w", False)]


@pytest.mark.parametrize("error", [np.nan, np.inf])
def test_one_seed_without_a_number_passes_nothing(error: float) -> None:
    medians = scaling.Errors({"w": [error, *[1e-7] * 29]}, {"w": [1e-7] * 30}).medians()
    assert [check.passed for check in scaling.peer_checks(medians, "float32")] == [False]
    assert [check.passed for check in scaling.scaling_checks(medians, {"w": (1e-16, 1e-16)})] == [False]


def test_a_hidden_float32_does_not_scale(clean: dict) -> None:
    secret = errors(SecretlySingle, "float64")
    (check,) = scaling.scaling_checks(clean["float32"], secret)
    assert (check.tensor, check.passed) == ("velocity:dense1.weight", False)
    (check,) = scaling.peer_checks(secret, "float64")
    assert not check.passed


@pytest.mark.parametrize(("ratio", "passed"), [(1.0, True), (7.9, True), (8.1, False), (1 / 8.1, False)])
def test_the_ratio_is_bounded_on_both_sides(ratio: float, passed: bool) -> None:
    single, double = {"w": (100 * U32 * ratio, 1.0)}, {"w": (100 * U64, 1.0)}
    assert [check.passed for check in scaling.scaling_checks(single, double)] == [passed]


def test_what_is_below_a_rounding_counts_as_one() -> None:
    assert [c.passed for c in scaling.scaling_checks({"w": (0.0, 0.0)}, {"w": (0.0, 0.0)})] == [True]
