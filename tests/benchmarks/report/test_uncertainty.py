"""How sure is that? The blocks behind the answer, and what else the machine did while a block ran."""

from typing import Any

import pytest

from benchmarks.records import record
from benchmarks.report.document import Document, Figure
from tests.support import report_text
from tests.support.synthetic import cell, costs, measured

NUMPY = cell("numpy")


def document(*stolen_s: float | None, **others: Any) -> Document:
    """Of a whole run with blocks of 10 s on two processors."""
    values = {"cores": 2, "throttled_s": 0.0} | others
    blocks = [
        record.BlockRecord(block=k, wall_s=10, interference=record.Interference(stolen_s=seconds, **values))
        for k, seconds in enumerate(stolen_s)
    ]
    return report_text.document([*measured([(NUMPY, 1e-4)]), *costs(NUMPY), *blocks])


def load(of: Document) -> str:
    """The last sentences of the section."""
    (section,) = [section for section in of.sections if section.anchor == "certainty"]
    return str(getattr(section.blocks[-1], "text", ""))


def test_what_the_host_took_is_the_largest_share_of_all_processors_time() -> None:
    assert "The host of this machine took up to 4.0% of the processors' time." in load(document(0.2, 0.8, 0.0))


def test_the_load_that_the_processes_saw_is_told_from_the_lowest_to_the_highest() -> None:
    assert load(document()) == "The load (the run's own threads in it) was 0.40 to 0.90."


@pytest.mark.parametrize(
    ("stolen_s", "others", "warning"),
    [
        ((0.2, 0.9), {}, ""),
        ((0.2, 1.6), {}, "The host took 8.0% of the processors' time."),
        ((0.0, 0.0, 0.0), {"throttled_s": 2.0}, "A quota stopped the run in blocks 1, 2 and 3: its times are too long there."),
        ((0.0,), {"throttled_s": 2.0}, "A quota stopped the run in block 1: its times are too long there."),
        ((None,), {"throttled_s": None}, ""),
        ((), {}, ""),
    ],
)  # fmt: skip
def test_what_took_much_time_from_the_run_is_said_at_the_top(
    stolen_s: tuple[float | None, ...], others: dict[str, Any], warning: str
) -> None:
    assert document(*stolen_s, **others).warning == warning


def test_the_blocks_behind_the_answer_are_drawn_and_stand_in_a_table() -> None:
    timed = measured([(cell("numpy", batch=batch), 1e-4) for batch in (32, 256, 512)])
    (figure,) = [f for f in report_text.document(timed).figures() if f.name == "blocks"]
    assert isinstance(figure, Figure)
    assert "batch 256, width 128" in figure.title
    points = [value for layer in figure.spec["layer"] for value in layer["data"]["values"] if "point" in value]
    assert len(points) == 6
    lines = report_text.section(timed, "How sure is that?").splitlines()
    (row,) = [line for line in lines if line.startswith("| NumPy | ") and line.endswith(" µs |")]
    assert len(row.split(" | ")[-1].split(", ")) == 6


def test_one_block_has_nothing_to_spread() -> None:
    assert not [f for f in report_text.document(measured([(NUMPY, 1e-4)], blocks=1)).figures() if f.name == "blocks"]
