"""The sections of a report, one module each, and their order."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks import wording
from benchmarks.analysis.ranking import ComparisonGroup, by_network, comparison_groups
from benchmarks.analysis.results import Results
from benchmarks.analysis.run_quality import null_controls
from benchmarks.report import facts, missing
from benchmarks.report.document import Block, Document, Figure, Heading, Section, Text
from benchmarks.report.sections import (
    answer,
    coverage,
    environment,
    equivalence,
    fairness,
    gpu_vs_cpu,
    keras_cost,
    learning,
    memory_energy,
    model_comparison,
    ranking,
    roofline,
    run_quality,
    sizes,
    startup,
    tuned_vs_plain,
    uncertainty,
)

SectionOf = Callable[[Results, Sequence[ComparisonGroup]], Section]

PARTS: tuple[SectionOf, ...] = (
    model_comparison.section,
    ranking.section,
    sizes.section,
    roofline.section,
    tuned_vs_plain.section,
    keras_cost.section,
    gpu_vs_cpu.section,
    learning.section,
    startup.section,
    memory_energy.section,
    equivalence.section,
    fairness.section,
    equivalence.limits_section,
    uncertainty.section,
    coverage.section,
)
"""In the order of questions. What was not measured has no section."""

OF_RUN = (model_comparison.section, equivalence.limits_section)
"""Of these parts, what speaks of the run as a whole and not of one network."""

SAME_SUMMARY = (fairness.section,)
"""And those whose sentence is the same of every network."""

OF_UNNAMED = (ranking.section, equivalence.section, coverage.section)
"""What is said of a network that nobody named, too."""


def document(results: Results, groups: Sequence[ComparisonGroup] | None = None) -> Document:
    """Everything there is to say about a run; its groups, where somebody has them already."""
    groups = comparison_groups(results) if groups is None else groups
    first = answer.section(list(by_network(results, groups)))
    first = replace(first, blocks=[*first.blocks, *answer.unsaid(results)])
    sections = [of_networks(part, results, groups) for part in PARTS]
    shown = [part for part in (first, *sections, environment.section(results, groups)) if part.blocks or part.summary]
    links = [("The same steps in every framework", "steps")] if any(n.steps for n in results.run.networks) else []
    return Document(title(results), facts.title(results), _named_apart(shown), warning(results), links)


def title(results: Results) -> str:
    """What it is, and whether something is missing."""
    partial = " (partial results)" if missing.partial(results) else ""
    return f"{wording.networks(results.run)} benchmark{partial}"


def warning(results: Results) -> str:
    """What is missing, and what would make one distrust the rest."""
    wrong = [run_quality.summary(results)] if any(null.failed for null in null_controls(results)) else []
    parts = [missing.partial(results), *wrong, uncertainty.interfered(results), environment.steered(results)]
    return " ".join(filter(None, parts))


def of_networks(section: SectionOf, results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """A section of every network, one after the other where there are several: what is true of them all is told once."""
    networks = results.run.networks if section in OF_UNNAMED else results.run.named
    if section in OF_RUN:
        return section(results, groups)
    of_each = [section(of, its) for of, its in by_network(results, groups) if of.network in networks]
    if len(of_each) == 1:
        return of_each[0]
    blocks: list[Block] = []
    summaries = []
    for network, of in zip(networks, of_each, strict=True):
        if of.blocks:
            blocks.append(Heading(wording.network(network)))
            told = [block for block in of.blocks if not isinstance(block, Text) or block not in blocks]
            blocks += [_renamed(block, f"{wording.slug(network.model)}-{{}}".format) for block in told]
        if of.summary:
            summaries.append(f"{wording.network(network)}: {of.summary}")
    if section in SAME_SUMMARY:
        summaries = [of_each[0].summary]
    return replace(of_each[0], blocks=blocks, summary=" ".join(summaries))


def _named_apart(sections: list[Section]) -> list[Section]:
    """Give every figure a name of its own: it is a file name and an id, made from names that may be anything."""
    seen: Counter[str] = Counter()

    def apart(name: str) -> str:
        seen[name] += 1
        return name if seen[name] == 1 else f"{name}-number-{seen[name]}"

    return [replace(section, blocks=[_renamed(block, apart) for block in section.blocks]) for section in sections]


def _renamed(block: Block, name_of: Callable[[str], str]) -> Block:
    """A block with other names for its figures."""
    return replace(block, name=name_of(block.name)) if isinstance(block, Figure) else block
