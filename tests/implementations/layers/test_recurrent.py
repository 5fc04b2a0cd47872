"""The loop over time, against the same loop number by number, and its way back against slopes through all steps."""

import numpy as np
import pytest

from implementations.equivalence import tolerances
from implementations.layers.recurrent import recurrent_numpy as recurrent
from tests.implementations.layers.test_cells import GATES, cell_of, unit
from tests.support.gradients import assert_near, by_complex_step

SIZES = [(2, 4, 3, 5), (1, 1, 1, 1), (3, 2, 4, 4), (4, 5, 2, 3)]
"""Samples, steps, features, units. Square weights: taking one the wrong way round does not fail by itself."""


def arrays(name, samples, length, features, width):
    """x, W, U, b, and in a GRU d."""
    rng, columns = np.random.default_rng(6), GATES[name] * width
    shapes = [(samples, length, features), (features, columns), (width, columns), (columns,)]
    return [rng.normal(size=shape) for shape in (*shapes, *([(columns,)] if name == "gru" else []))]


def by_loops(name, x, weight, recurrent_weight, bias, recurrent_bias=None):
    """h_t of every unit at every step: what it reads is added up one by one."""
    samples, length, features = x.shape
    width, gates = len(recurrent_weight), GATES[name]
    states = np.empty((samples, length, width))
    for b in range(samples):
        h, c = [0.0] * width, [0.0] * width
        for t in range(length):
            after = []
            for j in range(width):
                columns = [gate * width + j for gate in range(gates)]
                xw = [bias[k] + sum(x[b, t, d] * weight[d, k] for d in range(features)) for k in columns]
                hu = [sum(h[i] * recurrent_weight[i, k] for i in range(width)) for k in columns]
                if recurrent_bias is not None:
                    hu = [number + recurrent_bias[k] for number, k in zip(hu, columns, strict=True)]
                after.append(unit(name, xw, hu, h[j], c[j]))
            h, c = ([pair[k] for pair in after] for k in (0, 1))
            states[b, t] = h
    return states


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", GATES)
def test_states_are_those_of_the_loops(name, size):
    given = arrays(name, *size)
    states, _ = recurrent.forward(cell_of(name), *given)
    assert_near(states, by_loops(name, *given), tolerances.ORACLE["reference"])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", GATES)
def test_gradients_are_the_slopes_through_all_steps(name, size):
    given, cell = arrays(name, *size), cell_of(name)
    states, cache = recurrent.forward(cell, *given)
    dstates = np.random.default_rng(7).normal(size=states.shape)
    gradients = recurrent.backward(cell, dstates, given[1], given[2], cache)
    for place, array in enumerate(given):

        def total(moved, place=place):
            arguments = [moved if k == place else other for k, other in enumerate(given)]
            return (recurrent.forward(cell, *arguments)[0] * dstates).sum()

        assert_near(gradients[place], by_complex_step(total, array))


def test_the_two_biases_of_a_gru_have_one_gradient_but_for_the_candidates():
    given = arrays("gru", *SIZES[0])
    states, cache = recurrent.forward(cell_of("gru"), *given)
    *_, dbias, drecurrent_bias = recurrent.backward(cell_of("gru"), states, given[1], given[2], cache)
    gates = 2 * states.shape[-1]
    np.testing.assert_array_equal(dbias[:gates], drecurrent_bias[:gates])
    assert (dbias[gates:] != drecurrent_bias[gates:]).all()


@pytest.mark.parametrize("name", GATES)
def test_a_state_knows_nothing_of_other_samples_and_of_what_is_still_to_come(name):
    x, *weights = arrays(name, 3, 5, 2, 4)
    states, _ = recurrent.forward(cell_of(name), x, *weights)
    other = x.copy()
    other[1, 3] = np.nan
    seen, _ = recurrent.forward(cell_of(name), other, *weights)
    assert np.isnan(seen[1, 3:]).all()
    np.testing.assert_array_equal(np.delete(seen, 1, axis=0), np.delete(states, 1, axis=0))
    np.testing.assert_array_equal(seen[1, :3], states[1, :3])


def test_the_first_step_remembers_nothing():
    given, cell = arrays("lstm", 3, 1, 2, 4), cell_of("lstm")
    states, cache = recurrent.forward(cell, *given)
    assert not recurrent.backward(cell, states, given[1], given[2], cache)[2].any(), "the gradient of U"
    louder = [array * (2 if place == 2 else 1) for place, array in enumerate(given)]
    np.testing.assert_array_equal(recurrent.forward(cell, *louder)[0], states)


def test_the_last_state_and_its_way_back():
    states = np.arange(24.0).reshape(2, 3, 4)
    last = recurrent.last(states)
    np.testing.assert_array_equal(last, states[:, 2])
    dstates = recurrent.backward_from_last(last, 3)
    np.testing.assert_array_equal(dstates, np.where(np.arange(3)[:, None] == 2, states, 0))


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
@pytest.mark.parametrize("name", GATES)
def test_number_type_is_kept(name, dtype):
    given = [array.astype(dtype) for array in arrays(name, *SIZES[0])]
    states, cache = recurrent.forward(cell_of(name), *given)
    last = recurrent.backward_from_last(recurrent.last(states), states.shape[1])
    gradients = recurrent.backward(cell_of(name), last, given[1], given[2], cache)
    assert {array.dtype for array in (states, last, *gradients)} == {np.dtype(dtype)}
