"""Stored results to Markdown, HTML, CSV and JSON Lines. Pure: reads records, writes text, imports no framework.

The way through it: `analysis` gathers records into cells and compares them, `sections` says in words, tables
and charts what came out (a `document`), and `markdown` and `html` are two renderings of that one document.
Same records, same bytes: nothing depends on a clock, a random number or the order of a set.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.system import without_collecting

Say = Callable[[str], None]

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.analysis.loaded_run import LoadedRun
    from benchmarks.analysis.results import Results
    from benchmarks.report.document import Document
    from benchmarks.report.sharing import Shared


@without_collecting()  # records are many and stay: a sixth of a large report's time
def write(folder: Path, say: Say = lambda text: None, anonymous: bool = False) -> list[Path]:
    """Make report.md and .html, steps.md and .html, results.csv and .jsonl, columns.csv and figures/*.svg in a results folder; return them.

    Never changes the records. `say` is told where there are no charts; `anonymous` puts hashes for machines' names, and no folders. Raises benchmarks.records.records_file.BadRecords
    where there is no run to read, Unreadable and Unwritable.
    """
    from benchmarks.analysis import ranking
    from benchmarks.report import dataframe, sections
    from benchmarks.report.sections import steps

    measured = _gathered(folder, anonymous)
    groups = ranking.comparison_groups(measured)
    documents = {"report": sections.document(measured, groups), "steps": steps.document(measured)}
    return _written(folder, documents, dataframe.cells(measured, groups), say)


@without_collecting()
def write_together(
    folders: Sequence[Path], into: Path, say: Say = lambda text: None, anonymous: bool = False
) -> list[Path]:
    """One page over several results folders, the first of them the baseline, and its tables, in the folder `into`.

    Raises benchmarks.records.records_file.BadRecords where one of them holds no run, or `into` does, which has a report
    of its own; Unreadable and Unwritable.
    """
    from benchmarks.records.records_file import RECORDS, BadRecords

    if (into / RECORDS).exists():
        raise BadRecords(f"--into {into}: holds a run with a report of its own. Give another folder.")
    from benchmarks.report import several_runs

    runs = _loaded(folders, anonymous)
    document, table = several_runs.document(runs), several_runs.cells(runs)
    return _written(into, {"report": document}, table, say)


def _loaded(folders: Sequence[Path], anonymous: bool = False) -> "list[LoadedRun]":
    """The runs of these folders, by the folders' names."""
    from benchmarks.analysis.loaded_run import LoadedRun

    names = [folder.resolve().name for folder in folders]
    return [
        LoadedRun(name if names.count(name) == 1 else f"{name} #{number}", _gathered(folder, anonymous))
        for number, (name, folder) in enumerate(zip(names, folders, strict=True), start=1)
    ]


def export(folder: Path, format_: str) -> str:
    """A results folder in one of `exports.FORMATS`. Raises benchmarks.records.records_file.BadRecords where it holds no run."""
    from benchmarks.report import exports

    return exports.FORMATS[format_](_gathered(folder))


def shared(folder: Path) -> "Shared":
    """A results folder as others see it. Raises benchmarks.records.records_file.BadRecords where it holds no run."""
    from benchmarks.report import sharing

    return sharing.shared(_gathered(folder))


def _gathered(folder: Path, anonymous: bool = False) -> "Results":
    from benchmarks.analysis import machine_facts, results
    from benchmarks.records import records_file
    from benchmarks.report import nodes

    records, problems = records_file.read(folder)
    records = nodes.anonymous(records) if anonymous else records
    machine, machine_problems = machine_facts.read(folder)
    return results.gather(records, problems + machine_problems, machine)


def _written(folder: Path, documents: "Mapping[str, Document | None]", table: "pd.DataFrame", say: Say) -> list[Path]:
    """Each document as Markdown and HTML with its figures, the table, and what its columns are.

    report.md is written last: where it is, all the others are.
    """
    from benchmarks import writing
    from benchmarks.report import charts, dataframe, html, markdown

    texts: dict[Path, str] = {}
    for name, document in documents.items():
        if document:
            drawings = charts.draw(document.figures(), say)
            texts[folder / f"{name}.md"] = markdown.render(document, drawings)
            texts[folder / f"{name}.html"] = html.render(document, drawings)
            pictures = {figure.name: drawings[figure.name] for figure in document.figures() if drawings}
            texts |= {folder / "figures" / f"{name}.svg": charts.standalone(svg) for name, svg in pictures.items()}
    texts[folder / "results.csv"] = dataframe.csv(table)
    texts[folder / "results.jsonl"] = dataframe.jsonl(table)
    texts[folder / "columns.csv"] = dataframe.meanings(table)
    for path in sorted(texts, key=lambda path: path.name == "report.md"):
        if path.parent != folder and path.parent.is_symlink():
            raise writing.Unwritable(path.parent, "is a link to another place. Remove it")
        with writing.telling(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        writing.text(path, texts[path])
    return list(texts)


@without_collecting()
def answer(folder: Path) -> list[str]:
    """What a run answers, in a few lines for a terminal: the fastest, why, how sure, what next."""
    from benchmarks.analysis import ranking
    from benchmarks.report import terminal

    measured = _gathered(folder)
    return terminal.lines(measured, ranking.comparison_groups(measured))


@without_collecting()
def answer_together(folders: Sequence[Path]) -> list[str]:
    """What several runs answer, for a terminal: the fastest machine for each network, or what each run found."""
    from benchmarks.report import several_runs

    return several_runs.findings(_loaded(folders))
