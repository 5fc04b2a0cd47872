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


def test_the_sentence_is_of_one_size() -> None:
    small, large = (
        {name: cell(name, batch=batch) for name in ("torch", "keras-torch", "jax", "keras-jax")} for batch in (32, 256)
    )
    both = [(small["torch"], 1e-4), (small["keras-torch"], 2e-4), (large["torch"], 1e-4), (large["keras-torch"], 3e-4)]
    found = section(*both, (large["jax"], 1e-4), (large["keras-jax"], 4e-4))
    assert found
    assert found.summary.startswith("Training step, batch 32")
    assert "Keras-PyTorch takes 2.0" in found.summary
    assert "JAX" not in found.summary
