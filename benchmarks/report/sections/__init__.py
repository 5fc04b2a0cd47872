"""The sections of a report, one module each, and their order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from benchmarks import wording
from benchmarks.analysis.ranking import ComparisonGroup, comparison_groups
from benchmarks.analysis.results import Results
from benchmarks.report import headline
from benchmarks.report.document import Block, Document, Figure, Part, Section, Text
from benchmarks.report.sections import (
    coverage,
    environment,
    equivalence,
    fairness,
    fault_detection,
    gpu_vs_cpu,
    learning,
    memory_energy,
    ranking,
    roofline,
    run_quality,
    sizes,
    startup,
    steps,
    tuned_vs_plain,
    uncertainty,
)


def document(results: Results, groups: Sequence[ComparisonGroup] | None = None) -> Document:
    """Everything there is to say about a run; its groups, where somebody has them already."""
    groups = comparison_groups(results) if groups is None else groups
    answers = (ranking, tuned_vs_plain, coverage, equivalence, gpu_vs_cpu, uncertainty, run_quality, roofline)
    parts = (*answers, startup, learning, sizes, memory_energy, steps, fairness, environment, fault_detection)
    sections = [lead(results, groups), *(part.section(results, groups) for part in parts)]
    return Document(title(results), _subtitle(results), _named_apart(sections))


def title(results: Results) -> str:
    """What it is, and whether something is missing."""
    partial = " (partial results)" if headline.partial(results) else ""
    return f"{wording.model(results.run)} benchmark{partial}"


def lead(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """What is missing, and then the findings."""
    partial = headline.partial(results)
    first = [Text(partial, "warning")] if partial else []
    return Section(
        "headline", "Headline", first + [Text(finding, "lead") for finding in headline.headline(results, groups)]
    )


def _named_apart(sections: list[Section]) -> list[Section]:
    """Give every figure a name of its own: it is a file name and an id, made from names that may be anything."""
    seen: Counter[str] = Counter()

    def renamed(block: Block) -> Block:
        if isinstance(block, Part):
            return replace(block, blocks=[renamed(inner) for inner in block.blocks])
        if isinstance(block, Figure):
            seen[block.name] += 1
            if seen[block.name] > 1:
                return replace(block, name=f"{block.name}-number-{seen[block.name]}")
        return block

    return [replace(section, blocks=[renamed(block) for block in section.blocks]) for section in sections]


def _subtitle(results: Results) -> str:
    run = results.run
    return (
        f"One {wording.model(run)}, written once per framework from one specification{_proved(results)}. "
        f"Run of {run.started_at}, profile {run.profile}, {wording.count(run.blocks, 'block')}."
    )


def _proved(results: Results) -> str:
    """What may be said of everything that was timed, floors and peers aside."""
    timed = [entry for entry in results.entries if entry.medians and entry.standing != "beside"]
    unproved = sum(entry.standing == "not proved" for entry in timed)
    if not timed:
        return ""
    if not unproved:
        return ", proved equal, then timed"
    return f", then timed; {unproved} of {wording.count(len(timed), 'timed cell')} not proved equal"
