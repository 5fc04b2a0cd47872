"""The page of the steps: formula, explanation and code of each, side by side."""

import pytest

from benchmarks.records import record
from benchmarks.report import html, markdown
from benchmarks.report.document import Document, SideBySide
from benchmarks.report.sections import steps
from tests.support import synthetic
from tests.support.report_text import gathered, page
from tests.support.synthetic import cell, measured

TIMED = measured([(cell("numpy"), 1e-4)])


def steps_page(records: list[record.Record]) -> Document:
    """The page of its own."""
    found = steps.document(gathered(records))
    assert found is not None
    return found


def test_the_code_of_a_step_stands_below_its_explanation_with_its_hash() -> None:
    source = synthetic.source("numpy", "dense", "z = x @ weight")
    text = markdown.render(steps_page([*TIMED, source]), {})
    explained, _, code = text.partition("A neuron weighs its inputs")
    assert "### Dense layer" in explained
    shown = f"NumPy · mlp_numpy.py · SHA-256 {source.sha256[:12]}:\n\n```python\nz = x @ weight\n```"
    assert shown in code.partition("### ReLU")[0]


def test_frameworks_with_the_very_same_code_share_a_pane() -> None:
    same = [
        synthetic.source(name, "dense", "z = x").model_copy(update={"file": "layer.py"}) for name in ("numpy", "cupy")
    ]
    (panes,) = [block.panes for block in steps_page([*TIMED, *same]).flat() if isinstance(block, SideBySide)]
    assert [title.partition(" · ")[0] for title, _ in panes] == ["NumPy and CuPy"]


def test_the_report_itself_has_no_code_of_steps() -> None:
    text = page([*TIMED, synthetic.source("numpy", "dense", "z = x @ weight")])
    assert "z = x @ weight" not in text
    assert "steps.html the code of each step" in text


def test_without_steps_there_is_no_page_of_them() -> None:
    assert steps.document(gathered(measured([(cell("numpy"), 1e-4)], steps=[]))) is None


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("z = x W + b        x (B, D), W (D, H)", "z = x W + b, x (B, D), W (D, H)"),
        ("v = mu v + g;  w = w - lr v        (SGD)", "v = mu v + g; w = w - lr v (SGD)"),
    ],
)
def test_the_parts_of_a_formula_stay_apart(formula: str, shown: str) -> None:
    recorded = [
        {
            "name": "dense",
            "title": "Dense layer",
            "formula": formula,
            "explanation": "",
            "source": "",
            "shown_by": "loss",
        }
    ]
    document = steps_page(measured([(cell("numpy"), 1e-4)], steps=recorded))
    assert f"\n\n{markdown.escape(shown)}\n" in markdown.render(document, {})
    assert f'<p class="formula">{shown}</p>' in html.render(document, {})


def test_the_conventions_are_told_with_their_source() -> None:
    text = markdown.render(steps_page(TIMED), {})
    assert "| dropout | inverted scaling | Srivastava et al. 2014 |" in text
