"""Tuned against plain: only the same implementation, both ranked, with an interval; what is slower is named."""

import dataclasses
from typing import Any

import pytest

from benchmarks.analysis import ranking
from benchmarks.analysis.results import Results
from benchmarks.records.record import Cell
from benchmarks.report import dataframe
from benchmarks.report.sections import answer
from tests.support import report_text, synthetic


def gathered(*timed: tuple[Cell, float]) -> Results:
    return report_text.gathered(synthetic.measured(timed, noise=0.001))


def section(whole_run: Results) -> str:
    return report_text.section(whole_run, "Does tuning pay?")


def test_each_implementation_is_held_against_itself() -> None:
    numpy, torch = (synthetic.cell(name) for name in ("numpy", "torch"))
    fast, slow = (synthetic.cell(name, mode="tuned") for name in ("numpy", "torch"))
    told = section(gathered((numpy, 2e-3), (torch, 1e-3), (fast, 1e-3), (slow, 1.5e-3)))
    assert "2 comparisons: 1 faster and 1 slower. Slower: PyTorch at batch 256, width 128 (training step)." in told
    row = next(line for line in told.splitlines() if line.startswith("| NumPy"))
    assert "| 0.50 |" in row
    assert row.endswith("| faster |")


def test_modes_are_ranked_apart() -> None:
    cells = [(synthetic.cell("numpy", mode=mode), 1e-3) for mode in ("plain", "tuned")]
    assert [len(group.places) for group in ranking.comparison_groups(gathered(*cells))] == [1, 1]


UNSAID = "Whether tuning pays: --mode plain,tuned."


@pytest.mark.parametrize("other", [{}, {"variant": "stock"}, {"precision": "float64"}, {"framework": "torch"}])
def test_without_a_counterpart_nothing_is_claimed(other: dict[str, Any]) -> None:
    further = [(synthetic.cell(**({"framework": "numpy", "mode": "tuned"} | other)), 1e-3)] if other else []
    page = report_text.text_of(gathered((synthetic.cell("numpy"), 1e-3), *further))
    assert "Does tuning pay?" not in page
    assert UNSAID in page


def test_with_both_modes_screen_one_does_not_list_it() -> None:
    both = gathered(*((synthetic.cell("numpy", mode=mode), 1e-3) for mode in ("plain", "tuned")))
    assert UNSAID not in report_text.text_of(both)


def test_where_no_framework_has_a_tuned_mode_screen_one_does_not_list_it() -> None:
    whole_run = gathered((synthetic.cell("numpy"), 1e-3))
    networks = [network.model_copy(update={"has_tuned": False}) for network in whole_run.run.networks]
    run = whole_run.run.model_copy(update={"networks": networks})
    told = answer.unsaid_items(dataclasses.replace(whole_run, run=run))
    assert told
    assert UNSAID not in told


def test_the_times_of_the_matrix_products_alone_are_in_the_table_for_programs() -> None:
    plain, tuned = synthetic.cell("numpy"), synthetic.cell("numpy", mode="tuned")
    records = synthetic.measured([(plain, 2e-3), (tuned, 1.2e-3)], noise=0.001)
    products = synthetic.cell("numpy", "products")
    records += [synthetic.timing(products, block, 1e-3, noise=0.001, ranked=False) for block in range(6)]
    whole_run = report_text.gathered(records)
    table = dataframe.cells(whole_run, ranking.comparison_groups(whole_run))
    rows = {(row["phase"], row["mode"]): row for row in table.to_dict("records")}
    alone = rows["products", "plain"]
    assert (alone["standing"], alone["rank"], alone["verdict"]) == ("beside", "", "")
    for mode, ratio in (("plain", 2.0), ("tuned", 1.2)):
        assert rows["train_step", mode]["time_s"] / alone["time_s"] == pytest.approx(ratio, rel=0.02)
