"""Stored results to Markdown, HTML, CSV and JSON Lines. Pure: reads records, writes text, imports no framework.

The way through it: `results` gathers records into cells, `ranking` compares them, `sections` says in words, tables
and charts what came out (a `document`), and `markdown` and `html` are two renderings of that one document.
Same records, same bytes: nothing depends on a clock, a random number or the order of a set.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.analysis.results import Results
    from benchmarks.report.document import Document


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Records are many and stay: looking through them for garbage, again and again, takes a sixth of a large report's time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@_without_collecting()
def write(folder: Path) -> list[Path]:
    """Make report.md, report.html, results.csv, results.jsonl and figures/*.svg in a results folder; return what was written.

    Never changes the records. Raises benchmarks.records.records_file.BadRecords where there is no run to read.
    """
    from benchmarks.analysis import ranking
    from benchmarks.report import dataframe, sections

    measured = _gathered(folder)
    groups = ranking.comparison_groups(measured)
    return _written(folder, sections.document(measured, groups), dataframe.cells(measured, groups))


@_without_collecting()
def write_together(folders: Sequence[Path], into: Path) -> list[Path]:
    """One page over several results folders, the first of them the baseline, and its tables, in the folder `into`.

    Raises benchmarks.records.records_file.BadRecords where one of them holds no run.
    """
    from benchmarks.report import several_runs

    names = [folder.resolve().name for folder in folders]
    runs = [
        several_runs.LoadedRun(name if names.count(name) == 1 else f"{name} #{number}", _gathered(folder))
        for number, (name, folder) in enumerate(zip(names, folders, strict=True), start=1)
    ]
    document, table = several_runs.document(runs), several_runs.cells(runs)
    into.mkdir(parents=True, exist_ok=True)
    return _written(into, document, table)


def export(folder: Path, format_: str) -> str:
    """A results folder in one of `exports.FORMATS`. Raises benchmarks.records.records_file.BadRecords where it holds no run."""
    from benchmarks.report import exports

    return exports.FORMATS[format_](_gathered(folder))


def _gathered(folder: Path) -> "Results":
    from benchmarks.analysis import machine_facts, results
    from benchmarks.records import records_file

    records, problems = records_file.read(folder)
    machine, machine_problems = machine_facts.read(folder)
    return results.gather(records, problems + machine_problems, machine)


def _written(folder: Path, document: "Document", table: "pd.DataFrame") -> list[Path]:
    from benchmarks.report import charts, dataframe, html, markdown

    drawings = charts.draw(document.figures())
    texts = {
        folder / "report.md": markdown.render(document, drawings),
        folder / "report.html": html.render(document, drawings),
        folder / "results.csv": dataframe.csv(table),
        folder / "results.jsonl": dataframe.jsonl(table),
    }
    texts |= {folder / "figures" / f"{name}.svg": charts.standalone(svg) for name, svg in drawings.items()}
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def detectable(folder: Path) -> float | None:
    """The true difference, as a fraction, that half of a run's comparisons would have found, 8 times out of 10."""
    from benchmarks.analysis import ranking, results, run_quality
    from benchmarks.records import records_file

    groups = ranking.comparison_groups(results.gather(*records_file.read(folder), {}))
    return run_quality.detectable([place.comparison for group in groups for place in group.rivals if place.comparison])
