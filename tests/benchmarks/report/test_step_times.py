"""Time per step of the network: shares of the watched step, what watching adds, who was not watched."""

import re
from typing import Any

import pytest

from benchmarks.analysis import step_times
from benchmarks.records import record
from benchmarks.report import html, markdown, sections
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
    assert dense.endswith("; 6), 25%")
    assert dense.startswith("1")
    assert row(text, "between the steps")[1].endswith("38%")
    assert row(text, "watched / as it is")[1] == "1.50 (1.50 to 1.50; 6)"


def test_who_was_not_watched_is_told() -> None:
    assert "Not watched: JAX. Where a training step is compiled" in page(watched())


def test_a_block_that_was_repeated_counts_once() -> None:
    records = [*watched(), profile(cell("numpy"), 5, seconds=4e-4)]
    (times,) = step_times.times(gathered(records))
    assert times.whole.blocks == 6


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


def sizes(*batches: int, **options: Any) -> list[record.Record]:
    """Watched at these sizes, in this order."""
    cells = [cell("numpy", batch=batch, **options) for batch in batches]
    return [*measured([(of, 4e-4) for of in cells]), *(profile(of, block) for of in cells for block in range(6))]


def test_sizes_stand_from_small_to_large_whatever_the_order_of_the_records() -> None:
    groups = step_times.by_size(step_times.times(gathered(sizes(128, 512, 32))))
    assert [group[0].axes["batch"] for group in groups] == [32, 128, 512]
    assert step_times.middle(groups)[0].axes["batch"] == 128
    assert step_times.middle([]) == []


def test_the_drawn_size_comes_first_and_is_that_of_the_single_steps() -> None:
    text = page(sizes(128, 512, 32))
    captions = re.findall(r"^\*\*Time per step of the network, batch (\d+), width 128 \(", text, flags=re.MULTILINE)
    assert captions == ["128", "32", "512"]
    assert "| implementation | setting | time, batch 128, width 128 (95% interval; blocks) |" in text


def test_each_setting_at_that_size_tells_its_steps_times() -> None:
    both = [*sizes(32), *(r for r in sizes(32, precision="float64") if r.kind != "run")]
    table = page(both).partition("**Dense layer: time and error**")[2].partition("\n\n**")[0]
    assert len(re.findall(r"^\| NumPy \| float(?:32|64), .* µs; 6\) \|", table, flags=re.MULTILINE)) == 2


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


def test_the_largest_part_is_named_and_with_whom_it_is_not_settled() -> None:
    said = "The largest part of the watched step (its share; the time's 95% interval; blocks). NumPy: "
    assert re.search(
        re.escape(said) + r"dense layer \(42%; 1\d\d to 1\d\d µs; 6\)\.", page(shares(dense=0.4, relu=0.2, loss=0.1))
    )
    close = page(shares(dense=0.4, relu=0.39, loss=0.1))
    assert re.search(re.escape(said) + r"dense layer \(42%; .*; 6\) or relu \(41%; .*; 6\), not settled which\.", close)
    assert re.search(re.escape(said) + r"between the steps \(7\d%; ", page(shares(dense=0.1, relu=0.1)))
    assert re.search(re.escape(said) + r"between the steps \(38%; –; 1\)\.", page(watched(blocks=1)))


def test_each_mark_of_the_chart_has_its_interval_and_its_count() -> None:
    (figure,) = [f for f in sections.document(gathered(watched())).figures() if f.name == "time-per-step"]
    told = [row["description"] for panel in figure.spec["vconcat"] for row in panel["layer"][-2]["data"]["values"]]
    assert len(told) == len(synthetic.STEPS)
    assert all(re.fullmatch(r"NumPy: \S+ µs \(\S+ to \S+ µs; 6\), \d+%", words) for words in told)


def test_the_code_of_a_step_stands_below_its_explanation_with_its_hash() -> None:
    source = synthetic.source("numpy", "dense", "z = x @ weight")
    text = page([*watched(), source])
    assert "A neuron weighs its inputs" in text
    assert f"mlp\\_numpy.py · SHA-256 {source.sha256[:12]}:\n\n```python\nz = x @ weight\n```" in text.replace(
        "mlp_", "mlp\\_"
    )


def test_a_missing_time_of_a_step_is_explained() -> None:
    records = watched()
    assert "In the tables of time and error, – is a time that is not known: where a training step is compiled" in page(
        records
    )
    code = [*records, synthetic.source("numpy", "dense")]
    assert "In the tables of time and error, – is a time" in page(code)
    assert "no training step was watched in this run" in page(measured([(cell("jax"), 1e-4)]))


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("z = x W + b        x (B, D), W (D, H)", "z = x W + b, x (B, D), W (D, H)"),
        ("v = mu v + g;  w = w - lr v        (SGD)", "v = mu v + g; w = w - lr v (SGD)"),
    ],
)
def test_the_parts_of_a_formula_stay_apart(formula: str, shown: str) -> None:
    steps = [
        {
            "name": "dense",
            "title": "Dense layer",
            "formula": formula,
            "explanation": "",
            "source": "",
            "shown_by": "loss",
        }
    ]
    document = sections.document(gathered(measured([(cell("numpy"), 1e-4)], steps=steps)))
    assert f"| Dense layer | {shown} |" in markdown.render(document, {})
    assert f'<p class="formula">{shown}</p>' in html.render(document, {})


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
