"""The optimizers in NumPy, and what parameters must be given their slots, against the scalar reference in 50 digits."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from implementations.declarations import Tensor
from implementations.equivalence import from_slots, tolerances
from implementations.layers.optimizer import optimizer_numpy as optimizer
from tests.support.gradients import assert_near, floats
from tests.support.mlp import scalar_reference as reference
from tests.support.mlp.scalar_reference import exact, mp

MOMENTS: dict[str, Any] = {
    "kind": "adam", "learning_rate": 0.02, "beta1": 0.85, "beta2": 0.98, "epsilon": 1e-3, "epsilon_form": "algorithm1",
}  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "sgd": {"kind": "sgd", "learning_rate": 0.07, "momentum": 0.7},
    "sgd-plain": {"kind": "sgd", "learning_rate": 0.07, "momentum": 0.0},
    "adam": MOMENTS,
    "adam-hat": MOMENTS | {"epsilon_form": "hat"},
    "adam-without-memory": MOMENTS | {"beta1": 0.0, "beta2": 0.0},
    "adamw": MOMENTS | {"kind": "adamw", "weight_decay": 0.1},
    "adamw-hat": MOMENTS | {"kind": "adamw", "weight_decay": 0.1, "epsilon_form": "hat"},
}
SHAPE = (3, 2)


def settings_of(name):
    slots = ("m", "v") if SETTINGS[name]["kind"] != "sgd" else ("velocity",) if SETTINGS[name]["momentum"] else ()
    return SimpleNamespace(**SETTINGS[name], slots=slots)


def before(settings, dtype=np.float64):
    """A parameter, its gradient and its slots in the middle of training."""
    rng = np.random.default_rng(7)
    w, g, velocity, m, v = (rng.normal(size=SHAPE).astype(dtype) for _ in range(5))
    slots = {"velocity": velocity, "m": m, "v": v * v}
    return w, g, {slot: slots[slot] for slot in settings.slots}


def referenced(settings, w, g, slots, step, decays):
    """Parameter and slots after the scalar reference's step."""
    w, g, *slots = ([exact(row) for row in array.tolist()] for array in (w, g, *slots.values()))
    for vectors in zip(w, g, *slots, strict=True):
        if settings.kind == "sgd":
            reference.sgd(settings, *vectors)
        else:
            decay = settings.weight_decay if settings.kind == "adamw" and decays else 0
            reference.adam(settings, step, mp.mpf(decay), *vectors)
    return [floats(array) for array in (w, *slots)]


@pytest.mark.parametrize("step", [1, 8, 3000])
@pytest.mark.parametrize("decays", [False, True])
@pytest.mark.parametrize("name", SETTINGS)
def test_an_update_is_the_scalar_references(name, decays, step):
    settings = settings_of(name)
    w, g, slots = before(settings)
    new, after = optimizer.update(w, g, slots, step, settings, decays)
    assert tuple(after) == settings.slots
    for actual, truth in zip((new, *after.values()), referenced(settings, w, g, slots, step, decays), strict=True):
        # At step 1 the rounding of beta is in a difference as small as 1 - beta.
        assert_near(actual, truth, tolerances.ORACLE["reference"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("name", SETTINGS)
def test_number_type_is_kept_and_nothing_written_to(name, dtype):
    settings = settings_of(name)
    given = before(settings, dtype)
    w, g, slots = before(settings, dtype)
    new, after = optimizer.update(w, g, slots, 3, settings, True)
    assert {array.dtype for array in (new, *after.values())} == {np.dtype(dtype)}
    for array, copy in zip((w, g, *slots.values()), (*given[:2], *given[2].values()), strict=True):
        assert np.array_equal(array, copy)


@pytest.mark.parametrize("form", ["algorithm1", "hat"])
def test_adams_first_step_is_as_large_as_the_learning_rate(form):
    """From slots of zero the corrected moments are g and g^2, whatever the gradient's size."""
    settings = SimpleNamespace(**MOMENTS | {"epsilon": 1e-300, "epsilon_form": form})
    g = np.array([1e-8, -3.0, 1e8])
    zeros = {"m": np.zeros(3), "v": np.zeros(3)}
    w, _ = optimizer.adam(np.zeros(3), g, zeros, 1, settings)
    assert_near(w, -0.02 * np.sign(g), 1e-14)


def test_steps_are_counted_beyond_what_half_precision_can():
    settings = SimpleNamespace(**MOMENTS | {"beta2": 0.9999}, slots=("m", "v"))
    w, g, slots = before(settings)
    new, _ = optimizer.update(w, g, slots, 3000, settings, False)
    assert_near(new, referenced(settings, w, g, slots, 3000, False)[0], tolerances.ORACLE["reference"])


@pytest.mark.parametrize("name", SETTINGS)
def test_a_large_parameter_is_updated_number_by_number(name):
    settings = settings_of(name)
    w, g, slots = before(settings)
    expected, expected_slots = optimizer.update(w, g, slots, 3, settings, True)
    large = {slot: np.tile(value, (2**17, 1)) for slot, value in slots.items()}
    new, after = optimizer.update(np.tile(w, (2**17, 1)), np.tile(g, (2**17, 1)), large, 3, settings, True)
    for many, few in zip((new, *after.values()), (expected, *expected_slots.values()), strict=True):
        assert np.array_equal(many, np.tile(few, (2**17, 1)))


def test_a_weight_decay_of_zero_is_none():
    settings = SimpleNamespace(**SETTINGS["adamw"] | {"weight_decay": 0.0}, slots=("m", "v"))
    w, g, slots = before(settings)
    without, _ = optimizer.adam(w, g, slots, 3, settings)
    assert np.array_equal(optimizer.update(w, g, slots, 3, settings, True)[0], without)


def test_weight_decay_is_apart_from_the_gradient():
    settings = settings_of("adamw")
    w, _, _ = before(settings)
    zeros = {"m": np.zeros(SHAPE), "v": np.zeros(SHAPE)}
    decayed, after = optimizer.update(w, np.zeros(SHAPE), zeros, 1, settings, True)
    assert_near(decayed, w * (1 - 0.02 * 0.1))
    assert not np.any(after["m"])
    still, _ = optimizer.update(w, np.zeros(SHAPE), zeros, 1, settings, False)
    assert np.array_equal(still, w)


# --- parameters from slots ---


def followed(name, step, dtype=np.float64):
    """A step on a weight, which decays, and a bias, which does not: state before, after, and what is expected of it."""
    settings = settings_of(name)
    tensors = {"weight": Tensor(SHAPE, "parameter", decays=True), "bias": Tensor(SHAPE, "parameter")}
    tensors |= {f"{slot}:{name}": Tensor(SHAPE, "slot", of=name) for slot in settings.slots for name in tensors}
    spec = SimpleNamespace(optimizer=settings, tensors=lambda: tensors)
    w, g, slots = before(settings, dtype)
    old, new = {"weight": w, "bias": w}, {"step": np.asarray(float(step))}
    for parameter in old:
        decays = tensors[parameter].decays
        new[parameter], after = optimizer.update(w, g, slots, step, settings, decays)
        new |= {f"{slot}:{parameter}": value for slot, value in after.items()}
    return new, from_slots.parameters(spec, old, new)


@pytest.mark.parametrize("step", [1, 8, 3000])
@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "sgd-plain"])
def test_parameters_follow_from_their_slots(name, step):
    after, expected = followed(name, step)
    assert set(expected) == {"weight", "bias"}
    assert all(check.passed for check in tolerances.elementwise("", "", after, expected, 2.0**-53))
    after["bias"][1, 1] *= 1 + 1e-13
    assert not all(check.passed for check in tolerances.elementwise("", "", after, expected, 2.0**-53))


def test_a_parameter_without_slots_is_left_out():
    assert followed("sgd-plain", 1)[1] == {}


def test_expected_parameters_are_those_of_50_digits():
    """At the first step 1 - beta2 of Adam's defaults keeps 13 of a double's 16 digits, where it is not computed as here."""
    settings = SimpleNamespace(**MOMENTS | {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}, slots=("m", "v"))
    spec = SimpleNamespace(optimizer=settings, tensors=lambda: {"weight": Tensor(SHAPE, "parameter")})
    w, _, slots = before(settings)
    after = {"step": np.asarray(1.0)} | {f"{slot}:weight": value for slot, value in slots.items()}
    expected, _, _ = from_slots.parameters(spec, {"weight": w}, after)["weight"]
    one, two = 1 - mp.mpf(0.9), 1 - mp.mpf(0.999)
    truth = [
        float(w_k - mp.mpf(0.02) * (m_k / one) / (mp.sqrt(v_k / two) + mp.mpf(1e-8)))
        for w_k, m_k, v_k in zip(*(exact(array.ravel().tolist()) for array in (w, *slots.values())), strict=True)
    ]
    assert_near(expected.ravel(), truth)
