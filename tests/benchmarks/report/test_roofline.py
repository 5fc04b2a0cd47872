"""Times against their floors, from made-up records whose truth is known: peaks, what a call needs at least, the fit."""

import re
import sys
from typing import Any

import pytest

from benchmarks import statistics
from benchmarks.analysis import ranking, roofline
from benchmarks.analysis.results import Results
from benchmarks.records.record import Cell, Record
from benchmarks.report import dataframe, sections
from benchmarks.report.document import Figure, Table, Text
from tests.support import report_text, synthetic

BLOCKS = 6
PEAK, COPY = 1e9, 1e8
"""Operations and bytes per second."""


def timed(
    cell: Cell, seconds: float, flops: int, moved: int, noise: float = 0.001, least: int | None = None
) -> list[Record]:
    work: dict[str, Any] = {"flops_per_call": flops, "least_flops_per_call": least, "bytes_per_call": moved}
    work["ranked"] = cell.phase not in ("peak", "copy")
    records: list[Record] = []
    for block in range(BLOCKS):
        records += [synthetic.timing(cell, block, seconds, noise=noise, **work), synthetic.proof(cell, block)]
    return records


def gathered(*cells: tuple[Any, ...], without: str = "") -> Results:
    libraries = [(framework, PEAK, COPY / slower) for framework, slower in (("numpy", 1), ("torch", 2))]
    records: list[Record] = []
    for framework, peak, copy in libraries:
        records += timed(synthetic.cell(framework, "peak"), 1.0, int(peak), 0)
        records += timed(synthetic.cell(framework, "copy"), 1.0, 0, int(copy))
    for cell in cells:
        records += timed(*cell)
    records = [r for r in records if not without or r.kind != "timing" or r.cell.phase != without]
    return report_text.gathered([synthetic.run([cell for cell, *_ in cells]), *records])


def test_the_floor_is_products_and_bytes_at_the_measured_rates() -> None:
    cell = synthetic.cell("torch", mode="tuned")
    (floor,) = roofline.floors(gathered((cell, 4e-3, 10**6, 10**5)))
    assert floor.products_s == pytest.approx(1e-3, rel=0.02)
    assert floor.bytes_s == pytest.approx(1e-3, rel=0.02), "the better of the two copies"
    assert floor.efficiency.value == pytest.approx(0.5, rel=0.02)
    assert floor.efficiency.low < 0.5 < floor.efficiency.high
    assert floor.efficiency.blocks == BLOCKS


@pytest.mark.parametrize("missing", ["peak", "copy"])
def test_without_a_measured_rate_there_is_no_floor(missing: str) -> None:
    assert roofline.floors(gathered((synthetic.cell("numpy"), 1e-3, 10**6, 10**5), without=missing)) == []


def test_of_other_threads_nothing_is_known() -> None:
    assert roofline.floors(gathered((synthetic.cell("numpy", threads=1), 1e-3, 10**6, 10**5))) == []


def test_overhead_and_rate_are_found_again() -> None:
    cells = growing()
    (fit,) = roofline.fits(gathered(*cells, without="peak"))
    assert fit.flops_per_s.value == pytest.approx(5e9, rel=0.05)
    assert fit.overhead_s is not None
    assert fit.overhead_s.value == pytest.approx(1e-3, rel=0.05)
    assert roofline.fits(gathered(*cells[:2], without="peak")) == []


@pytest.mark.parametrize(
    ("work", "seconds", "line"),
    [
        ([1.0, 2.0, 4.0], [1.5, 2.5, 4.5], (0.5, 1.0)),
        ([1.0, 2.0, 4.0], [1.0, 2.0, 4.0], (0.0, 1.0)),
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], None),
        ([1.0, 2.0, 4.0], [4.0, 2.0, 1.0], None),
    ],
)
def test_the_fit(work: list[float], seconds: list[float], line: tuple[float, float] | None) -> None:
    assert statistics.fit(work, seconds) == (None if line is None else pytest.approx(line, abs=1e-9))


def section(whole_run: Results) -> str:
    return report_text.section(whole_run, "Why?")


def growing() -> list[tuple[Any, ...]]:
    """Cells of an overhead of 1 ms and a rate of 5 GFLOP/s."""
    work = [(batch, batch * 10**6) for batch in (32, 128, 512)]
    return [(synthetic.cell("numpy", batch=batch), 1e-3 + flops / 5e9, flops, 0) for batch, flops in work]


def test_the_section_says_who_is_nearest_and_what_the_libraries_reach() -> None:
    near, far = synthetic.cell("numpy"), synthetic.cell("torch")
    text = section(gathered((near, 2.5e-3, 10**6, 10**5), (far, 9e-3, 10**6, 10**5)))
    where = "in the training step at batch 256, width 128, float32, plain, 2 threads"
    assert f"Nearest to its floor is NumPy with 80% (79% to 81%; 6) {where}" in text
    assert "the share of what the library's own rates allow" in text
    assert re.search(
        r"\| NumPy \| \S+ [GM]FLOP/s \(\S+ to \S+\) \| \S+ MB/s \(\S+ to \S+\) \|",
        text,
    )
    assert "Efficiency is floor over time." in text


def test_a_floor_has_its_parts_and_its_efficiency_in_a_row() -> None:
    text = section(gathered((synthetic.cell("numpy"), 4e-3, 10**6, 10**5)))
    (row,) = re.findall(r"^\| NumPy \| training step, .*", text, flags=re.MULTILINE)
    assert re.search(r"\| 4\.0\d ms \(\S+ to \S+\) \| (999 µs|1\.0\d ms) \| \S+ .?s \| 50% \(\S+ to \S+\) \|$", row)


LESS = "A convolution may be computed with less arithmetic than its matrix products (Winograd, FFT), so a library may beat the floor."


@pytest.mark.parametrize(("least", "times"), [(None, 0), (10**6, 0), (10**6 // 4, 1)])
def test_beside_a_floor_that_a_library_may_beat_this_is_said_and_beside_another_it_is_not(
    least: int | None, times: int
) -> None:
    whole_run = gathered((synthetic.cell("numpy"), 4e-3, 10**6, 10**5, 0.001, least))
    (why,) = [part for part in sections.document(whole_run).sections if part.anchor == "why"]
    notes = [block.text for block in why.blocks if isinstance(block, Text) and block.text.startswith("The floor: ")]
    figures = [block.how_to_read for block in why.blocks if isinstance(block, Figure)]
    assert [text.count(LESS) for text in (*notes, *figures)] == [times, times]


def test_who_is_nearest_is_not_settled_where_intervals_overlap() -> None:
    cells = [
        (synthetic.cell(name), seconds, 10**6, 10**5, 0.1) for name, seconds in (("numpy", 2.5e-3), ("torch", 2.6e-3))
    ]
    text = section(gathered(*cells))
    assert re.search(r"Which is nearest to its floor is not settled: \w+ with \S+ \(.+ or \w+ with", text)
    assert "Nearest to its floor is" not in text


def test_too_few_blocks_settle_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "BLOCKS", 1)
    text = section(gathered((synthetic.cell("numpy"), 2.5e-3, 10**6, 10**5)))
    assert re.search(
        r"Nearest to its floor seems NumPy with 8\d% \(–; 1\).*, but there are too few blocks for a verdict", text
    )


UNSAID = "How near each is to what this machine allows: --profile full."


def test_where_there_is_no_floor_screen_one_lists_what_would_say_it() -> None:
    nothing = report_text.gathered([synthetic.run([])])
    fitted = report_text.gathered([synthetic.run([]), *(r for of in growing() for r in timed(*of))])
    assert "Nothing was measured that would say why." in section(nothing)
    assert "Overhead and rate" in section(fitted)
    assert "Nothing was measured that would say why." not in section(fitted)
    for whole_run in (nothing, fitted):
        assert UNSAID in report_text.text_of(whole_run)
        assert "earest to its floor" not in section(whole_run)


def test_where_there_are_floors_screen_one_does_not() -> None:
    assert UNSAID not in report_text.text_of(gathered(*growing()))


def test_a_floor_takes_a_copy_and_a_product() -> None:
    text = section(gathered(*growing(), without="copy"))
    assert "**What the libraries reach here (float32, 2 threads)**" in text
    assert "**Floors**" not in text


def test_overhead_and_rate_have_intervals_and_counts() -> None:
    fit = r"\| 3 \| \S+ (ms|µs) \(\S+ to \S+\) \| \S+ GFLOP/s \(\S+ to \S+\) \|"
    assert re.search(fit, section(gathered(*growing(), without="peak")))


SMALL = (synthetic.cell("numpy", batch=32), 4e-3, 10**6, 10**6)
LARGE = (synthetic.cell("numpy", batch=256), 4e-3, 10**6, 10**4)


def test_the_roofline_stands_at_the_best_library_and_the_best_copy() -> None:
    document = sections.document(gathered(SMALL, LARGE))
    (figure,) = [figure for figure in document.figures() if figure.name.startswith("roofline")]
    assert "Beyond about 10.0 operations per byte" in figure.caption
    points = [value for layer in figure.spec["layer"] for value in layer["data"]["values"] if "description" in value]
    assert sorted(round(point["x"]) for point in points) == [1, 100]
    assert all(point["y"] == pytest.approx(2.5e8, rel=0.02) for point in points)
    assert points[0]["description"].startswith("NumPy, batch 32, width 128, 1.00 operations per byte: 251 MFLOP/s (")


def test_the_rooflines_numbers_are_in_the_table_that_follows() -> None:
    (section,) = [section for section in sections.document(gathered(SMALL, LARGE)).sections if section.anchor == "why"]
    (at,) = [
        k for k, block in enumerate(section.blocks) if isinstance(block, Figure) and block.name.startswith("roofline")
    ]
    table = section.blocks[at + 1]
    assert isinstance(table, Table)
    assert [row[3] for row in table.rows] == ["1.00", "100"]
    assert all(re.fullmatch(r"2[45]\d MFLOP/s \(\S+ to \S+\)", row[4]) for row in table.rows)


def test_a_copy_in_another_precision_will_do() -> None:
    double = synthetic.cell("numpy", precision="float64")
    peak = synthetic.cell("numpy", "peak", precision="float64")
    document = sections.document(gathered((double, 4e-3, 10**6, 10**5), (peak, 1.0, int(PEAK), 0)))
    assert [figure.name for figure in document.figures() if figure.name.startswith("roofline")] == [
        "roofline-cpu-float64-t2"
    ]


def test_the_table_for_programs_has_the_floor() -> None:
    whole_run = gathered((synthetic.cell("numpy"), 4e-3, 10**6, 10**5))
    rows = dataframe.cells(whole_run, ranking.comparison_groups(whole_run)).set_index("phase")
    assert rows.loc["train_step", "flops"] == 10**6
    assert rows.loc["train_step", "efficiency"] == pytest.approx(0.5, rel=0.02)
    assert rows.loc["train_step", "floor_s"] == pytest.approx(2e-3, rel=0.02)
