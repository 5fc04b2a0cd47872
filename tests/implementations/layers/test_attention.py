"""Attention, against the same in 50 digits head by head and position by position, and its way back against slopes."""

import numpy as np
import pytest

from implementations.equivalence import tolerances
from implementations.layers.attention import attention_numpy as attention
from tests.support.gradients import assert_near, by_complex_step, floats
from tests.support.mlp.scalar_reference import dense, exact, mp

SIZES = [(2, 4, 6, 2), (1, 1, 1, 1), (3, 5, 4, 1), (2, 4, 4, 4)]
"""Samples, positions, width, heads. The last is square: what is taken the wrong way round does not fail by itself."""

sized = pytest.mark.parametrize("size", SIZES)
causal_or_not = pytest.mark.parametrize("causal", [True, False])
dropped_or_not = pytest.mark.parametrize("dropped", [True, False])


def arrays(size, dropped=True):
    """n, Wq, Wk, Wv and Wm, and dropout's mask."""
    (samples, length, width, heads), rng = size, np.random.default_rng(9)
    weights = [rng.normal(size=(width, width)) / np.sqrt(width) for _ in attention.NAMES]
    mask = (rng.random((samples, heads, length, length)) >= 0.3) / 0.7
    return rng.normal(size=(samples, length, width)), weights, mask if dropped else None


def by_loops(n, weights, heads, causal, mask=None):
    """o of one sequence (nested lists, in 50 digits): what a position must not look at is not in its sums at all."""
    *projections, mixed = weights
    q, k, v = (dense(n, weight, None) for weight in projections)
    length, width, head = len(n), len(mixed), len(mixed) // heads
    joint = [[mp.mpf(0)] * width for _ in range(length)]
    for h in range(heads):
        columns = range(h * head, (h + 1) * head)
        for t in range(length):
            seen = range(t + 1 if causal else length)
            sizes = [mp.exp(sum(q[t][j] * k[s][j] for j in columns) / mp.sqrt(head)) for s in seen]
            for s in seen:
                share = sizes[s] / sum(sizes) * (mask[h][t][s] if mask else 1)
                for j in columns:
                    joint[t][j] += share * v[s][j]
    return dense(joint, mixed, None)


def attended(n, weights, heads, causal, mask=None):
    return attention.forward(n, weights, heads, causal, mask)[0]


@dropped_or_not
@causal_or_not
@sized
def test_it_is_the_loops(size, causal, dropped):
    n, weights, mask = arrays(size, dropped)
    exact_weights = [exact(weight.tolist()) for weight in weights]
    truth = [
        by_loops(exact(n[b].tolist()), exact_weights, size[3], causal, exact(mask[b].tolist()) if dropped else None)
        for b in range(size[0])
    ]
    assert_near(attended(n, weights, size[3], causal, mask), floats(truth), tolerances.ORACLE["reference"])


@dropped_or_not
@causal_or_not
@sized
def test_gradients_are_the_slopes(size, causal, dropped):
    n, weights, mask = arrays(size, dropped)
    o, cache = attention.forward(n, weights, size[3], causal, mask)
    do = np.random.default_rng(10).normal(size=o.shape)
    dn, dweights = attention.backward(do, weights, size[3], cache)
    for place, gradient in enumerate([dn, *dweights]):

        def total(moved, place=place):
            given = [moved if k == place else array for k, array in enumerate([n, *weights])]
            return (attended(given[0], given[1:], size[3], causal, mask) * do).sum()

        assert_near(gradient, by_complex_step(total, [n, *weights][place]))


@pytest.mark.parametrize("scale", [1, 1e5])
def test_weights_of_a_position_add_up_to_1_and_are_exactly_0_ahead_of_it(scale):
    q, k = (scale * np.random.default_rng(seed).normal(size=(2, 3, 5, 4)) for seed in (1, 2))
    with np.errstate(all="raise", under="ignore"):
        p, everywhere = (attention.softmax(attention.scores(q, k, causal)) for causal in (True, False))
    ahead = np.triu(np.ones((5, 5), bool), k=1)
    np.testing.assert_array_equal(p[..., ahead], 0)
    np.testing.assert_array_equal(p[..., 0, 0], 1)
    assert (everywhere[..., ahead] > 0).any()
    for weights in (p, everywhere):
        assert_near(weights.sum(axis=-1), np.ones((2, 3, 5)))


def test_without_a_question_a_position_takes_the_mean_of_what_came_before():
    n, (query, *others), _ = arrays((2, 5, 6, 3))
    o = attended(n, [0 * query, *others], 3, causal=True)
    means = np.cumsum(n, axis=1) / np.arange(1, 6)[:, None]
    assert_near(o, means @ others[1] @ others[2])


def test_a_causal_position_looks_at_nothing_ahead_and_at_no_other_sample():
    """Not by a bit; and without the mask it does."""
    n, weights, mask = arrays((3, 5, 6, 2))
    other = n.copy()
    other[1, 3:] = -other[1, 3:]
    same = np.ones((3, 5), bool)
    same[1, 3:] = False
    before, after = (attended(array, weights, 2, True, mask) for array in (n, other))
    np.testing.assert_array_equal((before == after).all(axis=-1), same)
    before, after = (attended(array, weights, 2, False, mask) for array in (n, other))
    np.testing.assert_array_equal((before == after).all(axis=(1, 2)), [True, False, True])


def test_where_all_see_all_their_order_does_not_matter():
    """Attention sees a set: places are told from one another by what positions add."""
    n, weights, _ = arrays((2, 5, 6, 2))
    order = [3, 0, 4, 1, 2]
    found = attended(n[:, order], weights, 2, causal=False)
    assert_near(found, attended(n, weights, 2, causal=False)[:, order])


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
@causal_or_not
def test_number_type_is_kept_and_nothing_written_to(causal, dtype):
    n, weights, mask = arrays(SIZES[0])
    given = [array.astype(dtype) for array in (n, *weights, mask)]
    copies = [array.copy() for array in given]
    o, cache = attention.forward(given[0], given[1:5], 2, causal, given[5])
    dn, dweights = attention.backward(o, given[1:5], 2, cache)
    assert {array.dtype for array in (o, dn, *dweights)} == {np.dtype(dtype)}
    assert all(map(np.array_equal, given, copies))
