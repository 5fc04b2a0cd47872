"""One step of each cell, against its formulas unit by unit, and its way back against slopes."""

import functools
import importlib
import math

import numpy as np
import pytest

from implementations.layers.recurrent import recurrent_numpy as recurrent
from tests.support.gradients import assert_near, by_complex_step

GATES = {"lstm": 4, "gru": 3, "tanh": 1}
SIZES = [(3, 4), (1, 1), (2, 5)]
"""Samples, units."""


def cell_of(name):
    return importlib.import_module(f"implementations.layers.cells.{name}_numpy")


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def unit(name, xw, hu, h, c):
    """One unit: its new h and c, from what each of its gates has of the input (xw) and of the states (hu)."""
    if name == "lstm":
        i, f, g, o = (a + b for a, b in zip(xw, hu, strict=True))
        c = sigmoid(f) * c + sigmoid(i) * math.tanh(g)
        return sigmoid(o) * math.tanh(c), c
    if name == "gru":
        r, z = sigmoid(xw[0] + hu[0]), sigmoid(xw[1] + hu[1])
        return (1 - z) * math.tanh(xw[2] + r * hu[2]) + z * h, c
    return math.tanh(xw[0] + hu[0]), c


def arrays(name, samples, width):
    """xw and hu with a block of columns for each gate, and h and c as far as the cell has them."""
    rng = np.random.default_rng(4)
    xw, hu = (2 * rng.normal(size=(samples, GATES[name] * width)) for _ in range(2))
    return xw, hu, *(rng.normal(size=(samples, width)) for _ in range(cell_of(name).MEMORIES))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", GATES)
def test_a_step_is_the_formulas_unit_by_unit(name, size):
    xw, hu, h, *c = arrays(name, *size)
    memory, _ = cell_of(name).step(xw, hu, (h, *c))
    assert len(memory) == 1 + len(c)
    for b, j in np.ndindex(h.shape):
        gates = slice(j, None, size[1])
        truth = unit(name, xw[b, gates].tolist(), hu[b, gates].tolist(), h[b, j], c[0][b, j] if c else 0.0)
        for found, number in zip(memory, truth, strict=False):
            assert_near(found[b, j], number)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", GATES)
def test_gradients_are_the_slopes(name, size):
    given, cell = arrays(name, *size), cell_of(name)
    dmemory = tuple(np.random.default_rng(5).normal(size=(cell.MEMORIES, *given[2].shape)))

    def total(place, moved):
        xw, hu, *memory = (moved if k == place else array for k, array in enumerate(given))
        return sum((new * d).sum() for new, d in zip(cell.step(xw, hu, tuple(memory))[0], dmemory, strict=True))

    _, cache = cell.step(given[0], given[1], given[2:])
    dxw, dhu, dbefore = cell.step_backward(dmemory, cache)
    for place, gradient in enumerate((dxw, dhu, *dbefore)):
        truth = by_complex_step(functools.partial(total, place), given[place])
        assert_near(np.broadcast_to(gradient, truth.shape), truth)


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
@pytest.mark.parametrize("name", GATES)
def test_number_type_is_kept_and_nothing_written_to(name, dtype):
    given, cell = [array.astype(dtype) for array in arrays(name, 3, 4)], cell_of(name)
    copies = [array.copy() for array in given]
    memory, cache = cell.step(given[0], given[1], tuple(given[2:]))
    dxw, dhu, dbefore = cell.step_backward(tuple(memory), cache)
    results = [*memory, dxw, dhu, *(gradient for gradient in dbefore if not isinstance(gradient, int))]
    assert {result.dtype for result in results} == {np.dtype(dtype)}
    assert all(map(np.array_equal, given, copies))


def test_a_forget_gate_that_is_open_lets_the_past_through_and_its_gradient_back():
    past, shut = np.array([[0.3, -2.0]]), np.full((1, 2), -1e3)
    z = np.concatenate([shut, -shut, 0 * shut, -shut], axis=-1)  # i, f, g, o
    lstm = cell_of("lstm")
    (h, c), cache = lstm.step(z, 0 * z, (0 * past, past))
    np.testing.assert_array_equal(c, past)
    assert_near(h, np.tanh(past))
    _, _, (_, dpast) = lstm.step_backward((0 * past, past), cache)
    np.testing.assert_array_equal(dpast, past)


def test_an_update_gate_that_is_open_keeps_the_state_and_a_reset_gate_that_is_shut_hides_it():
    h, hu, gru = np.array([[0.3, -0.9]]), np.full((1, 6), 0.7), cell_of("gru")
    decided = np.full((1, 2), 1e3)
    ((kept,), _), ((new,), _) = (
        gru.step(np.concatenate([-decided, z, 0.5 + 0 * z], axis=-1), hu, (h,)) for z in (decided, -decided)
    )
    np.testing.assert_array_equal(kept, h)
    assert_near(new, np.full((1, 2), np.tanh(0.5)))


def test_a_gate_is_half_open_at_zero_and_neither_overflows_nor_warns():
    z = np.array([0.0, 1e4, -1e4, np.inf, -np.inf, np.nan])
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(recurrent.sigmoid(z), [0.5, 1, 0, 1, 0, np.nan])
