"""States and batches that careless arithmetic does not survive, NaN, and gradients on either side of clipping."""

from typing import Any

import numpy as np
import pytest

from implementations import initialisation
from implementations.contract import Arrays
from implementations.equivalence import strays
from implementations.equivalence.kit import CLIPPING, HOT, ZEROED, Kit
from implementations.frameworks import numpy_adapter
from implementations.rnn.extremes import extremes, poisoned
from implementations.rnn.spec import RNNSpec
from tests.support import batches
from tests.support.rnn.cases import CASES, SMALL
from tests.support.rnn.small_models import CELLS, SHAPES, oracle, small_spec

KIT = Kit("rnn", "numpy", numpy_adapter, "cpu")
EMBEDDED = {"small inputs", "large inputs"}
STATES = {
    "large logits": {"output.weight", "output.bias"},
    "strong memory": {"rnn1.recurrent_weight", "rnn2.recurrent_weight"},
    "decided gates": {"rnn1.bias", "rnn2.bias"},
}
INPUTS = EMBEDDED | {"constant sequences", "constant sequences, hot"}
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


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cell", CELLS)
def test_nothing_but_what_the_name_says_is_changed(cell: str, shape: str) -> None:
    spec = small_spec(**SHAPES[shape], cell=cell)
    hot, zeroed, batch, made = starts(spec)
    assert set(STATES) | INPUTS | (set() if spec.vocabulary else SILENT) == set(made)
    for name, (state, inputs) in made.items():
        embedded = spec.vocabulary and name in EMBEDDED
        of_state = {"embedding.weight"} if embedded else STATES.get(name, set())
        assert changed(hot if name.endswith("hot") else zeroed, state) == of_state, name
        assert changed(batch, inputs) == ({"x"} if name in INPUTS | SILENT and not embedded else set()), name
        assert all(np.isfinite(value).all() for value in (state | inputs).values())
        np.testing.assert_array_equal(inputs["x"], inputs["x"].astype(np.float32).astype(inputs["x"].dtype))
    assert changed(hot, initialisation.hot_state(spec)) == changed(batch, batches.one(spec)) == set()


@pytest.mark.parametrize("cell", CELLS)
def test_gates_are_decided_for_each_half_of_the_units(cell: str) -> None:
    spec = small_spec(hidden=(2, 5), cell=cell)
    _, zeroed, _, made = starts(spec)
    sides = np.tile([4, 4, 4, -4, -4], len(zeroed["rnn2.bias"]) // 5)
    np.testing.assert_array_equal(made["decided gates"][0]["rnn2.bias"], zeroed["rnn2.bias"] + sides)


# NaN


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cell", CELLS)
def test_nan_reaches_the_logits_of_its_step_and_of_those_after_it_alone(cell: str, shape: str) -> None:
    spec = small_spec(**SHAPES[shape], cell=cell)
    _, zeroed, batch, _ = starts(spec)
    state, inputs, reached = poisoned(spec, zeroed, batch)
    assert np.array_equal(np.isnan(oracle(spec, state).predict(inputs)).all(axis=-1), reached)
    assert np.array_equal(np.isnan(oracle(spec, state).predict(inputs)).any(axis=-1), reached)
    assert reached.any()
    assert not reached.all()
    assert changed(zeroed, state) == ({"embedding.weight"} if spec.vocabulary else set())
    assert not any(np.isnan(value).any() for value in zeroed.values())
    assert not np.isnan(batch["x"]).any()
    if spec.outputs == "every":
        assert not reached[0, : spec.length // 2].any() or spec.vocabulary
        assert reached[0, spec.length // 2 :].all()


# Clipping


def sides(spec: Any) -> dict[str, float]:
    """By start, the norm of its gradients."""
    norms = {}
    for start in KIT.starts(spec):
        model = oracle(spec, start.state)
        norms[start.check] = model.gradient_norm(start.batch, strays.masks(spec, start.samples))
    return norms


@pytest.mark.parametrize("clip_norm", [None, 0.01, 100.0])
@pytest.mark.parametrize("case", CASES)
def test_gradients_are_on_both_sides_of_where_clipping_begins(case: str, clip_norm: float | None) -> None:
    spec = RNNSpec().changed(**SMALL | CASES[case])
    spec = spec if clip_norm is None else spec.changed(clip_norm=clip_norm)
    if not spec.clip_norm:
        assert set(sides(spec)) == {HOT, ZEROED}
        return
    norms = sides(spec)
    lower, upper = sorted([norms[ZEROED], norms[CLIPPING]])
    assert lower < spec.clip_norm < upper
    if norms[CLIPPING] < spec.clip_norm:
        assert norms[CLIPPING] < spec.clip_norm / 1.5
    else:  # what leaves gradients up to twice too long alone is told, under other masks too
        assert spec.clip_norm * 1.4 < norms[CLIPPING] < spec.clip_norm * 1.55


@pytest.mark.parametrize("clip_norm", [1e-9, 1e12])
def test_where_there_is_no_other_side_the_two_starts_are_all(clip_norm: float) -> None:
    assert set(sides(small_spec(clip_norm=clip_norm))) == {HOT, ZEROED}
