"""Emulated arithmetic: what it rounds, what it leaves alone, and that noise is one unit in the last place."""

import numpy as np
import pytest

from implementations.equivalence.rounding import POOL, Noise, arithmetic, rounded

ULP = 2.0**-23


def test_rounding_is_to_nearest_and_ties_go_to_even() -> None:
    value = np.array([1 + 2.0**-10, 1 + 2.0**-11, 1 + 3 * 2.0**-11, 1 + 2.0**-11 + 2.0**-20, -1 - 2.0**-12], np.float32)
    assert rounded(value, 11).tolist() == [1 + 2.0**-10, 1.0, 1 + 2.0**-9, 1 + 2.0**-10, -1.0]


@pytest.mark.parametrize("bits", [8, 11])
def test_rounding_keeps_what_fits_and_errs_by_half_a_unit(bits: int) -> None:
    value = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    once = rounded(value, bits)
    assert np.array_equal(rounded(once, bits), once)
    assert 0.9 * 2.0**-bits < np.max(np.abs(once / value - 1)) <= 2.0**-bits


def test_infinities_and_nan_stay() -> None:
    value = np.array([np.inf, -np.inf, np.nan, 0.0], np.float32)
    assert np.array_equal(rounded(value, 8), value, equal_nan=True)


def test_rounding_at_random_is_right_on_average() -> None:
    value = np.full(100_000, 1 + 0.25 * 2.0**-7, np.float32)
    drawn = rounded(value, 8, np.random.default_rng(1))
    assert set(drawn.tolist()) == {1.0, 1 + 2.0**-7}
    assert abs(np.mean(drawn > 1) - 0.25) < 0.01


@pytest.mark.parametrize(("precision", "kept"), [("tf32", 10), ("bfloat16", 7)])
def test_products_round_their_factors_and_nothing_else_does(precision: str, kept: int) -> None:
    kind = arithmetic(precision)
    lost, held = (np.full((1, 1), 1 + 2.0**-k, np.float32).view(kind) for k in (kept + 1, kept))
    one = np.ones((1, 1), np.float32)
    assert float((lost @ one)[0, 0]) == 1.0
    assert float((held @ one)[0, 0]) == 1 + 2.0**-kept
    assert float((lost * one)[0, 0]) == 1 + 2.0 ** -(kept + 1)
    assert type(lost @ one) is type(lost + 1) is type(np.maximum(lost, 0)) is kind


def test_bfloat16_rounds_the_product_too_and_tf32_does_not() -> None:
    row, column = np.array([[1, 1]], np.float32), np.array([[1], [2.0**-9]], np.float32)
    assert float((row.view(arithmetic("tf32")) @ column)[0, 0]) == 1 + 2.0**-9
    assert float((row.view(arithmetic("bfloat16")) @ column)[0, 0]) == 1.0


def test_noise_is_one_unit_in_the_last_place_on_every_result() -> None:
    kind = arithmetic("float32", Noise(ULP, np.float32, seed=0))
    one = np.ones(10_000, np.float32).view(kind)
    ratios = np.asarray(one * 3) / 3
    assert np.all(np.abs(ratios - 1) <= 1.5 * ULP)
    assert 0.45 < np.mean(ratios > 1) < 0.55
    in_place = np.ones(10, np.float32).view(kind)
    in_place += 1
    assert np.all(np.asarray(in_place) != 2)
    assert (one > 0).dtype == bool


def test_noise_covers_arrays_larger_than_its_pool_and_those_that_are_not_contiguous() -> None:
    kind = arithmetic("float64", Noise(1e-9, np.float64, seed=0))
    large = np.asarray(np.ones(2 * POOL).view(kind) * 1)
    assert np.all(large != 1)
    across = np.asfortranarray(np.ones((30, 40))).view(kind)
    assert np.all(np.asarray(across + 0) != 1)


def test_noise_that_is_alike_is_the_same_in_all_rows_and_another_the_next_time() -> None:
    noise = Noise(ULP, np.float32, seed=1, alike=True)
    one, other = np.ones((50, 40), np.float32), np.ones((50, 40), np.float32)
    noise.on(one)
    noise.on(other)
    assert np.ptp(one, axis=0).max() == 0
    assert 0.2 < np.mean(one[0] > 1) < 0.8
    assert not np.array_equal(one[0], other[0])


def test_a_sum_over_rows_that_are_alike_is_rounded_after_each_of_them() -> None:
    """Each of 200 additions is off by one unit at random: together by its root of 200/3 partial sums."""
    scattered = {}
    for alike in (False, True):
        noise = Noise(1e-9, np.float64, seed=0, alike=alike)
        rows = np.ones((200, 500)).view(arithmetic("float64", noise))
        scattered[alike] = float(np.std(np.asarray(rows.sum(axis=0)) / 200 - 1)) / 1e-9
    assert 0.8 < scattered[False] < 1.2
    assert 0.8 < scattered[True] / (200 / 3) ** 0.5 < 1.2


def test_the_largest_is_one_of_the_numbers() -> None:
    """Were it off, the softmax of logits of 1e9 would overflow in the oracle itself."""
    logits = np.random.default_rng(0).normal(size=(100, 20)).astype(np.float32) * np.float32(1e9)
    noisy = logits.view(arithmetic("float32", Noise(ULP, np.float32, seed=0)))
    assert np.array_equal(np.asarray(noisy.max(axis=1)), logits.max(axis=1))


@pytest.mark.parametrize("shape", [(3, 5), (POOL - 1,), (POOL + 7,), (3, POOL)])
def test_factors_are_others_every_time_however_many_there_are(shape: tuple[int, ...]) -> None:
    noise = Noise(ULP, np.float32, seed=0)
    one, other = noise.of_shape(shape), noise.of_shape(shape)
    assert one.shape == other.shape == shape
    assert 0.1 < np.mean(one != other) < 0.9
    assert set(np.unique(one)) == {np.float32(1 - ULP), np.float32(1 + ULP)}
