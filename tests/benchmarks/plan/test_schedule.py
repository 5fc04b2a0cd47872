"""Whose turn it is: groups of at most one cell per process, fair orders, and who is the null control."""

import random
import statistics
from collections import Counter

import pytest

from benchmarks.plan import schedule
from benchmarks.records.record import Cell
from benchmarks.worker.timing import warmup_rounds
from tests.support.synthetic import cell

FRAMEWORKS = ("numpy", "torch", "keras-tensorflow")
CELLS = [cell(name, phase, batch) for name in FRAMEWORKS for phase in ("train_step", "predict") for batch in (32, 128)]
STOCK = cell("keras-tensorflow", "train_step", 32, variant="stock")


def drawn(seed: int, cells: list[Cell]) -> list[list[Cell]]:
    return schedule.turn_groups(cells, random.Random(seed))


def test_a_heat_holds_what_is_compared_and_every_cell_has_one() -> None:
    groups = drawn(0, CELLS)
    assert Counter(c.id for group in groups for c in group) == Counter(c.id for c in CELLS)
    for group in groups:
        assert len({c.comparison_group for c in group}) == 1
        assert {c.who.framework for c in group} == set(FRAMEWORKS)


def test_a_process_has_one_cell_in_a_heat_and_its_variant_follows_at_once() -> None:
    groups = drawn(0, [*CELLS, STOCK])
    (at,) = [i for i, group in enumerate(groups) if STOCK in group]
    assert groups[at] == [STOCK]
    assert groups[at - 1][0].comparison_group == STOCK.comparison_group


def test_every_block_draws_another_order_and_a_seed_the_same() -> None:
    assert drawn(1, CELLS) == drawn(1, CELLS)
    assert len({tuple(group[0].comparison_group for group in drawn(seed, CELLS)) for seed in range(20)}) > 5


def test_in_turns_everybody_has_one_round_before_anybody_has_another() -> None:
    order = schedule.sequence("abc", 50, "rounds", random.Random(0))
    rounds = [tuple(order[i : i + 3]) for i in range(0, len(order), 3)]
    assert len(rounds) == 50
    assert all(sorted(r) == ["a", "b", "c"] for r in rounds)
    assert len(set(rounds)) == 6  # every order occurs


@pytest.mark.parametrize("rounds", [3, 5, 8, 13, 24])
def test_what_counts_of_whole_workers_goes_there_and_back(rounds: int) -> None:
    order = schedule.sequence("abc", rounds, "workers", random.Random(0))
    assert Counter(order) == dict.fromkeys("abc", rounds)
    warm = warmup_rounds(rounds)
    assert Counter(order[: 3 * warm]) == dict.fromkeys("abc", warm)
    middles = {
        seat: statistics.mean(at for at, whose in enumerate(order) if whose == seat and at >= 3 * warm)
        for seat in "abc"
    }
    assert max(middles.values()) - min(middles.values()) <= (2 if (rounds - warm) % 2 else 0)


def test_alone_means_in_a_row() -> None:
    order = schedule.alone("abc", random.Random(0))
    assert Counter(order) == dict.fromkeys("abc", schedule.ALONE)
    assert [len(set(order[i : i + schedule.ALONE])) for i in range(0, len(order), schedule.ALONE)] == [1, 1, 1]


def test_the_null_control_is_another_implementation_in_each_block_and_trains() -> None:
    copies = [schedule.control([*CELLS, STOCK], block) for block in range(6)]
    assert [copy[0].who.framework for copy in copies] == [*FRAMEWORKS, *FRAMEWORKS]
    assert {c.phase for copy in copies for c in copy} == {"train_step"}
    assert STOCK not in copies[2]


def test_the_null_control_makes_do_with_what_there_is() -> None:
    predictions = [c for c in CELLS if c.phase == "predict"]
    assert {c.phase for c in schedule.control(predictions, 0)} == {"predict"}
    assert schedule.control([cell("scikit-learn")], 0, peers={"scikit-learn"}) == []


@pytest.mark.parametrize(("round_s", "rounds"), [(1e-6, 12), (4e-3, 12), (0.03, 10), (0.045, 6), (9.0, 5), (0.0, 12)])
def test_long_calls_get_fewer_rounds_but_enough_for_a_median(round_s: float, rounds: int) -> None:
    assert schedule.rounds_for(round_s, most=12) == rounds


def test_a_profile_with_few_rounds_keeps_them() -> None:
    assert schedule.rounds_for(9.0, most=2) == 2


@pytest.mark.parametrize("rounds", range(1, 30))
def test_a_cells_rounds_are_spread_over_all_visits_and_the_last_has_some(rounds: int) -> None:
    visited = [schedule.rounds_of_visit(rounds, visit, schedule.VISITS) for visit in range(schedule.VISITS)]
    assert (sum(visited), visited[0]) == (rounds, min(max(rounds // 3, 4), rounds // 2))
    assert max(visited[1:]) - min(visited[1:]) <= 1
    assert visited[-1] == max(visited[1:]) >= 1


def test_whole_workers_have_all_their_rounds_in_the_last_visit() -> None:
    assert [schedule.rounds_of_visit(13, visit, 4, "workers") for visit in range(4)] == [0, 0, 0, 13]
    assert schedule.rounds_of_visit(13, 0, 1) == 13


def test_parts_are_alike_and_the_large_floors_have_one_visit() -> None:
    groups = [[cell("numpy").model_copy(update={"axes": {"batch": batch}})] for batch in range(schedule.GROUPS + 1)]
    peak = [cell("numpy", "peak")]
    parts = schedule.parts([*groups[:3], peak, *groups[3:]])
    assert [(visits, len(part)) for visits, part in parts] == [(8, 11), (8, 10), (1, 1)]
    assert [group for _, part in parts for group in part] == [*groups, peak]
    assert schedule.parts([peak]) == [(1, [peak])]
