"""Sweeps: each time per sample with its own interval, bars cut and never left out, what a larger size does in words."""

import re

import pytest

from benchmarks.records.record import Cell, Record
from benchmarks.report.document import Figure
from tests.support import report_text, synthetic
from tests.support.report_text import document
from tests.support.synthetic import cell, measured

SKEWED = (1.0, 1.0, 1.0, 1.02, 0.98, 2.0)
"""Blocks of which one was disturbed."""


def section(records: list[Record]) -> str:
    return report_text.section(records, "How does the size matter?")


def blockwise(of: Cell, seconds: float, factors: tuple[float, ...]) -> list[Record]:
    """Timed and proved, each block by its own factor, without further noise."""
    records: list[Record] = []
    for block, factor in enumerate(factors):
        records += [synthetic.proof(of, block), synthetic.timing(of, block, factor * seconds, noise=0.0)]
    return records


def swept(factors: tuple[float, ...] = SKEWED) -> list[Record]:
    cells = [cell("numpy", batch=batch) for batch in (32, 512)]
    records: list[Record] = [synthetic.run(cells, blocks=len(factors))]
    return records + blockwise(cells[0], 32e-4, factors) + blockwise(cells[1], 512e-5, (1.0,) * len(factors))


def test_an_interval_is_shown_from_low_to_high_with_its_count() -> None:
    (row,) = [line for line in section(swept()).splitlines() if line.startswith("| NumPy")]
    shown = row.split(" | ")[1]
    low, high = map(float, re.findall(r"^\d+ µs \((\d+) to (\d+)\)$", shown)[0])
    assert 100 - low < high - 100, "it is not symmetric"
    assert "±" not in section(swept())


def test_a_wide_interval_is_cut_where_it_leaves_the_chart() -> None:
    (figure,) = [f for f in document(swept((1.0, 30.0))).figures() if f.name.startswith("sweep")]
    y = figure.spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    bars = [row for layer in figure.spec["layer"] for row in layer["data"]["values"] if "high" in row]
    assert [bar["high"] for bar in bars if bar["x"] == 32] == [y[1]]
    assert "cut where they leave the chart" in figure.how_to_read


def test_each_mark_tells_its_time_with_interval_and_count() -> None:
    (figure,) = [f for f in document(swept()).figures() if f.name.startswith("sweep")]
    told = [
        row["description"] for layer in figure.spec["layer"] for row in layer["data"]["values"] if "description" in row
    ]
    assert len(told) == 2
    assert all(re.fullmatch(r"NumPy, batch (32|512): [\d.]+ µs \([\d.]+ to [\d.]+; 6\)", words) for words in told)


@pytest.mark.parametrize(
    ("larger", "factors", "said"),
    [
        (512e-5, (1.0,) * 6, "of NumPy falls."),
        (512e-3, (1.0,) * 6, "of NumPy rises."),
        (512e-4, (0.5, 2.0, 1.0, 0.7, 1.5, 1.1), "of NumPy may fall or rise: not settled."),
        (512e-5, (1.0,), "of NumPy seems to fall (fewer than 6 blocks)."),
        (512e-3, (1.0,), "of NumPy seems to rise (fewer than 6 blocks)."),
    ],
    ids=["falls", "rises", "not settled", "one block falls", "one block rises"],
)
def test_what_a_larger_size_does_is_said_in_words(larger: float, factors: tuple[float, ...], said: str) -> None:
    cells = [cell("numpy", batch=batch) for batch in (32, 512)]
    records: list[Record] = [synthetic.run(cells, blocks=len(factors))]
    records += blockwise(cells[0], 32e-4, factors) + blockwise(cells[1], larger, (1.0,) * len(factors))
    assert f"From batch 32 to batch 512 the time per sample {said}" in section(records)


def test_several_lines_are_told_together_and_not_compared() -> None:
    timed = [(cell(name, batch=batch), 1e-4) for name in ("numpy", "torch") for batch in (32, 512)]
    timed += [(cell("jax", batch=batch), batch * batch * 1e-7) for batch in (32, 512)]
    text = section(measured(timed))
    assert "From batch 32 to batch 512 the time per sample of PyTorch and NumPy falls." in text
    assert "From batch 32 to batch 512 the time per sample of JAX rises." in text


def test_what_is_timed_first_is_drawn_and_the_matrix_has_the_rest() -> None:
    timed = [(cell("numpy", phase, batch), batch * 1e-5) for phase in ("train_step", "predict") for batch in (32, 512)]
    (sweep,) = [part for part in document(measured(timed)).sections if part.anchor == "sweep"]
    figures = [block.title for block in sweep.blocks if isinstance(block, Figure)]
    assert [title.split(" at ")[0] for title in figures] == ["Time per sample, training step"]


def test_one_size_has_no_section() -> None:
    assert "How does the size matter?" not in report_text.page(measured([(cell("numpy"), 1e-4)]))
