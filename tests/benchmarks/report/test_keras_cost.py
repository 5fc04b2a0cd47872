"""What does Keras cost: pairs of a run that has both."""

from typing import Any

from benchmarks.report.document import Section
from tests.support import report_text, synthetic
from tests.support.synthetic import cell

TIMES = {"torch": 1e-4, "keras-torch": 1.5e-4, "keras-tensorflow": 3e-4}


def section(*cells: tuple[Any, float]) -> Section | None:
    document = report_text.document(synthetic.measured(cells, noise=0.001))
    return next((section for section in document.sections if section.anchor == "keras"), None)


def test_keras_stands_against_its_backend_and_not_against_itself_tuned() -> None:
    cells = [(cell(name), seconds) for name, seconds in TIMES.items()]
    tuned = (cell("keras-tensorflow", mode="tuned"), 1.2e-4)
    found = section(*cells, tuned)
    assert found
    (table,) = (block for block in found.blocks if hasattr(block, "rows"))
    assert [(row[0], row[1], row[-1]) for row in table.rows] == [("Keras-PyTorch", "PyTorch", "slower")]
    assert "Keras-PyTorch takes 1.5" in found.summary


def test_without_a_pair_there_is_no_such_section() -> None:
    assert section((cell("numpy"), 1e-4), (cell("keras-tensorflow"), 3e-4)) is None
