"""What stands under the title: what is missing, and what would make one distrust the rest."""

from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks.records import record
from benchmarks.records.record import Record
from benchmarks.report import html, markdown, missing
from tests.support import report_text, synthetic
from tests.support.report_text import gathered
from tests.support.synthetic import cell, measured
from tests.support.two_runs import controls


def whole() -> list[Record]:
    """Nothing is missing."""
    return [*measured([(cell("numpy"), 1e-4), (cell("torch"), 1.5e-4)]), *synthetic.costs(cell("numpy"), cell("torch"))]


def block(
    stolen_s: float | None = 0.0, throttled_s: float | None = 0.0, number: int = 0, others_s: float | None = None
) -> Record:
    """Of 10 s on two processors."""
    counters: dict[str, Any] = {
        "cores": 2,
        "stolen_s": stolen_s,
        "throttled_s": throttled_s,
        "others_s": others_s,
        "usable": 2,
    }
    return record.BlockRecord(block=number, wall_s=10, interference=record.Interference(**counters))


def warning(records: Sequence[Record]) -> str:
    return report_text.document(records).warning


@pytest.mark.parametrize(
    ("records", "told"),
    [
        (controls(cell("numpy"), 1.2), "1 of 1 null control found a difference beyond 3% where there is none: distrust this run."),
        ([block(stolen_s=4.0)], "The host took 20% of the processors' time."),
        (
            [block(others_s=0.4), block(others_s=3.0, number=1), block(others_s=6.0, number=2)],
            "Other programs took up to 30% of the processors' time, in blocks 2 and 3: times may be too long there. "
            "Run it again on a quiet machine.",
        ),
        ([block(throttled_s=1.0, number=3)], "A quota stopped the run in block 4: its times are too long there."),
    ],
    ids=["null control", "host", "others", "quota"],
)  # fmt: skip
def test_what_makes_one_distrust_the_rest_stands_under_the_title(records: list[Record], told: str) -> None:
    document = report_text.document([*whole(), *records])
    assert document.warning == told
    text, page = markdown.render(document, {}), html.render(document, {})
    assert f"**{told}**" in text.partition("\n## ")[0].replace("\\", "")
    assert '<p class="warning">' in page.partition("<main>")[0]


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"ATEN_CPU_CAPABILITY": "default", "CUDA_VISIBLE_DEVICES": "1", "OMP_NUM_THREADS": "4", "XLA_FLAGS": "--a=1 --b"},
            "The environment steers libraries (ATEN_CPU_CAPABILITY=default, XLA_FLAGS=--a=1 --b): without that, times may be others.",
        ),
        ({"CUDA_HOME": "cuda", "JAX_PLATFORMS": "cpu", "KERAS_BACKEND": "jax", "TF_NUM_INTEROP_THREADS": "1", "KMP_INIT_AT_FORK": "FALSE"}, ""),
    ],
    ids=["choices", "what a run sets itself"],
)  # fmt: skip
def test_what_steers_libraries_is_told_where_the_run_does_not_set_it_itself(
    variables: dict[str, str], told: str
) -> None:
    assert report_text.document(whole(), {**synthetic.ENVIRONMENT, "variables": variables}).warning == told


def test_a_good_run_has_no_warning() -> None:
    good = [*whole(), *controls(cell("numpy")), block(stolen_s=0.9), block(None, None, number=1)]
    document = report_text.document(good)
    assert document.warning == ""
    assert 'class="warning"' not in html.render(document, {}).partition("<main>")[0]
    assert "partial" not in document.title


def cut_short() -> list[Record]:
    torch = cell("torch")
    return [r for r in whole() if not (isinstance(r, record.TimingRecord) and r.block == 5 and r.cell == torch)]


def test_partial_results_say_so() -> None:
    partial = missing.partial(gathered(cut_short()))
    assert partial.startswith("Partial results: 1 of 2 planned cells")
    assert "starting" not in partial
    assert warning(cut_short()) == partial
    assert warning([*cut_short(), block(stolen_s=4.0)]) == f"{partial} The host took 20% of the processors' time."
    assert "(partial results)" in report_text.document(cut_short()).title


@pytest.mark.parametrize(("lacking", "implementations"), [(1, "1 implementation was"), (6, "2 implementations was")])
def test_a_run_that_was_stopped_before_its_costs_says_so_too(lacking: int, implementations: str) -> None:
    """Every cell is timed in every block; what is measured after the blocks is not there, or not all."""
    partial = missing.partial(gathered(whole()[:-lacking]))
    assert partial.startswith(f"Partial results: starting, memory or energy of {implementations} not measured")
