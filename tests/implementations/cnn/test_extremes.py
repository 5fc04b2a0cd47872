"""States and batches that careless arithmetic does not survive: each is extreme in what its name says, and in nothing else."""

from typing import Any

import numpy as np
import pytest

from implementations import initialisation
from implementations.cnn.extremes import extremes, poisoned
from implementations.contract import Arrays
from tests.support import batches
from tests.support.cnn.small_models import oracle, small_spec

SPEC = small_spec(image=(8, 6, 2), channels=(4, 5), batch=32)
SPECS = {
    "norm": SPEC,
    "no norm": SPEC.changed(batch_norm=False),
    "no convolution": SPEC.changed(channels=()),
    "no block": SPEC.changed(channels=(), hidden=(), dropout=0.0),
}


def starts(spec: Any = SPEC) -> tuple[Arrays, Arrays, Arrays, dict[str, tuple[Arrays, Arrays]]]:
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
    "images far from zero": {"conv1.weight", "norm1.beta", "norm2.beta", "norm3.beta"},
    "turned channels": {"norm1.gamma", "norm2.gamma", "norm3.gamma"},
}
IMAGES = {"images far from zero", "constant images", "constant images, hot", "large images", "small images"}


def test_nothing_but_what_the_name_says_is_changed() -> None:
    hot, zeroed, batch, made = starts()
    assert set(STATES) | IMAGES | {"idle units"} == set(made)
    for name, (state, inputs) in made.items():
        if name != "idle units":
            assert changed(hot if name == "constant images, hot" else zeroed, state) == STATES.get(name, set()), name
        assert changed(batch, inputs) == ({"x"} if name in IMAGES else set()), name


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_what_was_given_stays_as_it_was_and_everything_can_be_begun_in_float32(spec: Any) -> None:
    hot, zeroed, batch, made = starts(spec)
    assert changed(hot, initialisation.hot_state(spec)) == changed(batch, batches.one(spec)) == set()
    assert changed(zeroed, initialisation.zeroed_slots(spec, hot)) == set()
    for state, inputs in made.values():
        assert all(np.isfinite(value).all() for value in (state | inputs).values())
        np.testing.assert_array_equal(inputs["x"], inputs["x"].astype(np.float32).astype(np.float64))


def test_behind_the_first_convolution_images_are_still_far_from_zero() -> None:
    """With zeros around it, a window of nine such pixels would make edges that are larger than what is lost."""
    state, batch = starts()[-1]["images far from zero"]
    kernel = state["conv1.weight"]
    assert np.count_nonzero(kernel) == kernel[1, 1].size
    z = batch["x"] @ kernel[1, 1]
    ratio = np.abs(z.mean(axis=(0, 1, 2))) / z.std(axis=(0, 1, 2))
    assert np.median(ratio) > 300


def test_idle_units_pass_the_same_at_all_places_or_nothing() -> None:
    state, batch = starts()[-1]["idle units"]
    model = oracle(SPEC, state)
    model.repeat_step(batch, {name: np.ones(mask.shape) for name, mask in SPEC.masks(SPEC.batch).items()})
    for name, branch in model.branches().items():
        assert not branch.lead[..., -1].any(), name
        assert np.ptp(branch.lead[..., 0]) == 0, name
        assert branch.lead[..., 1:-1].any(), name
        if name.startswith("pool"):
            assert not branch.choice[..., 0].any(), "the first of equals"
        else:
            assert branch.choice[..., 0].all(), "and they are above zero"


def test_nan_reaches_the_logits_of_its_image_alone() -> None:
    _, zeroed, batch, _ = starts()
    state, inputs, reached = poisoned(SPEC, zeroed, batch)
    assert changed(zeroed, state) == set()
    assert np.argwhere(np.isnan(inputs["x"])).tolist() == [[0, 0, 0, 0]]
    assert np.array_equal(np.isnan(oracle(SPEC, state).predict(inputs)).all(axis=1), reached)
