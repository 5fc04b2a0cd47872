"""How large a report may be."""

import gzip
from pathlib import Path

from benchmarks.records.record import Record
from tests.support import synthetic
from tests.support.fresh_process import python
from tests.support.parsed_page import Page

FRAMEWORKS = ("numpy", "torch", "jax", "cupy", "keras-tensorflow", "keras-torch", "keras-jax", "one", "two", "three")


def two_thousand() -> list:
    """Ten frameworks, two modes, two precisions, two phases, 25 sizes."""
    return [
        (
            synthetic.cell(name, phase, batch, width, mode=mode, precision=precision),
            1e-6 * (k + 3) * (batch + 20) * width,
        )
        for k, name in enumerate(FRAMEWORKS)
        for mode in ("plain", "tuned")
        for precision in ("float32", "float64")
        for phase in ("train_step", "predict")
        for batch in (1, 8, 32, 128, 512)
        for width in (64, 128, 256, 512, 1024)
    ]


def test_two_thousand_cells(tmp_path: Path) -> None:
    cells = two_thousand()
    assert len(cells) == 2000
    records: list[Record] = [synthetic.run([of for of, _ in cells])]
    for block in range(6):  # few rounds: what is shown is made of blocks
        records += [
            record for of, s in cells for record in (synthetic.proof(of, block), synthetic.timing(of, block, s, 4))
        ]
    folder = synthetic.save(tmp_path, records, synthetic.ENVIRONMENT)
    done = python("-m", "benchmarks", "report", folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "report.html").stat().st_size <= 3_000_000


def test_a_quick_run_is_small(quick_folder: Path) -> None:
    page = (quick_folder / "report.html").read_bytes()
    assert len(page) <= 600_000
    assert len(gzip.compress(page, mtime=0)) <= 150_000


def test_a_quick_run_is_read_soon(quick_folder: Path) -> None:
    """Charts, code and what is folded aside, a reader goes through few tables."""
    page = Page((quick_folder / "report.html").read_text(encoding="utf-8"))
    assert 1_000 < len(page.reading) < 3_000, len(page.reading)
    assert 2 <= page.open_tables <= 12 < page.tags["table"]
