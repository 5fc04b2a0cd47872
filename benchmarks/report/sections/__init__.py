"""The sections of a report, one module each, and their order."""

from collections import Counter
from dataclasses import replace

from benchmarks.report import headline, wording
from benchmarks.report.document import Document, Figure, Section, Text
from benchmarks.report.ranking import heats
from benchmarks.report.results import Results
from benchmarks.report.sections import (
    certainty,
    conduct,
    coverage,
    equivalence,
    fairness,
    floors,
    judged,
    learning,
    machine,
    modes,
    ranks,
    resources,
    starting,
    steps,
    sweep,
)


def document(results: Results) -> Document:
    """Everything there is to say about a run."""
    found = heats(results)
    before = (ranks, modes, coverage, equivalence, sweep, certainty, conduct, floors)
    parts = (*before, starting, learning, resources, fairness, steps, machine, judged)
    partial = headline.partial(results)
    lead = [Text(partial, "warning")] if partial else []
    lead += [Text(sentence, "lead") for sentence in headline.headline(results, found)]
    name = wording.model(results.run.model)
    return Document(
        title=f"{name} benchmark" + (" (partial results)" if partial else ""),
        subtitle=_subtitle(results),
        sections=_named_apart(
            [Section("headline", "Headline", lead), *(part.section(results, found) for part in parts)]
        ),
    )


def _named_apart(sections: list[Section]) -> list[Section]:
    """Give every figure a name of its own: it is a file name and an id, made from names that may be anything."""
    seen: Counter[str] = Counter()
    renamed = []
    for section in sections:
        blocks = []
        for block in section.blocks:
            if isinstance(block, Figure):
                seen[block.name] += 1
                if seen[block.name] > 1:
                    block = replace(block, name=f"{block.name}-number-{seen[block.name]}")
            blocks.append(block)
        renamed.append(replace(section, blocks=blocks))
    return renamed


def _subtitle(results: Results) -> str:
    run = results.run
    return (
        f"One {wording.model(run.model)}, written once per framework from one specification, proved equal, then timed. "
        f"Run of {run.started_at}, profile {run.profile}, {wording.count(run.blocks, 'block')}."
    )
