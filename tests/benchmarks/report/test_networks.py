"""Several networks in one run: each has its own answer under its own heading, and nothing of one stands with the other."""

from pathlib import Path
from typing import Any

import pytest

import benchmarks.report
from benchmarks.records.record import Record
from benchmarks.records.records_file import run_of
from benchmarks.report.document import Document, Figure, Heading, Section, Table, Text
from tests.support import report_text, synthetic, two_networks
from tests.support.parsed_page import Page
from tests.support.synthetic import LIMIT, cell, measured


@pytest.fixture(scope="module")
def document() -> Document:
    return report_text.document(two_networks.records())


def section(document: Document, anchor: str) -> Section:
    (found,) = (section for section in document.sections if section.anchor == anchor)
    return found


@pytest.mark.parametrize("anchor", ["headline", "fastest", "sweep", "learning"])
def test_a_section_has_a_heading_per_network(document: Document, anchor: str) -> None:
    headings = [block.text for block in section(document, anchor).blocks if isinstance(block, Heading)]
    assert [text for text in headings if text in ("MLP", "CNN")] == ["MLP", "CNN"]


def test_the_title_and_the_answer_tables_name_both(document: Document) -> None:
    assert document.title == "MLP and CNN benchmark (partial results)"
    blocks = section(document, "headline").blocks
    rows = [row[0] for block in blocks if isinstance(block, Table) for row in block.rows]
    assert rows == ["MLP, training step", "MLP, prediction", "CNN, training step"]
    leads = [block.text for block in blocks if isinstance(block, Text) and block.role == "lead"]
    assert leads[0].startswith("Training the MLP at batch 256, width 128: ")
    assert leads[1].startswith("Training the CNN at batch 64, width 128: PyTorch is fastest, 2.99 (")


def test_what_the_run_does_not_say_is_said_once(document: Document) -> None:
    headings = [block.text for block in section(document, "headline").blocks if isinstance(block, Heading)]
    assert headings[-1] == "What this run does not say, and the option that would"
    assert headings.count(headings[-1]) == 1


def test_figures_have_names_of_their_own(document: Document) -> None:
    names = [figure.name for figure in document.figures()]
    assert {"answer-mlp", "answer-cnn"} <= set(names)
    assert len(names) == len(set(names))


def test_one_network_needs_no_heading_of_its_own() -> None:
    alone = report_text.document(synthetic.quick())
    assert Heading("MLP") not in list(alone.flat())
    assert "answer-mlp" in [block.name for block in alone.sections[0].blocks if isinstance(block, Figure)]


def test_its_pages_are_written_and_lead_nowhere_else(tmp_path: Path) -> None:
    folder = synthetic.save(tmp_path, two_networks.records(), synthetic.ENVIRONMENT)
    benchmarks.report.write(folder)
    for name in ("report.html", "steps.html"):
        page = Page((folder / name).read_text(encoding="utf-8"))
        assert len(page.ids) == len(set(page.ids))
        assert {link.removeprefix("#") for link in page.links} <= {*page.ids, "report.html", "steps.html"}
    assert {"mlp", "cnn"} <= set(page.ids)


def both(**options: Any) -> dict[str, Section]:
    """The sections of a run of an MLP and a CNN, by their anchors."""
    records: list[Record] = measured([(cell(name), 1e-4) for name in ("numpy", "torch")], limits=[LIMIT], **options)
    of_cnn = measured([(cell(name, model="cnn"), 1e-3) for name in ("numpy", "jax", "cupy")], model="cnn", **options)
    mlp, cnn = run_of(records), run_of(of_cnn)
    run = mlp.model_copy(update={"networks": [*mlp.networks, *cnn.networks], "cells": [*mlp.cells, *cnn.cells]})
    return {s.anchor: s for s in report_text.document([run, *records[1:], *of_cnn[1:]]).sections}


def test_answers_that_differ_name_their_network() -> None:
    summary = both()["coverage"].summary
    assert summary.startswith("MLP: 2 cells planned")
    assert "CNN: 3 cells planned" in summary


def test_an_answer_that_is_the_same_of_all_is_said_once() -> None:
    assert both()["fairness"].summary.count("Same specification") == 1
    assert not both()["fairness"].summary.startswith("MLP")


def test_limits_of_the_frameworks_are_listed_once() -> None:
    limits = both()["limits"]
    assert limits.summary.count("1 limit is known") == 1
    assert len([block for block in limits.blocks if isinstance(block, Table)]) == 1


def test_networks_with_equal_counts_are_counted_apart() -> None:
    records: list[Record] = measured([(cell(name), 1e-4) for name in ("numpy", "torch")])
    of_cnn = measured([(cell(name, model="cnn"), 1e-3) for name in ("numpy", "torch")], model="cnn")
    mlp, cnn = run_of(records), run_of(of_cnn)
    run = mlp.model_copy(update={"networks": [*mlp.networks, *cnn.networks], "cells": [*mlp.cells, *cnn.cells]})
    coverage = section(report_text.document([run, *records[1:], *of_cnn[1:]]), "coverage")
    assert coverage.summary.startswith("MLP: 2 cells planned")
    assert " CNN: 2 cells planned" in coverage.summary
