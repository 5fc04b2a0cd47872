"""Coverage counts the blocks that were measured, further ones than were planned too."""

from benchmarks.records import record
from tests.support import report_text
from tests.support.synthetic import cell, measured


def test_a_hole_in_a_run_of_more_blocks_than_planned_is_one() -> None:
    records = measured([(cell("numpy"), 1e-4), (cell("torch"), 2e-4)], blocks=9)
    records[0] = records[0].model_copy(update={"blocks": 6})
    whole = [*records, *(record.BlockRecord(block=k, wall_s=1.0) for k in range(9))]
    results = report_text.gathered(whole)
    assert (results.block_count, results.holes()) == (9, [])
    lost = [r for r in whole if not (r.kind == "timing" and r.block == 2 and r.cell.who.framework == "torch")]
    assert [entry.cell.who.framework for entry in report_text.gathered(lost).holes()] == ["torch"]
    page = report_text.page(lost)
    assert "2 cells planned, 1 measured in all 9 blocks" in page
    assert "8 of 9" in page


def test_last_lines_that_several_cells_share_stand_once() -> None:
    cells = [cell("torch", phase=phase) for phase in ("train_step", "predict", "epoch")]
    records = measured([(cell("numpy"), 1e-4)])
    for of, last in zip(cells, ("RuntimeError: a", "RuntimeError: a", "RuntimeError: b"), strict=True):
        records.append(record.OutcomeRecord(cell=of, block=0, status="failed", reason="lost", last_lines=[last]))
    page = report_text.page(records)
    assert page.count("RuntimeError: a") == page.count("RuntimeError: b") == 1
    assert f"Last lines: {cells[0].id} and 1 more" in page
    assert f"Last lines: {cells[2].id}:" in page
