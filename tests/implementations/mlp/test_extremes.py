"""States and batches that careless arithmetic does not survive: each is extreme in what its name says, and in nothing else."""

import numpy as np
import pytest

from implementations import initialisation
from implementations.contract import Arrays
from implementations.mlp.extremes import extremes
from implementations.mlp.spec import MLPSpec
from tests.support import batches
from tests.support.mlp.small_models import assert_same, oracle

SPEC = MLPSpec(features=6, hidden=(8, 7), classes=4, batch=32)
WITHOUT_NORM = SPEC.changed(batch_norm=False)
WITHOUT_HIDDEN = SPEC.changed(hidden=(), dropout=0.0)


def starts(spec: MLPSpec = SPEC) -> tuple[Arrays, Arrays, Arrays, dict[str, tuple[Arrays, Arrays]]]:
    """A hot state, the same with zeroed slots, a batch, and what is made of them."""
    hot, batch = initialisation.hot_state(spec), batches.one(spec)
    zeroed = initialisation.zeroed_slots(spec, hot)
    return hot, zeroed, batch, extremes(spec, hot, zeroed, batch)


def changed(before: Arrays, after: Arrays) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not np.array_equal(before[name], after[name])}


STATES = {
    "large logits": {"output.weight", "output.bias"},
    "large activations": {"norm1.gamma", "norm1.beta"},
    "features far from zero": {"norm1.beta", "norm2.beta"},
    "idle units": {"dense1.weight", "norm1.gamma", "norm1.beta", "dense2.weight", "norm2.gamma", "norm2.beta"},
}
INPUTS = {
    "features far from zero", "constant features", "large features", "small features", "constant features, hot",
}  # fmt: skip


def test_nothing_but_what_the_name_says_is_changed() -> None:
    hot, zeroed, batch, made = starts()
    assert set(STATES) | INPUTS == set(made)
    for name, (state, inputs) in made.items():
        assert changed(hot if name == "constant features, hot" else zeroed, state) == STATES.get(name, set()), name
        assert changed(batch, inputs) == ({"x"} if name in INPUTS else set()), name


@pytest.mark.parametrize("spec", [SPEC, WITHOUT_NORM, WITHOUT_HIDDEN], ids=["norm", "no norm", "no hidden layer"])
def test_what_was_given_stays_as_it_was(spec: MLPSpec) -> None:
    hot, zeroed, batch, made = starts(spec)
    assert_same(hot, initialisation.hot_state(spec))
    assert_same(zeroed, initialisation.zeroed_slots(spec, hot))
    assert_same(batch, batches.one(spec))
    assert {name for name, (state, _) in made.items() if state is hot} == {"constant features, hot"}


@pytest.mark.parametrize("spec", [SPEC, WITHOUT_NORM, WITHOUT_HIDDEN], ids=["norm", "no norm", "no hidden layer"])
def test_everything_can_be_begun_in_float32(spec: MLPSpec) -> None:
    for state, batch in starts(spec)[-1].values():
        for name, value in (state | batch).items():
            assert np.isfinite(value).all(), name
        np.testing.assert_array_equal(batch["x"], batch["x"].astype(np.float32).astype(np.float64))


def test_features_are_as_extreme_as_their_name_says() -> None:
    _, _, batch, made = starts()
    inputs = {name: start[1]["x"] for name, start in made.items()}
    far, constant = inputs["features far from zero"], inputs["constant features"]
    assert (np.abs(far.mean(axis=0)) > 500 * far.std(axis=0)).all()
    assert list(np.flatnonzero(np.ptp(constant, axis=0) == 0)) == [0, 1]
    assert tuple(constant[0, :2]) == (1.0, 0.0)
    np.testing.assert_array_equal(inputs["constant features, hot"], constant)
    np.testing.assert_array_equal(inputs["large features"] / 2.0**20, batch["x"])
    np.testing.assert_array_equal(inputs["small features"] * 2.0**20, batch["x"])


def test_states_are_as_extreme_as_their_name_says() -> None:
    made = starts()[-1]
    state, batch = made["large logits"]
    assert np.abs(oracle(SPEC, state).predict(batch)).max() > 100, "exp(100) is beyond float32"
    assert np.abs(made["large activations"][0]["norm1.gamma"]).max() > 50
    decided = made["features far from zero"][0]
    assert all((np.abs(decided[f"norm{i}.beta"]) == 8).all() for i in (1, 2))


@pytest.mark.parametrize("spec", [SPEC, WITHOUT_NORM], ids=["norm", "no norm"])
def test_idle_units_see_nothing_or_stand_at_zero(spec: MLPSpec) -> None:
    state, batch = starts(spec)[-1]["idle units"]
    model = oracle(spec, state)
    masks = {name: np.ones(mask.shape) for name, mask in spec.masks(spec.batch).items()}
    model.repeat_step(batch, masks)
    for name, branch in model.branches().items():
        inputs = branch.lead
        assert np.ptp(inputs[:, 0]) == 0, name
        assert not inputs[:, -1].any(), name
        assert inputs[:, 1:-1].any(), name
