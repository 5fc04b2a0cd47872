"""The statistics of dropout masks: honest ones pass, whatever the rate; each kind of dishonesty fails its own test."""

from collections.abc import Callable

import numpy as np
import pytest

from implementations.contract import Arrays
from implementations.equivalence import generator
from implementations.mlp.spec import MLPSpec


def spec(rate: float = 0.5, hidden: tuple[int, ...] = (32, 32)) -> MLPSpec:
    return MLPSpec().changed(hidden=hidden, dropout=rate, batch=32)


def drawing(rate: float, hidden: tuple[int, ...] = (32, 32), seed: int = 0) -> Callable[[int], Arrays]:
    rng = np.random.default_rng(seed)
    return lambda batch: {
        f"dropout{i}.mask": (rng.random((batch, width)) >= rate) / (1 - rate) for i, width in enumerate(hidden, start=1)
    }


def failed(draw: Callable[[int], Arrays], rate: float = 0.5, hidden: tuple[int, ...] = (32, 32)) -> set[str]:
    return {check.group for check in generator.statistics(draw, spec(rate, hidden), 32) if not check.passed}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9])
def test_honest_masks_pass(rate: float, seed: int) -> None:
    draw = drawing(rate, seed=seed)
    assert failed(draw, rate) == set()
    checks = generator.mask_checks("start", draw(32), spec(rate), 32, "float64")
    assert [check for check in checks if not check.passed] == []


def test_narrow_layers_pass() -> None:
    assert failed(drawing(0.3, (1, 2)), 0.3, (1, 2)) == set()


def test_without_dropout_there_is_nothing_to_test() -> None:
    assert generator.statistics(drawing(0.5), spec(0.0), 32) == []


def changed(change: Callable[[list[np.ndarray], int], list[np.ndarray]], rate: float = 0.5) -> Callable[[int], Arrays]:
    """An honest generator whose masks are changed: `change(masks, step)`."""
    honest, step = drawing(rate), [0]

    def draw(batch: int) -> Arrays:
        masks = honest(batch)
        step[0] += 1
        return dict(zip(masks, change(list(masks.values()), step[0]), strict=True))

    return draw


def leaking() -> Callable[[list[np.ndarray], int], list[np.ndarray]]:
    """The second layer gets what the first one had a step before."""
    held: dict[tuple[int, ...], np.ndarray] = {}

    def change(masks: list[np.ndarray], step: int) -> list[np.ndarray]:
        first, second = masks
        before = held.get(first.shape, second)
        held[first.shape] = first
        return [first, before]

    return change


def test_a_rate_of_51_in_256_is_told_from_a_fifth() -> None:
    assert "keep rate" in failed(drawing(51 / 256), 0.2)


def test_a_unit_that_is_never_dropped() -> None:
    def change(masks: list[np.ndarray], step: int) -> list[np.ndarray]:
        masks[0][:, 3] = 2
        return masks

    assert "even over units" in failed(changed(change))


def test_a_sample_that_is_never_dropped() -> None:
    def change(masks: list[np.ndarray], step: int) -> list[np.ndarray]:
        masks[1][5:6] = 2
        return masks

    assert "even over samples" in failed(changed(change))


def test_one_row_for_all_samples() -> None:
    assert "uncorrelated" in failed(changed(lambda masks, step: [np.repeat(m[:1], len(m), axis=0) for m in masks]))


def test_one_half_of_the_batch_the_opposite_of_the_other() -> None:
    def change(masks: list[np.ndarray], step: int) -> list[np.ndarray]:
        return [np.concatenate([m[: len(m) // 2], 2 - m[: len(m) // 2], m[2 * (len(m) // 2) :]]) for m in masks]

    assert "uncorrelated" in failed(changed(change))


def test_the_same_mask_in_two_layers_and_a_step_later() -> None:
    assert "uncorrelated" in failed(changed(lambda masks, step: [masks[0], masks[0]]))
    assert "uncorrelated" in failed(changed(leaking()))


def test_a_period_of_a_thousand_steps() -> None:
    def draw(batch: int) -> Arrays:
        step[0] += 1
        return drawing(0.5, seed=step[0] % 1000)(batch)

    step = [0]
    assert failed(draw) == {"no two steps alike"}


def test_masks_out_of_a_pool_of_a_thousand_for_each_layer() -> None:
    rng = np.random.default_rng(0)

    def draw(batch: int) -> Arrays:
        seeds = rng.integers(1000, size=2)
        return {
            f"dropout{i}.mask": 2.0 * (np.random.default_rng([i, seed]).random((batch, 32)) >= 0.5)
            for i, seed in enumerate(seeds, start=1)
        }

    assert "no two steps alike" in failed(draw)


@pytest.mark.parametrize(("change", "group"), [(lambda m: m * 1.001, "mask scale"), (lambda m: m[:-1], "mask scale")])
def test_one_mask_of_a_wrong_scale_or_shape(change: Callable[[np.ndarray], np.ndarray], group: str) -> None:
    masks = {name: change(mask) for name, mask in drawing(0.5)(32).items()}
    checks = generator.mask_checks("start", masks, spec(), 32, "float32")
    assert [check.group for check in checks if not check.passed] == [group]


def test_a_mask_that_repeats_itself_is_seen_in_a_single_step() -> None:
    masks = {name: np.resize(mask[:128], (512, 64)) for name, mask in drawing(0.5, (64, 64))(512).items()}
    checks = generator.mask_checks("start", masks, spec(0.5, (64, 64)), 512, "float32")
    assert [check.group for check in checks if not check.passed] == ["mask repeats nothing"]
