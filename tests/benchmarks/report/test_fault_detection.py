"""The appendix on the proof itself."""

from typing import Any

from benchmarks.records import record
from benchmarks.report.document import Table, Text
from tests.support import report_text, synthetic
from tests.support.synthetic import cell

DETECTION: dict[str, Any] = {
    "same_code": True,
    "code_sha256": "0" * 64,
    "faults": {
        "Nesterov": {"numpy": {"float32": 3, "float64": 4}, "oracle": {"float64": 2}},
        "dampening": {"numpy": {"float32": 0, "float64": 0}},
    },
    "seeds": 2000,
    "false_alarms": 1,
}


def appendix(detection: dict[str, Any]) -> tuple[str, list[Table]]:
    """Its first paragraph, and its tables."""
    records: list[record.Record] = [synthetic.run([cell("numpy")], fault_detection=detection)]
    document = report_text.document(records)
    assert document.sections[-1].anchor == "fault-detection"
    blocks = document.sections[-1].blocks
    return next(b.text for b in blocks if isinstance(b, Text)), [b for b in blocks if isinstance(b, Table)]


def test_every_fault_has_a_row_and_every_implementation_a_column() -> None:
    text, (table,) = appendix(DETECTION)
    assert list(table.columns) == ["fault", "NumPy", "oracle"]
    assert [list(row) for row in table.rows] == [["Nesterov", "3 / 4", "· / 2"], ["dampening", "0 / 0", "–"]]
    assert "2 faults" in text
    assert "3 in all; 2 were noticed" in text
    assert "2,000 seeds raised 1 false alarm." in text
    assert "The code is the same" in text


def test_other_code_than_was_judged_is_said() -> None:
    assert "has changed since" in appendix(DETECTION | {"same_code": False})[0]


def test_without_a_judgement_it_says_how_to_get_one() -> None:
    text, tables = appendix({})
    assert "make prove" in text
    assert tables == []
