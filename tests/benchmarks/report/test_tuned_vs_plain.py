"""Tuned against plain: only the same implementation, both ranked, with an interval; what is slower is named."""

from typing import Any

import pytest

from benchmarks.analysis import ranking
from benchmarks.analysis.results import Results
from benchmarks.records.record import Cell
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


@pytest.mark.parametrize("other", [{}, {"variant": "stock"}, {"precision": "float64"}])
def test_without_a_counterpart_nothing_is_claimed(other: dict[str, Any]) -> None:
    alone = (synthetic.cell("numpy"), 1e-3)
    further = [(synthetic.cell("numpy", mode="tuned", **other), 1e-3)] if other else []
    assert "no implementation in both modes" in section(gathered(alone, *further))


def test_both_modes_stand_beside_their_matrix_products() -> None:
    plain, tuned = synthetic.cell("numpy"), synthetic.cell("numpy", mode="tuned")
    records = synthetic.measured([(plain, 2e-3), (tuned, 1.2e-3)], noise=0.001)
    records += [
        synthetic.timing(synthetic.cell("numpy", "products"), b, 1e-3, noise=0.001, ranked=False) for b in range(6)
    ]
    page = report_text.page(records)
    table = page.partition("its matrix products alone")[2].partition("\n\n")[0]
    ratios = {
        line.split(" | ")[0].strip("| "): line.split(" | ")[5]
        for line in table.splitlines()
        if line.startswith("| NumPy")
    }
    assert ratios.keys() == {"NumPy", "NumPy tuned"}
    assert float(ratios["NumPy"]) == pytest.approx(2.0, rel=0.02)
    assert float(ratios["NumPy tuned"]) == pytest.approx(1.2, rel=0.02)
