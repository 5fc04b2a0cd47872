"""The statistics of dropout masks: honest ones pass, whatever the rate; each kind of dishonesty fails its own test."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pytest

from implementations.contract import Arrays
from implementations.declarations import Mask
from implementations.equivalence import generator
from implementations.equivalence.tolerances import Check
from implementations.mlp.spec import MLPSpec


def spec(rate: float = 0.5, hidden: tuple[int, ...] = (32, 32)) -> MLPSpec:
    return MLPSpec().changed(hidden=hidden, dropout=rate, batch=32)


def drawing(rate: float, hidden: tuple[int, ...] = (32, 32), seed: int = 0) -> Callable[[int], Arrays]:
    rng = np.random.default_rng(seed)
    return lambda batch: {
        f"dropout{i}.mask": (rng.random((batch, width)) >= rate) / (1 - rate) for i, width in enumerate(hidden, start=1)
    }


def statistics(draw: Callable[[int], Arrays], of: Any, whole: bool) -> list[Check]:
    """With fewer units in the large draw, which only the keep rate is judged by; or with all."""
    with mock.patch.object(generator, "LARGE_DRAW", generator.LARGE_DRAW if whole else 2**18):
        return generator.statistics(draw, of, 32)


def failed(
    draw: Callable[[int], Arrays], rate: float = 0.5, hidden: tuple[int, ...] = (32, 32), whole: bool = False
) -> set[str]:
    return {check.group for check in statistics(draw, spec(rate, hidden), whole) if not check.passed}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9])
def test_honest_masks_pass(rate: float, seed: int) -> None:
    draw = drawing(rate, seed=seed)
    assert failed(draw, rate, whole=seed == 0) == set()
    checks = generator.mask_checks("start", draw(32), spec(rate), 32, "float64")
    assert [check for check in checks if not check.passed] == []


def test_the_masks_of_two_steps_in_a_row_are_not_alike() -> None:
    one, other = map(drawing(0.5), (32, 32))
    assert generator.drawn_anew("start", one, other, spec(), 32).passed
    again = generator.drawn_anew("start", one, other | {"dropout2.mask": one["dropout2.mask"] * 2}, spec(), 32)
    assert (again.tensor, again.passed) == ("dropout2.mask", False)


def test_masks_so_small_that_chance_makes_them_alike_are_not_judged() -> None:
    masks = drawing(0.5, (1,))(32)
    assert generator.drawn_anew("start", masks, masks, spec(hidden=(1,)), 32).passed


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
    assert "keep rate" in failed(drawing(51 / 256), 0.2, whole=True)


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


SEQUENCES: Any = SimpleNamespace(
    masks=lambda batch: {"one": Mask((batch, 8, 64), 0.2, ""), "two": Mask((batch, 64), 0.2, "")}
)
"""As of two recurrent layers, of which the second is read at its last step alone."""


def of_sequences(again: bool) -> Callable[[int], Arrays]:
    """Honest masks; or the second drops what the first drops at its last step: a distance that is another one for every sample."""
    rng = np.random.default_rng(0)

    def draw(batch: int) -> Arrays:
        one, two = ((rng.random(shape) >= 0.2) / 0.8 for shape in ((batch, 8, 64), (batch, 64)))
        return {"one": one, "two": one[:, -1] if again else two}

    return draw


@pytest.mark.parametrize("again", [False, True])
def test_a_mask_may_not_have_the_rows_of_another(again: bool) -> None:
    checks = statistics(of_sequences(again), SEQUENCES, whole=False)
    assert {check.group for check in checks if not check.passed} == ({"rows differ"} if again else set())
    checks = generator.mask_checks("start", of_sequences(again)(32), SEQUENCES, 32, "float32")
    assert {check.group for check in checks if not check.passed} == ({"mask rows differ"} if again else set())


def test_a_mask_that_repeats_itself_is_seen_in_a_single_step() -> None:
    masks = {name: np.resize(mask[:128], (512, 64)) for name, mask in drawing(0.5, (64, 64))(512).items()}
    checks = generator.mask_checks("start", masks, spec(0.5, (64, 64)), 512, "float32")
    assert [check.group for check in checks if not check.passed] == ["mask repeats nothing", "mask rows differ"]


# Masks of more axes, each with a rate of its own

RATES = {"image.mask": 0.1, "later.mask": 0.1, "dense.mask": 0.5}


def masks_of(batch: int) -> dict[str, Mask]:
    image = (batch, 6, 6, 8)
    return {name: Mask((batch, 64) if name == "dense.mask" else image, rate) for name, rate in RATES.items()}


IMAGES: Any = SimpleNamespace(masks=masks_of)
"""Of a specification, what is asked here."""

Change = Callable[[Arrays], Arrays]


def images(change: Change = lambda uniform: uniform, rates: dict[str, float] = RATES) -> Callable[[int], Arrays]:
    """Masks drawn with these rates; `change` turns uniform random numbers into others. Scaled as the right rates say."""
    rng = np.random.default_rng(0)

    def draw(batch: int) -> Arrays:
        uniform = change({name: rng.random(mask.shape) for name, mask in masks_of(batch).items()})
        return {name: (uniform[name] >= rates[name]) / (1 - rate) for name, rate in RATES.items()}

    return draw


def noticed(draw: Callable[[int], Arrays], whole: bool = False) -> list[tuple[str, str]]:
    return [(check.group, check.tensor) for check in statistics(draw, IMAGES, whole) if not check.passed]


def noticed_in_a_step(draw: Callable[[int], Arrays], batch: int = 512) -> list[tuple[str, str]]:
    checks = generator.mask_checks("start", draw(batch), IMAGES, batch, "float32")
    return [(check.group, check.tensor) for check in checks if not check.passed]


def test_honest_masks_of_four_axes_and_two_rates_pass() -> None:
    checks = statistics(images(), IMAGES, whole=True)
    assert [check for check in checks if not check.passed] == []
    assert noticed_in_a_step(images()) == []
    groups = {check.group for check in checks}
    assert {f"even along axis {axis}" for axis in (1, 2, 3)} <= groups


@pytest.mark.parametrize(("axis", "by"), [(1, 0.006), (2, 0.006), (3, 0.008)])
def test_unevenness_along_one_further_axis(axis: int, by: float) -> None:
    """Too small to show unit by unit: one place is dropped more often, another as much less."""

    def change(uniform: Arrays) -> Arrays:
        along = np.moveaxis(uniform["later.mask"], axis, 0)
        along[0] -= by
        along[-1] += by
        return uniform

    assert noticed(images(change)) == [(f"even along axis {axis}", "later.mask")]


@pytest.mark.parametrize(("name", "rate"), [("later.mask", 0.099), ("dense.mask", 0.49)])
def test_a_wrong_rate_in_one_mask(name: str, rate: float) -> None:
    assert ("keep rate", name) in noticed(images(rates=RATES | {name: rate}), whole=True)


def test_a_mask_with_the_rate_of_another_is_seen_in_a_single_step() -> None:
    draw = images(rates=RATES | {"dense.mask": RATES["image.mask"]})
    assert ("mask keep rate", "dense.mask") in noticed_in_a_step(draw)
    scaled = {name: mask * (0.5 / 0.9 if name == "dense.mask" else 1) for name, mask in images()(512).items()}
    assert noticed_in_a_step(lambda batch: scaled) == [("mask scale", "dense.mask")]


def test_masks_alike_in_two_layers() -> None:
    alike = images(lambda uniform: uniform | {"later.mask": uniform["image.mask"]})
    assert ("uncorrelated", "all masks") in noticed(alike)
    assert noticed_in_a_step(alike) == [("mask repeats nothing", "all masks")]


def test_masks_alike_in_two_layers_whose_rates_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same random numbers, one layer drops what is below its rate, the other what is below another."""
    monkeypatch.setitem(RATES, "later.mask", 0.5)
    alike = images(lambda uniform: uniform | {"later.mask": uniform["image.mask"]})
    assert ("uncorrelated", "all masks") in noticed(alike)
    assert noticed_in_a_step(alike) == [("mask repeats nothing", "all masks")]
    assert noticed(images()) == []


def test_a_mask_of_a_wrong_shape_is_noticed_though_it_has_as_many_units() -> None:
    masks = images()(512)
    masks["image.mask"] = masks["image.mask"].reshape(512, -1)
    assert noticed_in_a_step(lambda batch: masks) == [("mask scale", "image.mask")]
