"""The matrix of ratios and the ranks in it: what each cell says, and what may not be ranked."""

import math
import re
from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks import wording
from benchmarks.analysis.ranking import comparison_groups
from benchmarks.records import record
from benchmarks.records.record import Record
from benchmarks.report import dataframe
from benchmarks.report.document import Table
from benchmarks.report.sections import ranking
from tests.support import report_text, synthetic
from tests.support.report_text import gathered
from tests.support.synthetic import MICROSECOND, cell, measured, proof, timing

INTERVAL = r"\(\d+\.\d+ to \d+\.\d+\)"


def pair(ratio: float, blocks: int = 6, noise: float = 0.002) -> list[Record]:
    """NumPy at 100 us, PyTorch at `ratio` times that."""
    return measured([(cell("numpy"), 1e-4), (cell("torch"), ratio * 1e-4)], blocks, noise)


def matrices(records: Sequence[Record]) -> list[Table]:
    whole_run = gathered(records)
    blocks = ranking.section(whole_run, comparison_groups(whole_run)).blocks
    return [block for block in blocks if isinstance(block, Table) and block.heat]


def row(records: Sequence[Record], label: str) -> list[str]:
    """What the only matrix says of that implementation."""
    (matrix,) = matrices(records)
    (found,) = (row for row in matrix.rows if row[0] == label)
    return list(found[1:])


def table(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """The flat table by framework, for runs with one group."""
    whole_run = gathered(records)
    rows = dataframe.cells(whole_run, comparison_groups(whole_run)).astype(object)
    rows = rows.where(rows.notna(), None)
    return {str(found["framework"]): dict(zip(rows.columns, found, strict=True)) for _, found in rows.iterrows()}


def test_a_cell_has_rank_ratio_and_interval_and_the_fastest_its_time() -> None:
    assert re.fullmatch(r"1: \d+(\.\d)? µs", row(pair(1.5), "NumPy")[0])
    (slower,) = row(pair(1.5), "PyTorch")
    assert re.fullmatch(rf"2: 1\.50 {INTERVAL}", slower)
    assert isinstance(slower, wording.Quantity)
    assert slower.value == pytest.approx(1.5, rel=0.01)
    rows = table(pair(1.5))
    assert (rows["numpy"]["rank"], rows["numpy"]["verdict"]) == ("1", "fastest")
    assert (rows["torch"]["rank"], rows["torch"]["verdict"]) == ("2", "slower")


def test_a_tie_is_called_a_tie_and_shares_the_rank() -> None:
    (matrix,) = matrices(pair(1.001))
    (time,) = (found[1] for found in matrix.rows if found[1].endswith("µs"))
    (ratio,) = (found[1] for found in matrix.rows if not found[1].endswith("µs"))
    assert time.startswith("1: ")
    assert re.fullmatch(rf"1: (1\.00|0\.99)\d* {INTERVAL} tied", ratio)
    assert {found["rank"] for found in table(pair(1.001)).values()} == {"1"}
    assert {found["verdict"] for found in table(pair(1.001)).values()} == {"tied"}


def test_what_was_not_settled_is_said_and_shares_a_range() -> None:
    (matrix,) = matrices(pair(1.03, noise=0.02))
    assert re.fullmatch(rf"1–2: 1\.0\d+ {INTERVAL} not settled", matrix.rows[1][1])
    assert {found["rank"] for found in table(pair(1.03, noise=0.02)).values()} == {"1-2"}


def test_too_few_blocks_give_no_rank_however_large_the_ratio() -> None:
    assert re.fullmatch(rf"5\.\d+ {INTERVAL} too few blocks", row(pair(5, blocks=3), "PyTorch")[0])
    assert {found["rank"] for found in table(pair(5, blocks=3)).values()} == {""}


def test_one_block_has_no_interval() -> None:
    assert row(pair(2, blocks=1, noise=0), "PyTorch")[0].endswith("too few blocks")
    assert "(" not in row(pair(2, blocks=1), "PyTorch")[0]
    rows = table(pair(2, blocks=1))
    assert rows["numpy"]["time_s"] > 0
    assert rows["numpy"]["time_low_s"] is None
    assert rows["torch"]["ratio_low"] is None


def test_a_variant_of_its_own_has_a_ratio_and_no_rank() -> None:
    records = measured([(cell("numpy"), 1e-4), (cell("numpy", variant="stock"), 5e-5)], noise=0.002)
    assert re.fullmatch(rf"0\.50\d* {INTERVAL} own variant, faster", row(records, "NumPy (stock)")[0])


def test_what_shares_no_block_has_its_time_alone() -> None:
    records = [r for r in pair(1.5) if r.kind != "timing" or (r.block < 3) == (r.cell == cell("numpy"))]
    (alone,) = row(records, "PyTorch")
    assert alone.endswith("µs, not compared")
    assert isinstance(alone, wording.Quantity)
    assert math.isnan(alone.value)  # no ratio to be sorted among ratios


@pytest.mark.parametrize("error", [41.0, float("nan"), float("inf")])
def test_an_unequal_cell_loses_its_rank_and_coverage_says_why(error: float) -> None:
    records = [
        proof(cell("torch"), 2, error)
        if isinstance(item, record.ProofRecord) and item.who.framework == "torch" and item.block == 2
        else item
        for item in pair(0.5)
    ]
    why = "not proved equal in block 2: gradients, dense1.weight: error"
    assert row(records, "PyTorch") == ["not proved"]
    assert why in report_text.section(records, "Coverage").replace("\\", "")
    rows = table(records)
    assert (rows["torch"]["rank"], rows["torch"]["standing"]) == ("", "not proved")
    assert why in rows["torch"]["reason"]
    assert rows["torch"]["ratio_to_best"] is None
    assert (rows["numpy"]["rank"], rows["numpy"]["verdict"]) == ("1", "alone")


def test_a_time_without_a_proof_in_its_block_loses_the_rank() -> None:
    records = [
        r for r in pair(0.5) if not (isinstance(r, record.ProofRecord) and r.block == 4 and r.who.framework == "torch")
    ]
    assert row(records, "PyTorch") == ["not proved"]
    rows = table(records)
    assert (rows["torch"]["rank"], rows["torch"]["reason"]) == ("", "no proof in block 4")


def test_a_proof_at_another_size_is_no_proof() -> None:
    records = [r for r in pair(0.5) if not (isinstance(r, record.ProofRecord) and r.who.framework == "torch")]
    records += [proof(cell("torch", batch=32), block) for block in range(6)]
    assert table(records)["torch"]["standing"] == "not proved"


@pytest.mark.parametrize("status", ["failed", "skipped", "unequal"])
def test_a_hole_has_a_reason_and_no_number(status: Any) -> None:
    records = [r for r in pair(1.5) if not (isinstance(r, record.TimingRecord) and r.cell.who.framework == "torch")]
    records.append(record.OutcomeRecord(cell=cell("torch"), block=0, status=status, reason="it broke", fix="mend it"))
    assert row(records, "PyTorch") == [status]
    found = table(records)["torch"]
    assert (found["status"], found["reason"], found["rank"], found["verdict"]) == (status, "it broke", "", "")
    assert found["time_s"] is None
    assert found["samples_per_s"] is None


def test_variants_floors_and_peers_are_never_ranked() -> None:
    stock = cell("keras-tensorflow", variant="stock")
    records = [*pair(1.5), *measured([(stock, 50 * MICROSECOND)])[1:]]
    beside = cell("scikit-learn"), cell("cupy", "products")
    records += [timing(of, block, 10 * MICROSECOND, ranked=False) for of in beside for block in range(6)]
    (matrix,) = matrices(records)
    assert {found[0] for found in matrix.rows} == {"NumPy", "PyTorch", "Keras-TensorFlow (stock)"}
    rows = table(records)
    assert rows["numpy"]["verdict"] == "fastest"
    assert (rows["cupy"]["phase"], rows["cupy"]["rank"], rows["cupy"]["verdict"]) == ("products", "", "")
    assert (rows["keras-tensorflow"]["rank"], rows["keras-tensorflow"]["verdict"]) == ("", "faster")
    assert (rows["scikit-learn"]["rank"], rows["scikit-learn"]["verdict"]) == ("", "")


def test_there_is_one_matrix_per_setting_the_first_open_with_a_column_per_phase_and_size() -> None:
    cells = [cell("numpy", phase, batch, mode=mode) for mode in ("plain", "tuned")
             for phase in ("train_step", "predict") for batch in (1, 64)]  # fmt: skip
    plain, tuned = matrices(measured([(of, 1e-4) for of in cells]))
    assert (plain.folded, tuned.folded) == (False, True)
    assert "plain" in plain.caption
    assert "tuned" in tuned.caption
    phases = [f"{phase}, batch {batch}" for phase in ("training step", "prediction") for batch in (1, 64)]
    assert list(plain.columns) == list(tuned.columns) == ["implementation", *phases]
    assert list(plain.numeric) == phases


@pytest.mark.parametrize("changes", [{"elapsed_s": [1.0, 0.0]}, {"elapsed_s": []}, {"loops": 0}, {"warmup_rounds": 99}])
def test_rounds_that_cannot_be_times_are_a_failure(changes: dict[str, Any]) -> None:
    records: list[Record] = [synthetic.run([cell("numpy")], 1)]
    records.append(timing(cell("numpy"), 0, 1.0, **({"warmup_rounds": 0} | changes)))
    assert table(records)["numpy"]["status"] == "failed"


def test_a_repeated_block_counts_once_and_is_reported() -> None:
    records = [*pair(1.5), timing(cell("numpy"), 5, 90 * MICROSECOND)]
    assert len(gathered(records).problems) == 1
    assert table(records)["numpy"]["blocks"] == 6
