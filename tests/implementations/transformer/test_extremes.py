"""States and batches that careless arithmetic does not survive, NaN, and what a prediction must not look at."""

from typing import Any

import numpy as np
import pytest

from implementations import initialisation
from implementations.contract import Arrays
from implementations.layers.attention import attention_numpy as attention
from implementations.transformer.extremes import extremes, not_looked_at, poisoned
from tests.support import batches
from tests.support.transformer.small_models import SHAPES, oracle, small_spec

each_shape = pytest.mark.parametrize("shape", SHAPES)
TABLES = {"embedding.weight", "positions.weight"}
INPUTS = {"equal tokens", "equal tokens, hot"}
SILENT = {"silent steps"}
"""Of rows alone: a token says something in any case."""


def starts(spec: Any) -> tuple[Arrays, Arrays, Arrays, dict[str, tuple[Arrays, Arrays]]]:
    """A hot state, the same with zeroed slots, a batch, and what is made of them."""
    hot, batch = initialisation.hot_state(spec), batches.one(spec)
    zeroed = initialisation.zeroed_slots(spec, hot)
    return hot, zeroed, batch, extremes(spec, hot, zeroed, batch)


def changed(before: Arrays, after: Arrays) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not np.array_equal(before[name], after[name])}


@each_shape
def test_nothing_but_what_the_name_says_is_changed(shape: str) -> None:
    spec = small_spec(**SHAPES[shape])
    hot, zeroed, batch, made = starts(spec)
    of_blocks = range(1, spec.blocks + 1)
    states = {
        "large logits": {"output.weight"},
        "large scores": {f"attention{i}.{name}" for i in of_blocks for name in ("query", "key")},
        "small stream": TABLES,
        "large stream": TABLES,
        "far from zero": {"positions.weight"},
        "idle units": {"norm.gamma"} | {f"{norm}_norm{i}.gamma" for norm in ("attention", "feed_forward") for i in of_blocks},
    }  # fmt: skip
    assert set(made) == set(states) | INPUTS | (set() if spec.vocabulary else SILENT)
    for name, (state, inputs) in made.items():
        assert changed(hot if name.endswith("hot") else zeroed, state) == states.get(name, set()), name
        assert changed(batch, inputs) == ({"x"} if name in INPUTS | SILENT else set()), name
        assert all(np.isfinite(value).all() for value in (state | inputs).values())
        np.testing.assert_array_equal(inputs["x"], inputs["x"].astype(np.float32).astype(inputs["x"].dtype))
    assert changed(hot, initialisation.hot_state(spec)) == changed(batch, batches.one(spec)) == set()


@pytest.mark.parametrize("shape", ["tokens, every", "rows, mean"])
def test_what_is_extreme_is_so(shape: str) -> None:
    """Exponentials of logits overflow in float64 too, a mask of -1e4 would leak, variances are far below epsilon."""
    spec = small_spec(**SHAPES[shape], norm_epsilon=1e-5)
    *_, made = starts(spec)
    (loud, batch), (asking, _), (small, _), (far, _), (idle, _) = (
        made[name] for name in ("large logits", "large scores", "small stream", "far from zero", "idle units")
    )
    assert np.abs(oracle(spec, loud).predict(batch)).max() > np.log(np.finfo(float).max)
    n = np.random.default_rng(0).normal(size=(2, spec.length, spec.width))
    q, k = (attention.split(n @ asking[f"attention1.{name}"], spec.heads) for name in ("query", "key"))
    assert np.abs(attention.scores(q, k, causal=False)).max() > 1e5
    if spec.vocabulary:
        assert small["embedding.weight"].var() < spec.norm_epsilon / 10
    assert (np.abs(far["positions.weight"].mean(axis=-1)) > 99).all()
    assert not idle["norm.gamma"][::2].any()
    assert idle["norm.gamma"][1::2].all()


@each_shape
def test_nan_reaches_the_logits_of_its_sequence_alone(shape: str) -> None:
    spec = small_spec(**SHAPES[shape])
    _, zeroed, batch, _ = starts(spec)
    state, inputs, reached = poisoned(spec, zeroed, batch)
    logits = np.isnan(oracle(spec, state).predict(inputs))
    np.testing.assert_array_equal(logits.all(axis=-1), reached)
    np.testing.assert_array_equal(logits.any(axis=-1), reached)
    assert (reached.any(), reached.all()) == (True, False)
    assert changed(zeroed, state) == ({"embedding.weight"} if spec.vocabulary else set())
    assert not any(np.isnan(value).any() for value in zeroed.values())
    np.testing.assert_array_equal(batch["x"], batches.one(spec)["x"])


@each_shape
def test_what_must_not_look_at_other_inputs_does_not(shape: str) -> None:
    spec = small_spec(**SHAPES[shape])
    batch = batches.one(spec)
    found = not_looked_at(spec, batch)
    if spec.outputs == "mean" or spec.length == 1:
        assert found is None
        return
    assert found is not None
    other, same = found
    np.testing.assert_array_equal(
        (batch["x"] == other["x"]).reshape(*same.shape, -1).all(axis=-1), same, "inputs are others where logits may be"
    )
    np.testing.assert_array_equal(same, np.broadcast_to(np.arange(spec.length) < spec.length // 2, same.shape))
    np.testing.assert_array_equal(batch["x"], batches.one(spec)["x"])
