"""The flat table: it holds what was measured, and says what each of its columns is."""

import csv
import json
from pathlib import Path

import pytest

from benchmarks.analysis.ranking import comparison_groups
from benchmarks.records.record import Record
from benchmarks.report import dataframe
from tests.support import synthetic
from tests.support.report_text import gathered
from tests.support.synthetic import cell, measured, proof, timing


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def one_row(records: list[Record]) -> dict[str, float]:
    """Of a run with one cell."""
    whole_run = gathered(records)
    (found,) = dataframe.cells(whole_run, comparison_groups(whole_run)).to_dict("records")
    return {str(name): value for name, value in found.items()}


def test_every_column_has_a_meaning_and_no_meaning_stands_alone(quick_folder: Path) -> None:
    with (quick_folder / "columns.csv").open(encoding="utf-8") as file:
        meanings = {row["column"]: row["meaning"] for row in csv.DictReader(file)}
    assert list(meanings) == list(rows(quick_folder)[0])
    assert all(meanings.values())
    assert meanings["axis_batch"] == "the size on the axis batch"
    assert meanings["step_dense_s"] == "dense within a watched training step, seconds"
    assert dataframe.MEANINGS.keys() - meanings.keys() == {"run"}


def test_both_tables_hold_a_row_per_cell(quick_folder: Path) -> None:
    lines = [json.loads(line) for line in (quick_folder / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    cells = {item.cell.id for item in synthetic.quick() if item.kind in ("timing", "outcome")}
    assert {line["cell"] for line in lines} == {row["cell"] for row in rows(quick_folder)} == cells
    assert len(lines) == len(rows(quick_folder)) == len(cells)
    assert list(lines[0]) == list(rows(quick_folder)[0])


def test_processor_seconds_are_per_call_after_the_warm_up_and_empty_where_a_run_did_not_count_them() -> None:
    of = cell("numpy")
    counted = [
        r if r.kind != "timing" else timing(of, r.block, 1e-4, cpu_s=[9.0, 9.0, *[2e-3 + 1e-4 * r.block] * 10])
        for r in measured([(of, 1e-4)])
    ]
    assert one_row(counted)["cpu_s"] == pytest.approx(2.25e-4)
    for uncounted in ([], [2e-3]):
        records = [
            r if r.kind != "timing" else timing(of, r.block, 1e-4, cpu_s=uncounted) for r in measured([(of, 1e-4)])
        ]
        assert one_row(records)["cpu_s"] is None


def test_tokens_are_counted_where_some_are_read() -> None:
    of = cell("numpy")
    read = [
        r if r.kind != "timing" else timing(of, r.block, 1e-4, tokens_per_call=2048) for r in measured([(of, 1e-4)])
    ]
    found = one_row(read)
    assert found["tokens_per_s"] == pytest.approx(2048 / found["time_s"])
    assert one_row(measured([(of, 1e-4)]))["tokens_per_s"] is None


def test_what_a_run_cost_stands_with_its_cell(quick_folder: Path) -> None:
    (found,) = (row for row in rows(quick_folder) if row["cell"] == cell("numpy").id)
    costs = {
        "import_s": 1.0, "installed_bytes": 1e8, "host_before_bytes": 5e7, "host_peak_bytes": 5.5e7,
        "first_call_s": 0.1, "second_call_s": 0.01, "rounds": 60, "blocks": 6,
    }  # fmt: skip
    assert {name: float(found[name]) for name in costs} == costs
    assert float(found["samples_per_s"]) == pytest.approx(256 / float(found["time_s"]))
    assert float(found["step_dense_s"]) > float(found["step_loss_s"]) > 0
    assert found["device_peak_bytes"] == found["joules_per_sample"] == ""
    (predicting,) = (row for row in rows(quick_folder) if row["cell"] == cell("numpy", "predict").id)
    assert predicting["import_s"] == "1.0"
    assert predicting["host_peak_bytes"] == predicting["step_dense_s"] == ""


def test_latencies_are_those_of_the_blocks() -> None:
    """In each block 98 rounds of 100 µs and 3 long ones, so p50 is 100 µs and p99 the shortest of these: 200 or 400 µs."""
    alone = cell("numpy", "predict", batch=1)
    records: list[Record] = [synthetic.run([alone])]
    for block in range(6):
        longest = (200 if block else 400) * 1e-6
        seconds = [100e-6] * 98 + [longest] * 3
        records += [proof(alone, block), timing(alone, block, 1, warmup_rounds=0, loops=1, elapsed_s=seconds,
                                                started_at_s=[float(k) for k in range(101)])]  # fmt: skip
    found = one_row(records)
    assert found["p50_s"] == pytest.approx(100e-6)
    assert found["p99_s"] == pytest.approx(200e-6)


def test_the_spread_is_that_between_blocks() -> None:
    of = cell("numpy")
    records: list[Record] = [synthetic.run([of], 3)]
    for block, seconds in enumerate((1.0, 2.0, 3.0)):
        records += [proof(of, block), timing(of, block, 1, warmup_rounds=0, loops=1, elapsed_s=[seconds] * 12)]
    assert one_row(records)["spread_between"] == pytest.approx(0.5)
    assert one_row(measured([(of, 1.0)], blocks=1))["spread_between"] is None
