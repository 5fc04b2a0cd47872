"""Time per step of the network: shares of the watched step, what watching adds, who was not watched."""

import re
from typing import Any

import pytest

from benchmarks.analysis import ranking, step_times
from benchmarks.records import record
from benchmarks.report import dataframe, markdown, sections
from tests.support import synthetic
from tests.support.report_text import gathered, page
from tests.support.synthetic import cell, measured, profile


def row(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [part.strip() for part in line.strip("| ").split(" | ")]


def watched(blocks: int = 6, **options: float) -> list[record.Record]:
    timed = measured([(cell("numpy"), 4e-4), (cell("jax"), 3e-4)], blocks=blocks)
    return [*timed, *(profile(cell("numpy"), block, **options) for block in range(blocks))]


def test_shares_intervals_and_what_watching_adds() -> None:
    text = page(watched(slowed=1.5))
    dense = row(text, "Dense layer")[1]
    assert re.fullmatch(r"\S+ µs \(\S+ to \S+\), 25%", dense)
    assert "(float32, plain, 2 threads, cpu; 95% interval, 6 blocks)" in text
    assert dense.startswith("1")
    assert row(text, "between the steps")[1].endswith("38%")
    assert row(text, "the watched step over the step as it is")[1] == "1.50 (1.50 to 1.50)"


def test_who_was_not_watched_is_told() -> None:
    assert "Not watched: JAX. One compiled program" in page(watched())


def test_what_watching_does_to_a_time_is_said() -> None:
    assert "Watching takes time: read the shares, not the sum." in page(watched())


def test_a_block_that_was_repeated_counts_once() -> None:
    records = [*watched(), profile(cell("numpy"), 5, seconds=4e-4)]
    (times,) = step_times.times(gathered(records))
    assert times.watched.blocks == times.slowed.ratio.blocks == 6


def test_one_block_has_no_interval_and_is_still_shown() -> None:
    assert re.fullmatch(r"\S+ µs, 25%", row(page(watched(blocks=1)), "Dense layer")[1])


def sizes(*batches: int, **options: Any) -> list[record.Record]:
    """Watched at these sizes, in this order."""
    cells = [cell("numpy", batch=batch, **options) for batch in batches]
    return [*measured([(of, 4e-4) for of in cells]), *(profile(of, block) for of in cells for block in range(6))]


def test_sizes_stand_from_small_to_large_whatever_the_order_of_the_records() -> None:
    groups = step_times.by_size(step_times.times(gathered(sizes(128, 512, 32))))
    assert [group[0].axes["batch"] for group in groups] == [32, 128, 512]
    assert step_times.middle(groups)[0].axes["batch"] == 128
    assert step_times.middle([]) == []


def test_the_middle_size_is_shown_and_no_other() -> None:
    document = sections.document(gathered(sizes(128, 512, 32)))
    (figure,) = [figure for figure in document.figures() if figure.name == "time-per-step"]
    assert figure.title == "Time per step of the network, batch 128, width 128"
    captions = re.findall(
        r"^\*\*Time per step of the network and its share, batch (\d+), width 128 \(",
        markdown.render(document, {}),
        flags=re.MULTILINE,
    )
    assert captions == ["128"]


def test_your_own_size_goes_before_the_middle_one() -> None:
    own = {"batch": 512, "width": 128}
    records = [r if r.kind != "run" else synthetic.run(r.cells, size=own) for r in sizes(128, 512, 32)]
    assert "**Time per step of the network and its share, batch 512, width 128 (" in page(records)


def test_every_setting_and_size_has_its_steps_times_in_the_table_for_programs() -> None:
    records = [*sizes(128, 512), *(r for r in sizes(32, precision="float64") if r.kind != "run")]
    whole_run = gathered(records)
    rows = dataframe.cells(whole_run, ranking.comparison_groups(whole_run))
    assert sorted(zip(rows.axis_batch, rows.precision, strict=True)) == [
        (32, "float64"),
        (128, "float32"),
        (512, "float32"),
    ]
    assert rows.step_dense_s.tolist() == pytest.approx([1.2 * 0.25 * 4e-4] * 3, rel=0.02)
    assert rows.step_loss_s.tolist() == pytest.approx([1.2 * 0.125 * 4e-4] * 3, rel=0.02)
    assert 'step_dense_s,"dense within a watched training step, seconds"' in dataframe.meanings(rows)


def test_a_hostile_name_of_a_step_is_made_visible_in_the_table_for_programs() -> None:
    hostile = {"steps_s": {"de\u202e\nnse": 1e-4}}
    whole_run = gathered([r if r.kind != "steps" else r.model_copy(update=hostile) for r in watched()])
    rows = dataframe.cells(whole_run, ranking.comparison_groups(whole_run)).set_index("framework")
    assert rows["step_de\\u202e nse_s"].dropna().to_dict() == {"numpy": pytest.approx(1e-4)}


def test_who_was_not_watched_has_no_steps_times_in_the_table_for_programs() -> None:
    whole_run = gathered(watched())
    rows = dataframe.cells(whole_run, ranking.comparison_groups(whole_run)).set_index("framework")
    assert rows.step_dense_s.notna().to_dict() == {"numpy": True, "jax": False}


def shares(**steps: float) -> list[record.Record]:
    """A watched step of 400 µs, of which these are the shares."""
    of, records = cell("numpy"), watched()
    values = {step: 4e-4 * share for step, share in steps.items()}
    return [
        r if r.kind != "steps" else profile(of, r.block).model_copy(
            update={"watched_s": 4e-4, "steps_s": {s: v * (1 + r.block / 50) for s, v in values.items()}}
        )
        for r in records
    ]  # fmt: skip


def summary(records: list[record.Record]) -> str:
    (section,) = [section for section in sections.document(gathered(records)).sections if section.anchor == "why"]
    return section.summary


def test_the_largest_part_is_named_and_with_whom_it_is_not_settled() -> None:
    said = "The largest part of a training step is"
    assert summary(shares(dense=0.4, relu=0.2, loss=0.1)) == f"{said} dense layer in NumPy."
    assert summary(shares(dense=0.4, relu=0.39, loss=0.1)) == f"{said} dense layer or relu in NumPy."
    wild = shares(dense=0.6, relu=0.2)
    for one in wild:
        if one.kind == "steps" and one.block == 0:
            one.steps_s["relu"] = (
                2.0  # a disturbed block makes the interval endless; its median is a third of the largest
            )
    assert summary(wild) == f"{said} dense layer in NumPy."
    assert summary(shares(dense=0.1, relu=0.1)) == f"{said} between the steps in NumPy."
    assert (
        summary(watched(blocks=1))
        == "In the one block, the largest part of a training step was between the steps in NumPy."
    )


def test_each_mark_of_the_chart_has_its_interval_and_its_count() -> None:
    (figure,) = [f for f in sections.document(gathered(watched())).figures() if f.name == "time-per-step"]
    told = [row["description"] for panel in figure.spec["vconcat"] for row in panel["layer"][-2]["data"]["values"]]
    assert len(told) == len(synthetic.STEPS)
    assert all(re.fullmatch(r"NumPy: \S+ µs \(\S+ to \S+; 6\), \d+%", words) for words in told)


@pytest.mark.parametrize("records", [measured([(cell("jax"), 1e-4)]), [synthetic.run([])]])
def test_a_run_in_which_nothing_was_watched_says_nothing_of_it(records: list[record.Record]) -> None:
    assert "Time per step of the network" not in page(records)


def test_who_was_not_watched_is_of_the_same_setting_as_what_is_shown() -> None:
    others = [cell("torch", threads=1), cell("keras-jax", mode="tuned"), cell("keras-torch", batch=32)]
    timed = measured([(each, 4e-4) for each in (cell("numpy"), cell("jax"), *others)])
    text = page([*timed, *(profile(cell("numpy"), block) for block in range(6))])
    assert "Not watched: JAX and Keras-JAX tuned. One compiled program" in text
