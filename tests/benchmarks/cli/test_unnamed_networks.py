"""Networks that nobody named, of which the quick profile times a training step beside the one that was: planned, given up first, told briefly."""

import math
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.analysis import comparability
from benchmarks.analysis.ranking import comparison_groups
from benchmarks.cli import prepare
from benchmarks.cli import run as runs
from benchmarks.plan import remaining
from benchmarks.records.record import Record
from benchmarks.records.records_file import run_of
from benchmarks.report import terminal
from benchmarks.report.document import Bullets, Document, Figure, Heading, Section, Table, Text
from benchmarks.worker.timing import WARM_ROUNDS
from tests.support import report_text, synthetic, two_networks
from tests.support.command import NOT_GIVEN, save_npz

OTHERS = ("cnn", "rnn", "transformer")


def prepared(**choice: Any) -> prepare.Prepared:
    options = NOT_GIVEN | {"frameworks": "numpy,torch,keras-tensorflow", "threads": "1"} | choice
    return prepare.prepare(load_data=False, unnamed=True, **options)


def test_a_training_step_of_each_other_network_is_planned_at_one_size_in_few_frameworks() -> None:
    made = prepared()
    others = [cell for cell in made.plan.cells if cell.who.model != "mlp"]
    pairs = [(cell.who.model, cell.who.framework) for cell in others]
    assert pairs == [(model, framework) for model in OTHERS for framework in ("numpy", "torch")]
    assert {cell.phase for cell in others} == {"train_step"}
    assert {(cell.who.model, cell.axes["batch"]) for cell in others} == {("cnn", 32), ("rnn", 32), ("transformer", 16)}
    assert not any(made.networks[model].samples for model in OTHERS)  # they are not trained


@pytest.mark.parametrize(
    "choice",
    [
        {"model": "mlp"},
        {"spec": "mnist"},
        {"sets": ("batch=32",)},
        {"profile": "smoke"},
        {"phases": "predict"},
        {"modes": "tuned"},
        {"frameworks": "keras-tensorflow"},
    ],
)
def test_where_something_else_was_asked_for_there_is_none(choice: dict[str, Any]) -> None:
    made = prepared(**choice)
    assert {cell.who.model for cell in made.plan.cells} == set(made.networks) == {"mlp"}
    assert made.plan.absent == []


def test_with_data_of_ones_own_there_is_none(tmp_path: Any) -> None:
    assert set(prepared(data=str(save_npz(tmp_path / "own.npz"))).networks) == {"mlp"}


def test_a_budget_gives_them_up_first_and_says_so() -> None:
    made = prepared()
    three_blocks = replace(made.request.profile, blocks=3, rounds=2 * WARM_ROUNDS)
    fitted = prepare.fit(made, f"{math.floor(made.estimate.run_s(made.plan.cells, three_blocks) * 0.97)}s")
    gone = {cell.who.model for cell in made.plan.cells} - {cell.who.model for cell in fitted.plan.cells}
    assert gone
    assert gone <= set(OTHERS)
    assert gone == {row.model for row in fitted.plan.absent}
    assert set(fitted.networks) == {"mlp", *OTHERS} - gone


def test_a_budget_keeps_them_where_a_keyword_has_chosen_them_alone() -> None:
    fitted = prepare.fit(prepared(keyword="rnn/"), "20s")
    assert {cell.who.model for cell in fitted.plan.cells} == {"rnn"}


def test_they_have_no_costs() -> None:
    record = runs.run_record(prepared(), 6, 0)
    assert {network.model for network in record.networks if network.unnamed} == set(OTHERS)
    assert {cell.who.model for cell in record.cells_with_costs} == {"mlp"}
    timed = [synthetic.timing(cell, 0, 1e-3) for cell in record.cells]
    assert {who.model for who in remaining.costs(record.cells_with_costs, timed)} == {"mlp"}


def with_unnamed() -> list[Record]:
    """The MLP of the quick run, and a CNN that nobody named."""
    run, *others = two_networks.records()
    mlp, cnn = run_of([run]).networks
    networks = [
        mlp,
        cnn.model_copy(update={"unnamed": True, "size": {"batch": 128, "width": 128}}),
    ]  # not the size that was timed
    return [run.model_copy(update={"networks": networks}), *others]


@pytest.fixture(scope="module")
def document() -> Document:
    return report_text.document(with_unnamed())


def section(document: Document, anchor: str) -> Section:
    (found,) = (section for section in document.sections if section.anchor == anchor)
    return found


def test_the_page_answers_for_the_network_that_was_named(document: Document) -> None:
    assert document.title.startswith("MLP benchmark")
    blocks = section(document, "headline").blocks
    assert [text.text[:16] for text in blocks if isinstance(text, Text) and text.role == "lead"] == ["Training the MLP"]
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert [row[0] for row in table.rows] == ["MLP, training step", "MLP, prediction", "CNN, training step"]
    assert table.columns[1] == "the default size, or a smaller one"
    assert Heading("How sure, of the MLP") in blocks
    assert "was not measured)" not in str(blocks)
    assert "answer-cnn" not in [block.name for block in document.flat() if isinstance(block, Figure)]


@pytest.mark.parametrize(
    ("anchor", "named"), [("fastest", ["MLP", "CNN"]), ("equivalence", ["MLP", "CNN"]), ("sweep", []), ("learning", [])]
)
def test_of_the_others_it_tells_the_times_and_the_proofs(document: Document, anchor: str, named: list[str]) -> None:
    headings = [block.text for block in section(document, anchor).blocks if isinstance(block, Heading)]
    assert [text for text in headings if text in ("MLP", "CNN")] == named


def test_it_says_which_option_would_tell_more_of_them(document: Document) -> None:
    (unsaid,) = (block for block in section(document, "headline").blocks[-1:] if isinstance(block, Bullets))
    assert any(item.startswith("Of the CNN other sizes") and item.endswith("--model cnn.") for item in unsaid.items)
    assert not any("other sizes and frameworks" in item for item in terminal_lines(synthetic.quick()))


def terminal_lines(records: list[Record]) -> list[str]:
    results = report_text.gathered(records)
    return terminal.lines(results, comparison_groups(results))


def test_what_is_true_of_every_network_is_told_once(document: Document) -> None:
    texts = [block.text for block in section(document, "equivalence").blocks if isinstance(block, Text)]
    assert len(texts) == len(set(texts)) > 0


def test_the_end_in_the_terminal_has_a_line_for_each() -> None:
    told = terminal_lines(with_unnamed())
    assert len([line for line in told if line.startswith("Training the CNN at")]) == 1
    assert len([line for line in told if line.startswith("How sure")]) == 1


def test_a_run_with_them_may_be_compared_with_one_of_the_named_network_alone() -> None:
    both, alone = report_text.gathered(with_unnamed()), report_text.gathered(synthetic.quick())
    assert comparability.differences(both, alone) == comparability.differences(alone, both) == []
