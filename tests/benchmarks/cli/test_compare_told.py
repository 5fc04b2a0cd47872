"""What a comparison of two results folders tells, as text and as JSON, on records made up for it."""

import statistics as stdlib

from benchmarks import statistics
from benchmarks.records import record
from benchmarks.statistics import compare_unpaired
from tests.support import synthetic
from tests.support.synthetic import cell
from tests.support.two_runs import (
    TORCH,
    US_100,
    Folders,
    quiet,
    with_version,
)


def test_the_output_warns_that_drift_is_in_the_ratio(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((TORCH, US_100)))
    for text in (folders.compare().stdout, " ".join(folders.found()["warnings"])):
        assert "measured at different times" in text
        assert "drifted between them" in text
        assert "measure both in turns in one run (docs/ci.md)" in text


def test_a_broken_line_is_told(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((TORCH, US_100)))
    with (folders.b / "records.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "tim')
    assert any(text.startswith("B: records.jsonl line") for text in folders.found()["warnings"])


def test_the_table_is_aligned_plain_and_after_the_summary(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((TORCH, 1.5 * US_100)))
    text = folders.compare().stdout
    assert text.startswith("The comparison of B with A fails: 1 slower and 1 tied (margin 3%).\n")
    assert "\x1b" not in text
    header, *rows = text.split("\n\n")[1].splitlines()
    assert [row.split()[0] for row in rows] == ["slower", "tied"]
    for row, name in zip(rows, ("torch", "numpy"), strict=True):
        assert row.index(name) == header.index("cell")
    assert "1.50" in rows[0]
    assert "150 µs" in rows[0]


def test_the_table_fits_a_terminal_and_says_once_what_all_cells_share(folders: Folders) -> None:
    cells = [
        (cell(name, phase, batch), US_100)
        for name in ("torch", "jax")
        for phase in ("train_step", "predict")
        for batch in (1, 512)
    ]
    failed = record.OutcomeRecord(cell=TORCH, block=0, status="failed", reason="a long reason " * 20)
    folders.save(quiet((TORCH, US_100), *cells), [*quiet((TORCH, 1.0345 * US_100), *cells, noise=0.003), failed])
    above, table = folders.compare().stdout.split("\n\n")
    assert above.splitlines()[-2:] == [
        "All cells: mlp, cpu, t2, float32, plain, width128.",
        "Blocks in A and B: 6 and 6, where nothing else is said.",
    ]
    assert "    6 and 5 blocks; B: failed: a long reason" in table
    assert max(map(len, table.splitlines())) <= 80
    assert "torch train_step batch512" in table
    assert sum("a long reason" in line for line in table.splitlines()) > 1


def test_foreign_text_cannot_break_a_line(folders: Folders) -> None:
    hostile = cell("evil\nname\x1b[31m\u202e")
    folders.save(quiet((hostile, US_100)), with_version(quiet((hostile, US_100)), "numpy", numpy="1\n\x1b[31m"))
    text = folders.compare().stdout
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text.split("\n\n")[1].splitlines()) == 3


def test_json_has_the_numbers_as_they_are(folders: Folders) -> None:
    old, new = quiet((TORCH, US_100), noise=0.01), quiet((TORCH, 1.5 * US_100), noise=0.02)
    folders.save(old, new)
    row = folders.rows(code=5)[TORCH.id]
    medians = [
        [stdlib.median(item.per_call) for item in records if item.kind == "timing" and item.cell == TORCH]
        for records in (old, new)
    ]
    comparison = compare_unpaired(medians[1], medians[0])
    assert row["comparison"]["ratio"] == {
        "value": comparison.ratio.value, "low": comparison.ratio.low, "high": comparison.ratio.high, "blocks": 6,
    }  # fmt: skip
    assert row["comparison"]["p_value"] == comparison.p_value
    assert row["B"]["seconds"]["value"] == statistics.estimate(medians[1]).value
    assert row["A"]["standing"] == "ranked"


def test_the_same_folders_give_the_same_bytes(folders: Folders) -> None:
    folders.save(synthetic.quick(), synthetic.quick())
    for options in ([], ["--json"]):
        assert folders.compare(*options).stdout_bytes == folders.compare(*options).stdout_bytes
    assert folders.compare("--json").exit_code == 0
