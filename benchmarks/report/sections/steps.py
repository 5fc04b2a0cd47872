"""The same steps, side by side: each step of the network with its formula, its explanation and its code in each framework."""

import re
import textwrap

from benchmarks import wording
from benchmarks.analysis.results import Results
from benchmarks.records.run_record import StepText
from benchmarks.report.document import Block, Document, Heading, Section, SideBySide, Text, table

_HOW = "Each step of the network with its formula, what it does, and its code in each framework; at the end the whole training step."

_NUMERALS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}


def document(results: Results) -> Document | None:
    """A page of its own: each network's steps, then how they are put together; nothing where the run recorded none."""
    sections = [_section(results.of(network.model)) for network in results.run.networks if network.steps]
    return (
        Document(f"The same steps, {_ways(results)}", _HOW, sections, links=[("The report", "report")])
        if sections
        else None
    )


def _section(results: Results) -> Section:
    steps = [block for step in results.network.steps for block in _step(results, step)]
    blocks = [*_conventions(results), *steps, *_put_together(results)]
    return Section(wording.slug(results.network.model), wording.network(results.network), blocks)


def _conventions(results: Results) -> list[Block]:
    """On what frameworks differ, what the specification decided, and after whom."""
    rows = [[convention.item, convention.choice, convention.source] for convention in results.network.conventions]
    caption = "Conventions: where frameworks differ, and what the specification decided"
    return table(caption, rows, "item", "choice", "source", folded=True)


def _put_together(results: Results) -> list[Block]:
    """How the steps are put together: the training step, and the whole page of the network."""
    titled = {"the training step": "The complete training step", "the model": "The network's page"}
    panes_of = {title: panes for name, title in titled.items() if (panes := _panes(results, name))}
    return [block for title, panes in panes_of.items() for block in (Heading(title), SideBySide(title, panes))]


def _ways(results: Results) -> str:
    frameworks = len({source.framework for source in results.sources})
    return f"{_NUMERALS.get(frameworks, str(frameworks))} ways" if frameworks > 1 else "in code"


def _step(results: Results, step: StepText) -> list[Block]:
    texts = [
        Text(_formula(step), "formula"),
        Text(step.explanation),
        Text(f"Source: {step.source}" if step.source else "", "note"),
    ]
    panes = _panes(results, step.name)
    code: list[Block] = [SideBySide(_title(step), panes)] if panes else []
    return [Heading(_title(step)), *(text for text in texts if text.text), *code]


def _panes(results: Results, step: str) -> list[tuple[str, str]]:
    """The code by framework; frameworks with the very same code (one file, several backends) share a pane."""
    frameworks: dict[tuple[str, str, str], list[str]] = {}
    for source in results.sources:
        if source.step == step:
            names = frameworks.setdefault((source.file, source.code, source.sha256), [])
            if (name := wording.framework(source.framework)) not in names:
                names.append(name)
    return [
        (f"{wording.listed(names)} · {file} · SHA-256 {sha256[:12]}", textwrap.dedent(code))
        for (file, code, sha256), names in frameworks.items()
    ]


def _formula(step: StepText) -> str:
    """Its parts stand apart by several spaces, which no rendering keeps."""
    return re.sub(r"\s{3,}", ", ", re.sub(r"\s{3,}(?=\()", " ", step.formula.strip()))


def _title(step: StepText) -> str:
    return step.title or step.name
