"""Time per step of the network: shares of the watched step, what watching adds, who was not watched."""

import pytest

from benchmarks import record
from benchmarks.report import markdown, results, sections, stepwise
from tests.benchmarks.report import synthetic
from tests.benchmarks.report.synthetic import cell, measured, profile


def gathered(records: list[record.Record]) -> results.Results:
    return results.gather(records, [], synthetic.ENVIRONMENT)


def page(records: list[record.Record]) -> str:
    return markdown.render(sections.document(gathered(records)), {})


def row(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [part.strip() for part in line.strip("| ").split(" | ")]


def watched(blocks: int = 6, **options: float) -> list[record.Record]:
    timed = measured([(cell("numpy"), 4e-4), (cell("jax"), 3e-4)], blocks=blocks)
    return [*timed, *(profile(cell("numpy"), block, **options) for block in range(blocks))]


def test_shares_intervals_and_what_watching_adds() -> None:
    text = page(watched(slowed=1.5))
    dense = row(text, "Dense layer")[1]
    assert dense.endswith("; 6), 25%")
    assert dense.startswith("1")
    assert row(text, "between the steps")[1].endswith("38%")
    assert row(text, "watched over as it is")[1] == "1.50 (1.50 to 1.50)"


def test_who_was_not_watched_is_told() -> None:
    assert "Not watched: JAX. Where a training step is compiled" in page(watched())


def test_a_block_that_was_repeated_counts_once() -> None:
    records = [*watched(), profile(cell("numpy"), 5, seconds=4e-4)]
    (found,) = stepwise.times(gathered(records))
    assert found.whole.blocks == 6


def test_one_block_has_no_interval_and_is_still_shown() -> None:
    assert "(–; 1), 25%" in row(page(watched(blocks=1)), "Dense layer")[1]


def test_sizes_are_apart_and_the_middle_one_is_drawn() -> None:
    cells = [cell("numpy", batch=batch) for batch in (1, 32, 256)]
    records = measured([(of, 4e-4) for of in cells])
    records += [profile(of, block) for of in cells for block in range(6)]
    text = page(records)
    assert text.count("Time per step of the network, batch") >= 3
    assert "![Time per step of the network, batch 32, width 128]" in markdown.render(
        sections.document(gathered(records)), {"time-per-step": ""}
    )


def test_each_step_tells_its_time_and_its_error() -> None:
    text = page(watched())
    table = text.partition("**Dense layer: time and error**")[2].partition("\n\n**")[0]
    numpy, jax = row(table, "NumPy"), row(table, "JAX")
    assert numpy[2].endswith("; 6)")
    assert jax[2] == "–"
    assert numpy[3] == jax[3] == "0.10 (loss)"


@pytest.mark.parametrize("records", [measured([(cell("jax"), 1e-4)]), [synthetic.run([])]])
def test_a_run_in_which_nothing_was_watched_says_nothing_of_it(records: list[record.Record]) -> None:
    assert "Time per step of the network" not in page(records)
