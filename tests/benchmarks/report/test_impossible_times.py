"""Times faster than any product here: no rank and a sentence everywhere; what is near the peak keeps its rank."""

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report
from benchmarks.analysis import impossible_times, ranking, run_comparison
from benchmarks.plan.profiles import PROFILES, Profile
from benchmarks.records.record import FLOORS, PEAK, BlockRecord, Cell, Interference, Record, TimingRecord
from benchmarks.report import sections, terminal
from tests.support import synthetic
from tests.support.report_text import gathered
from tests.support.synthetic import cell, proof

BLOCKS = 6
PEAK_S = 2 * 512**3 / 1e11
"""A large product at 100 GFLOP/s."""

NUMPY, JAX, MFLOP = cell("numpy"), cell("jax"), 1_400_000
AT_PEAK_S = MFLOP / 1e11


def timed(*cells_seconds_flops: tuple[Cell, float, int]) -> list[Record]:
    records: list[Record] = [synthetic.run([of for of, *_ in cells_seconds_flops], BLOCKS)]
    for block in range(BLOCKS):
        for of, seconds, flops in cells_seconds_flops:
            work = {"flops_per_call": flops, "ranked": of.phase not in FLOORS}
            records += [proof(of, block), synthetic.timing(of, block, seconds, noise=0.001, **work)]
    return records


def run(jax_s: float, *more: tuple[Cell, float, int]) -> list[Record]:
    """NumPy at half of the peak, JAX at what is given."""
    return timed((NUMPY, 2 * AT_PEAK_S, MFLOP), (JAX, jax_s, MFLOP), *more)


LARGE = (cell("numpy", "peak", 1), PEAK_S, 2 * 512**3)


def standing(records: list[Record]) -> dict[str, str]:
    return {entry.cell.who.framework: entry.standing for entry in gathered(records).entries if entry.cell.phase != PEAK}


@pytest.mark.usefixtures("undrawn")
def test_a_time_without_its_work_has_no_rank_and_the_reason_is_said_everywhere(tmp_path: Path) -> None:
    records = run(145e-9, LARGE)
    results = gathered(records)
    groups = ranking.comparison_groups(results)
    places = {place.entry.cell.who.framework: place for group in groups for place in group.places if place.ranks}
    assert set(places) == {"numpy"}
    why = r"JAX has no rank in the training step, batch 256, width 128: the time is impossible: its matrix products alone would run at 9.*GFLOP/s"
    told = [line for line in terminal.lines(results, groups) if "no rank" in line and "JAX" in line]
    assert len(told) == 1
    assert re.search(why, told[0])
    assert any("NumPy alone is ranked" in line for line in terminal.lines(results, groups))
    synthetic.save(tmp_path, records, {})
    report.write(tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if "JAX has no rank" in line]) == 1
    assert "| impossible" in text
    assert "measured, no rank" in text


@pytest.mark.parametrize(("share", "is_ranked"), [(0.9, True), (1.2, True), (1.4, True), (1.6, False), (40, False)])
def test_an_honest_time_near_the_peak_is_ranked(share: float, is_ranked: bool) -> None:
    assert standing(run(AT_PEAK_S / share, LARGE)) == {
        "numpy": "ranked",
        "jax": "ranked" if is_ranked else "impossible",
    }


def test_the_best_product_of_any_size_and_library_counts() -> None:
    products = (cell("torch", "products"), AT_PEAK_S / 2, MFLOP)
    slow = (cell("numpy", "peak", 1), 4 * PEAK_S, 2 * 512**3)
    assert standing(run(AT_PEAK_S / 2.5, slow))["jax"] == "impossible"
    assert standing(run(AT_PEAK_S / 2.5, slow, products))["jax"] == "ranked"


@pytest.mark.parametrize(
    "elsewhere", [{"threads": 1}, {"precision": "bfloat16"}, {"device": "cuda:0"}], ids=lambda options: str(*options)
)
def test_a_product_elsewhere_says_nothing(elsewhere: dict[str, Any]) -> None:
    large = (cell("numpy", "peak", 1, **elsewhere), PEAK_S, 2 * 512**3)
    assert standing(run(145e-9, large))["jax"] == "ranked"


def test_where_no_large_product_was_timed_all_is_ranked_and_the_report_says_so() -> None:
    small = (cell("numpy", "products"), AT_PEAK_S * 50, MFLOP)  # waits for each call: no bound for a compiled step
    for records in (run(145e-9), run(145e-9, small)):
        results = gathered(records)
        assert standing(records)["jax"] == "ranked"
        assert impossible_times.unjudged(results.entries, results.blocks)
        assert any(
            "no large matrix product was timed undisturbed" in line
            for line in terminal.lines(results, ranking.comparison_groups(results))
        )
    assert not impossible_times.unjudged(gathered(run(AT_PEAK_S, LARGE)).entries, [])


def test_where_nothing_is_possible_there_is_no_answer() -> None:
    results = gathered(timed((JAX, 145e-9, MFLOP), LARGE))
    lines = terminal.lines(results, ranking.comparison_groups(results))
    assert lines[1] == "No time that was proved equal is possible, so nothing is ranked. Coverage says why."
    assert lines[2].startswith("JAX has no rank")


def test_many_are_told_in_a_few_sentences() -> None:
    many = [(cell("jax", phase, batch), 145e-9, MFLOP) for phase in ("train_step", "predict") for batch in (1, 2, 256)]
    results = gathered(timed(*many, LARGE))
    told = sections.answer.without_rank(results)
    assert len(told) == 4
    assert told[-1] == "So it is with 3 other times, see Coverage."


def test_a_version_with_an_impossible_time_is_no_faster_one(tmp_path: Path) -> None:
    a = synthetic.save(tmp_path / "a", run(AT_PEAK_S, LARGE), {})
    b = synthetic.save(tmp_path / "b", run(145e-9, LARGE), {})
    rows = {row.cell.id: row for row in run_comparison.compare(a, b, 0.03).rows}
    assert (rows[JAX.id].verdict, rows[JAX.id].counts) == ("missing", True)
    assert "the time is impossible" in rows[JAX.id].note


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_profile_times_the_large_product(profile: Profile) -> None:
    assert PEAK in profile.phases


@pytest.mark.parametrize(
    ("busy", "is_ranked"), [((0.84,) * BLOCKS, True), ((0.0, *[0.84] * 5), False), ((0.1,) * 6, False)]
)
def test_what_waits_for_other_programs_does_not_say_what_is_possible(busy: tuple[float, ...], is_ranked: bool) -> None:
    """A product that two busy programs slow down may be ten times slower than an honest call between two of their turns."""
    records = run(AT_PEAK_S / 8, LARGE)
    for block, share in enumerate(busy):
        counted = Interference(cores=2, usable=2, others_s=20 * share, stolen_s=0.0, throttled_s=0.0)
        records.append(BlockRecord(block=block, wall_s=10.0, interference=counted))
    assert standing(records)["jax"] == ("ranked" if is_ranked else "impossible")
    results = gathered(records)
    assert impossible_times.unjudged(results.entries, results.blocks) == is_ranked


def test_the_fastest_round_of_a_product_counts() -> None:
    """Half of its rounds were disturbed; in the others the machine shows what it can do."""
    slow = (LARGE[0], 3 * PEAK_S, LARGE[2])
    assert standing(run(AT_PEAK_S, slow))["jax"] == "impossible"
    records = run(AT_PEAK_S, slow)
    for record in records:
        if isinstance(record, TimingRecord) and record.cell == LARGE[0]:
            record.elapsed_s[-1] = record.loops * PEAK_S
    assert standing(records)["jax"] == "ranked"


def test_a_convolution_may_take_fewer_operations_than_its_products() -> None:
    records = run(AT_PEAK_S / 4, LARGE)
    assert standing(records)["jax"] == "impossible"
    fewer = {"least_flops_per_call": MFLOP // 4}
    of_jax = [isinstance(record, TimingRecord) and record.cell == JAX for record in records]
    changed = [
        record.model_copy(update=fewer) if is_jax else record for record, is_jax in zip(records, of_jax, strict=True)
    ]
    assert standing(changed)["jax"] == "ranked"
