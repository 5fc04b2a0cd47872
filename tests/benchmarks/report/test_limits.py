"""Limits of the frameworks themselves: where readers see them, and next to which failure."""

from typing import Any

from benchmarks.records import record
from benchmarks.report.document import Heading, Table
from tests.support import report_text, synthetic
from tests.support.synthetic import LIMIT, cell

STOCK = cell("keras-torch", variant="stock")


def equivalence(records: list[record.Record]) -> tuple[list[str], list[Table]]:
    """Headings and tables of the section."""
    document = report_text.document(records)
    blocks = next(section.blocks for section in document.sections if section.anchor == "equivalence")
    return [b.text for b in blocks if isinstance(b, Heading)], [b for b in blocks if isinstance(b, Table)]


def failing(of: record.Cell, limit: str = LIMIT["name"], **options: Any) -> list[record.Record]:
    """A proof of which one check fails, and the limit that explains it, if one does."""
    check = record.Check(
        check="a start", group="logits", tensor="logits", error=2.0, budget=1.0, passed=False, limit=limit
    )
    proof = record.ProofRecord(who=of.who, axes=of.axes, block=0, checks=[check])
    return [synthetic.run([of], **{"limits": [LIMIT]} | options), proof]


def test_a_limit_says_whose_it_is_what_it_does_and_how_to_see_it() -> None:
    headings, tables = equivalence(synthetic.quick())
    assert headings == ["Limits of the frameworks themselves"]
    says = [LIMIT[part] for part in ("name", "statement", "consequence", "answer", "reproduction")]
    assert [list(row) for row in tables[-1].rows] == [["PyTorch and Keras-PyTorch", *says]]


def test_without_limits_there_is_no_such_part() -> None:
    headings, tables = equivalence(failing(STOCK, limits=[]))
    assert headings == []
    assert [table.caption for table in tables] == ["Worst error over budget", "Checks that failed"]


def test_limits_are_told_though_nothing_was_proved() -> None:
    headings, _ = equivalence([synthetic.run([STOCK], limits=[LIMIT])])
    assert headings


def test_a_failure_that_a_limit_explains_names_it() -> None:
    failures = equivalence(failing(STOCK))[1][1]
    assert failures.columns[-1] == "limit of the framework"
    assert failures.rows[0][-1] == LIMIT["name"]


def test_no_other_failure_is_excused() -> None:
    failures = equivalence(failing(STOCK, ""))[1][1]
    assert failures.caption == "Checks that failed"
    assert "limit of the framework" not in failures.columns


def test_the_failure_beside_it_has_no_limit() -> None:
    records = [*failing(STOCK), failing(STOCK, "")[1]]
    failures = equivalence(records)[1][1]
    assert [row[-1] for row in failures.rows] == [LIMIT["name"], "–"]
