"""Records as the report tells of them, without a folder and without pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.analysis import results
from benchmarks.records.record import Record
from benchmarks.report import markdown, sections
from benchmarks.report.document import Document
from tests.support.synthetic import ENVIRONMENT


def gathered(records: Sequence[Record], machine: Mapping[str, Any] = ENVIRONMENT) -> results.Results:
    return results.gather(records, [], machine)


def document(records: Sequence[Record], machine: Mapping[str, Any] = ENVIRONMENT) -> Document:
    return sections.document(gathered(records, machine))


def page(records: Sequence[Record], machine: Mapping[str, Any] = ENVIRONMENT) -> str:
    return text_of(gathered(records, machine))


def text_of(whole_run: results.Results) -> str:
    return markdown.render(sections.document(whole_run), {})


def section(records: Sequence[Record] | results.Results, title: str) -> str:
    """What stands under the heading that ends so; nothing where there is none."""
    text = text_of(records) if isinstance(records, results.Results) else page(records)
    return text.partition(f"{title}\n")[2].partition("\n## ")[0]
