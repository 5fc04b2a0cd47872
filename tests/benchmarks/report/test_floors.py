"""Times against their floors, from made-up records whose truth is known: peaks, what a call needs at least, the fit."""

import pytest

from benchmarks import statistics
from benchmarks.record import Cell, Record
from benchmarks.report import floors, frame, markdown, ranking, results, sections
from benchmarks.report.results import Results
from tests.benchmarks.report import synthetic

BLOCKS = 6
PEAK, COPY = 1e9, 1e8
"""Operations and bytes per second."""


def timed(cell: Cell, seconds: float, flops: int, moved: int, noise: float = 0.001) -> list[Record]:
    work = {"flops_per_call": flops, "bytes_per_call": moved, "ranked": cell.phase not in ("peak", "copy")}
    found: list[Record] = []
    for block in range(BLOCKS):
        found += [synthetic.timing(cell, block, seconds, noise=noise, **work), synthetic.proof(cell, block)]
    return found


def gathered(*cells: tuple[Cell, float, int, int], without: str = "") -> Results:
    libraries = [(framework, PEAK, COPY / slower) for framework, slower in (("numpy", 1), ("torch", 2))]
    records: list[Record] = []
    for framework, peak, copy in libraries:
        records += timed(synthetic.cell(framework, "peak"), 1.0, int(peak), 0)
        records += timed(synthetic.cell(framework, "copy"), 1.0, 0, int(copy))
    for cell in cells:
        records += timed(*cell)
    records = [r for r in records if not without or r.kind != "timing" or r.cell.phase != without]
    return results.gather([synthetic.run([cell for cell, *_ in cells]), *records], [], synthetic.ENVIRONMENT)


def test_the_floor_is_products_and_bytes_at_the_measured_rates() -> None:
    cell = synthetic.cell("torch", mode="tuned")
    (floor,) = floors.floors(gathered((cell, 4e-3, 10**6, 10**5)))
    assert floor.products_s == pytest.approx(1e-3, rel=0.02)
    assert floor.bytes_s == pytest.approx(1e-3, rel=0.02), "the better of the two copies"
    assert floor.efficiency.value == pytest.approx(0.5, rel=0.02)
    assert floor.efficiency.low < 0.5 < floor.efficiency.high
    assert floor.efficiency.blocks == BLOCKS


@pytest.mark.parametrize("missing", ["peak", "copy"])
def test_without_a_measured_rate_there_is_no_floor(missing: str) -> None:
    assert floors.floors(gathered((synthetic.cell("numpy"), 1e-3, 10**6, 10**5), without=missing)) == []


def test_of_other_threads_nothing_is_known() -> None:
    assert floors.floors(gathered((synthetic.cell("numpy", threads=1), 1e-3, 10**6, 10**5))) == []


def test_overhead_and_rate_are_found_again() -> None:
    work = [(batch, batch * 10**6) for batch in (32, 128, 512)]
    cells = [(synthetic.cell("numpy", batch=batch), 1e-3 + flops / 5e9, flops, 0) for batch, flops in work]
    (fit,) = floors.fits(gathered(*cells))
    assert fit.flops_per_s.value == pytest.approx(5e9, rel=0.05)
    assert fit.overhead_s is not None
    assert fit.overhead_s.value == pytest.approx(1e-3, rel=0.05)
    assert floors.fits(gathered(*cells[:2])) == []


@pytest.mark.parametrize(
    ("work", "seconds", "found"),
    [
        ([1.0, 2.0, 4.0], [1.5, 2.5, 4.5], (0.5, 1.0)),
        ([1.0, 2.0, 4.0], [1.0, 2.0, 4.0], (0.0, 1.0)),
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], None),
        ([1.0, 2.0, 4.0], [4.0, 2.0, 1.0], None),
    ],
)
def test_the_fit(work: list[float], seconds: list[float], found: tuple[float, float] | None) -> None:
    assert statistics.fit(work, seconds) == (None if found is None else pytest.approx(found, abs=1e-9))


def test_the_section_says_who_is_nearest_and_what_the_libraries_reach() -> None:
    near, far = synthetic.cell("numpy"), synthetic.cell("torch")
    page = markdown.render(sections.document(gathered((near, 2.5e-3, 10**6, 10**5), (far, 9e-3, 10**6, 10**5))), {})
    assert "Nearest to its floor is NumPy" in page
    assert "80% of what its library's own rates allow" in page
    assert "1.00 GFLOP/s" in page
    assert "did not measure the peaks" in markdown.render(
        sections.document(results.gather([synthetic.run([])], [], synthetic.ENVIRONMENT)), {}
    )


def test_the_roofline_stands_at_the_best_library_and_the_best_copy() -> None:
    small = (synthetic.cell("numpy", batch=32), 4e-3, 10**6, 10**6)
    large = (synthetic.cell("numpy", batch=256), 4e-3, 10**6, 10**4)
    document = sections.document(gathered(small, large))
    (figure,) = [figure for figure in document.figures() if figure.name.startswith("roofline")]
    assert "Beyond 10.0 operations per byte" in figure.caption
    points = [value for layer in figure.spec["layer"] for value in layer["data"]["values"] if "told" in value]
    assert sorted(round(point["x"]) for point in points) == [1, 100]
    assert all(point["y"] == pytest.approx(2.5e8, rel=0.02) for point in points)


def test_the_table_for_programs_has_the_floor() -> None:
    found = gathered((synthetic.cell("numpy"), 4e-3, 10**6, 10**5))
    rows = frame.cells(found, ranking.heats(found)).set_index("phase")
    assert rows.loc["train_step", "flops"] == 10**6
    assert rows.loc["train_step", "efficiency"] == pytest.approx(0.5, rel=0.02)
    assert rows.loc["train_step", "floor_s"] == pytest.approx(2e-3, rel=0.02)
