"""The seeded arrays from which every implementation starts."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from implementations import initialisation
from implementations.contract import Arrays
from implementations.declarations import BatchArray, Tensor
from implementations.mlp.spec import MLPSpec
from tests.support import batches
from tests.support.mlp.small_models import assert_same

SPEC = MLPSpec(features=20, hidden=(30, 40), classes=7, batch=64, optimizer={"kind": "adamw"})
STATES: dict[str, Callable[[MLPSpec], Arrays]] = {
    "initial": initialisation.initial_state,
    "hot": initialisation.hot_state,
}
ELSEWHERE: Any = SimpleNamespace(
    seed=3,
    arrays=lambda: {
        "tokens": BatchArray((16, 12), "input", below=50),
        "image": BatchArray((16, 6, 6, 3), "input"),
        "next": BatchArray((16, 12), "target", below=50),
    },
    tensors=lambda: {
        "conv.weight": Tensor((3, 3, 8, 16), "parameter", initial="normal", deviation=0.02, decays=True),
        "norm.scale": Tensor((400,), "parameter", initial="ones"),
        "squares": Tensor((400,), "slot", of="norm.scale", positive=True),
        "shifts": Tensor((400,), "slot", of="norm.scale"),
        "steps": Tensor((), "counter"),
    },
)
"""Another specification than ours: other names, more axes, whole numbers to read."""
both = pytest.mark.parametrize("make", STATES.values(), ids=STATES)


@both
def test_a_state_has_every_tensor_in_its_shape(make: Callable[[MLPSpec], Arrays]) -> None:
    state = make(SPEC)
    assert {name: value.shape for name, value in state.items()} == {
        name: tensor.shape for name, tensor in SPEC.tensors().items()
    }


@both
def test_a_state_is_the_same_for_the_same_seed_and_another_for_another(make: Callable[[MLPSpec], Arrays]) -> None:
    assert_same(make(SPEC), make(SPEC))
    other = make(SPEC.changed(seed=5))
    for name, tensor in SPEC.tensors().items():
        if name.endswith(".weight") and tensor.role == "parameter":
            assert not np.array_equal(make(SPEC)[name], other[name]), name


@both
def test_every_value_is_finite_and_on_the_grid_of_float32(make: Callable[[MLPSpec], Arrays]) -> None:
    for name, value in make(SPEC).items():
        assert value.dtype == np.float64
        assert np.isfinite(value).all()
        np.testing.assert_array_equal(value, value.astype(np.float32).astype(np.float64), err_msg=name)


@both
def test_the_precision_does_not_change_where_it_starts(make: Callable[[MLPSpec], Arrays]) -> None:
    assert_same(make(SPEC.changed(precision="float32")), make(SPEC.changed(precision="float64")))


@both
def test_a_further_layer_does_not_redraw_the_others(make: Callable[[MLPSpec], Arrays]) -> None:
    deeper = make(SPEC.changed(hidden=(30, 40, 50)))
    state = make(SPEC)
    for name in state:
        if not name.endswith("output.weight"):
            np.testing.assert_array_equal(state[name], deeper[name], err_msg=name)


@both
def test_no_two_tensors_share_their_numbers(make: Callable[[MLPSpec], Arrays]) -> None:
    square = make(SPEC.changed(features=30, hidden=(30, 30), classes=30))
    drawn = [value for value in square.values() if np.unique(value).size > 2]
    assert len({value.tobytes() for value in drawn}) == len(drawn) > 2
    first, second = square["dense1.weight"].ravel(), square["dense2.weight"].ravel()
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.15


def test_training_starts_from_he_normal_weights_and_from_nothing_else_that_is_random() -> None:
    state = initialisation.initial_state(SPEC.changed(features=500, hidden=(400, 300)))
    for name, fan_in in (("dense1.weight", 500), ("dense2.weight", 400), ("output.weight", 300)):
        weights = state[name]
        assert abs(weights.std() / np.sqrt(2 / fan_in) - 1) < 0.05
        assert abs(weights.mean()) < 4 * np.sqrt(2 / fan_in / weights.size)
    for name, value in state.items():
        if name.endswith((".gamma", ".running_variance")) and ":" not in name:
            assert (value == 1).all(), name
        elif not (name.endswith(".weight") and ":" not in name):
            assert (value == 0).all(), name


def test_the_hot_state_holds_nothing_that_is_0_or_1() -> None:
    state = initialisation.hot_state(SPEC)
    for name, value in state.items():
        assert not np.isin(value, [0.0, 1.0]).any(), name
    assert state["step"] == 7
    for name, value in state.items():
        if name.endswith("running_variance") or name.startswith("v:"):
            assert (value > 0).all(), name
    assert not np.array_equal(state["dense1.weight"], initialisation.hot_state(SPEC, seed=2)["dense1.weight"])


def test_scales_of_the_hot_state_have_both_signs_and_variances_do_not() -> None:
    hot = initialisation.hot_state(SPEC)
    assert {*np.sign(hot["norm1.gamma"])} == {-1, 1}
    assert (hot["norm1.running_variance"] > 0).all()


@pytest.mark.parametrize("optimizer", [{"kind": "sgd"}, {"kind": "adam"}])
def test_zeroed_slots_forget_the_optimizer_and_nothing_else(optimizer: dict[str, Any]) -> None:
    spec = SPEC.changed(optimizer=optimizer)
    hot = initialisation.hot_state(spec)
    before = {name: value.copy() for name, value in hot.items()}
    zeroed = initialisation.zeroed_slots(spec, hot)
    assert_same(hot, before)
    for name, tensor in spec.tensors().items():
        expected = np.zeros(tensor.shape) if tensor.role in ("slot", "counter") else hot[name]
        np.testing.assert_array_equal(zeroed[name], expected, err_msg=name)


def test_batches_are_seeded_and_each_is_its_own() -> None:
    first, again = initialisation.batches(SPEC, 3), initialisation.batches(SPEC, 3)
    for batch, same in zip(first, again, strict=True):
        assert_same(batch, same)
    assert {name: len({batch[name].tobytes() for batch in first}) for name in SPEC.arrays()} == {"x": 3, "y": 3}
    assert not np.array_equal(first[0]["x"], batches.one(SPEC, seed=9)["x"])
    assert_same(first[0], batches.one(SPEC))


def test_batches_have_the_specifications_shape_and_every_class() -> None:
    for batch in initialisation.batches(SPEC, 4):
        assert {name: array.shape for name, array in batch.items()} == {"x": (64, 20), "y": (64,)}
        x, y = batch["x"], batch["y"]
        assert y.dtype.kind == "i"
        assert set(np.unique(y)) == set(range(7))
        assert abs(x.mean()) < 0.15
        assert abs(x.std() - 1) < 0.1
        np.testing.assert_array_equal(x, x.astype(np.float32).astype(np.float64))


@both
def test_nothing_is_so_small_that_flushing_subnormals_would_matter(make: Callable[[MLPSpec], Arrays]) -> None:
    arrays = [*make(SPEC).values(), *(batch["x"] for batch in initialisation.batches(SPEC, 8))]
    for values in arrays:
        assert np.abs(values[values != 0]).min(initial=1.0) > 1e-30


def test_a_state_of_another_specification_is_as_its_tensors_say() -> None:
    initial, hot = initialisation.initial_state(ELSEWHERE), initialisation.hot_state(ELSEWHERE)
    for state in (initial, hot):
        assert {name: value.shape for name, value in state.items()} == {
            name: tensor.shape for name, tensor in ELSEWHERE.tensors().items()
        }
        assert abs(state["conv.weight"].std() / 0.02 - 1) < 0.1
        assert abs(state["conv.weight"].mean()) < 0.002
    assert (initial["norm.scale"] == 1).all()
    assert not any(initial[name].any() for name in ("squares", "shifts", "steps"))
    assert (hot["squares"] > 0).all()
    assert (hot["shifts"] < 0).any()
    assert {*np.sign(hot["norm.scale"])} == {-1, 1}
    assert hot["steps"] == 7
    zeroed = initialisation.zeroed_slots(ELSEWHERE, hot)
    assert [name for name, value in zeroed.items() if not value.any()] == ["squares", "shifts", "steps"]


def test_a_batch_of_another_specification_is_as_its_arrays_say() -> None:
    batch = batches.one(ELSEWHERE)
    assert {name: (array.shape, array.dtype.kind) for name, array in batch.items()} == {
        "tokens": ((16, 12), "i"), "image": ((16, 6, 6, 3), "f"), "next": ((16, 12), "i"),
    }  # fmt: skip
    for name in ("tokens", "next"):
        assert 0 <= batch[name].min() < 5
        assert 45 <= batch[name].max() < 50
    assert not np.array_equal(batch["tokens"], batch["next"])
    assert not (batch["tokens"] % 10 == 3).any()
    assert (batch["next"] % 10 == 3).any()
    assert abs(batch["image"].std() - 1) < 0.1
