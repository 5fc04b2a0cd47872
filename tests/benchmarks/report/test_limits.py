"""Limits of the frameworks themselves: a section of their own, and named next to the failure that one explains."""

from benchmarks.records import record
from benchmarks.report.document import Block, Table, Text
from tests.support import report_text, synthetic
from tests.support.synthetic import LIMIT, cell

STOCK = cell("keras-torch", variant="stock")


def blocks(records: list[record.Record], anchor: str) -> list[Block]:
    """Of the section, if there is one."""
    sections = report_text.document(records).sections
    return [block for section in sections if section.anchor == anchor for block in section.blocks]


def tables(records: list[record.Record], anchor: str = "equivalence") -> list[Table]:
    return [block for block in blocks(records, anchor) if isinstance(block, Table)]


def failing(of: record.Cell, limit: str = LIMIT["name"]) -> list[record.Record]:
    """A proof of which one check fails, and the limit that explains it, if one does."""
    check = record.Check(
        check="a start", group="logits", tensor="logits", error=2.0, budget=1.0, passed=False, limit=limit
    )
    proof = record.ProofRecord(who=of.who, axes=of.axes, block=0, checks=[check])
    return [synthetic.run([of], limits=[LIMIT]), proof]


def test_a_limit_says_whose_it_is_and_where_more_stands() -> None:
    (table,) = tables(synthetic.quick(), "limits")
    assert [list(row) for row in table.rows] == [[LIMIT["name"], "PyTorch and Keras-PyTorch"]]
    assert [
        block
        for block in blocks(synthetic.quick(), "limits")
        if isinstance(block, Text) and "docs/limits.md" in block.text
    ]


def test_limits_of_one_name_are_two_where_they_are_of_two_frameworks() -> None:
    limits = [LIMIT | {"frameworks": ["torch"]}, LIMIT | {"frameworks": ["numpy"]}]
    (section,) = [
        s for s in report_text.document([synthetic.run([STOCK], limits=limits)]).sections if s.anchor == "limits"
    ]
    assert section.summary.startswith("2 limits are known")
    (table,) = [block for block in section.blocks if isinstance(block, Table)]
    assert [list(row) for row in table.rows] == [[LIMIT["name"], "PyTorch"], [LIMIT["name"], "NumPy"]]


def test_of_a_limit_that_this_run_saw_it_is_said_what_the_framework_does() -> None:
    def told(limit: str) -> list[str]:
        return [block.text for block in blocks(failing(STOCK, limit), "limits") if isinstance(block, Text)]

    assert f"Seen here, {LIMIT['name']}: {LIMIT['statement']}" in told(LIMIT["name"])
    assert not any("Seen here" in text for text in told(""))


def test_one_of_the_same_name_in_another_framework_was_not_seen() -> None:
    theirs = LIMIT | {"frameworks": ["numpy"], "statement": "something else"}
    _, proof = failing(STOCK)
    records = [synthetic.run([STOCK], limits=[LIMIT, theirs]), proof]
    seen = [block.text for block in blocks(records, "limits") if isinstance(block, Text) and "Seen here" in block.text]
    assert seen == [f"Seen here, {LIMIT['name']}: {LIMIT['statement']}"]


def test_limits_are_counted_and_the_programs_that_show_them_are_named() -> None:
    for count, said in (
        (1, "1 limit is known of the frameworks of this run"),
        (2, "2 limits are known of the frameworks of this run"),
    ):
        records = [synthetic.run([STOCK], limits=[LIMIT | {"name": str(k)} for k in range(count)])]
        (section,) = [section for section in report_text.document(records).sections if section.anchor == "limits"]
        assert section.summary.startswith(said)
        assert "tests/limits" in section.summary


def test_without_limits_there_is_no_such_section() -> None:
    sections = report_text.document([synthetic.run([STOCK], limits=[])]).sections
    assert "equivalence" in [section.anchor for section in sections]
    assert "limits" not in [section.anchor for section in sections]


def test_limits_are_told_though_nothing_was_proved() -> None:
    assert tables([synthetic.run([STOCK], limits=[LIMIT])], "limits")


def test_a_failure_that_a_limit_explains_names_it() -> None:
    matrix, failures = tables(failing(STOCK))
    assert matrix.caption == "Worst error over budget (float32, plain, 2 threads, cpu)"
    assert failures.columns[-1] == "limit of the framework"
    assert failures.rows[0][-1] == LIMIT["name"]


def test_no_other_failure_is_excused() -> None:
    failures = tables(failing(STOCK, ""))[1]
    assert failures.caption == "Checks that failed"
    assert "limit of the framework" not in failures.columns


def test_the_failure_beside_it_has_no_limit() -> None:
    records = [*failing(STOCK), failing(STOCK, "")[1]]
    failures = tables(records)[1]
    assert [row[-1] for row in failures.rows] == [LIMIT["name"], "–"]
