"""The same steps, side by side: each step of the network with its formula, its explanation and its code in each framework."""

import re
from collections.abc import Mapping, Sequence

from benchmarks import wording
from benchmarks.analysis import step_times
from benchmarks.analysis.cell_results import over_budget
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.analysis.step_times import StepTimes
from benchmarks.records.record import Configuration
from benchmarks.records.run_record import StepText
from benchmarks.report.document import Block, Heading, Section, SideBySide, Text, table
from benchmarks.wording import NO_VALUE

_WATCHED = (
    "In the tables of time and error, – is a time that is not known: where a training step is compiled into one program, or runs "
    "within a loop of the framework's own, its steps have no times of their own. How the times were taken is told below "
    "the chart of the time per step of the network."
)
_NOT_WATCHED = (
    "In the tables of time and error, – is a time that is not known: no training step was watched in this run."
)
_ERROR = (
    "Error over budget: the proof sees a step in the tensors that it changes first, which are named, not by itself. So steps "
    "before the logits share theirs, and that of backpropagation is the gradients'."
)


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """All formulas at a glance, then step by step."""
    steps = results.run.steps
    rows = [[_title(step), _formula(step), step.source] for step in steps]
    blocks = table("The steps of the network", rows, "step", "formula", "source")
    watched = _watched(results)
    if blocks:
        blocks.append(Text(f"{_WATCHED if watched else _NOT_WATCHED} {_ERROR}", "note"))
    for step in steps:
        blocks += _step(results, step, watched)
    content = blocks or [Text("The run recorded no steps.")]
    return Section("steps", f"The same steps, {_ways(results)}", content)


def _ways(results: Results) -> str:
    frameworks = len({source.framework for source in results.sources})
    return f"{wording.NUMERALS.get(frameworks, str(frameworks))} ways" if frameworks > 1 else "in code"


def _step(results: Results, step: StepText, watched: Mapping[Configuration, StepTimes]) -> list[Block]:
    texts = [
        Text(_formula(step), "formula"),
        Text(step.explanation),
        Text(f"Source: {step.source}" if step.source else "", "note"),
    ]
    panes = _panes(results, step.name)
    code: list[Block] = [SideBySide(_title(step), panes)] if panes else []
    return [Heading(_title(step)), *(text for text in texts if text.text), *code, *_measured(results, step, watched)]


def _watched(results: Results) -> dict[Configuration, StepTimes]:
    """All that were watched at the size that the chart of the times per step shows."""
    times = step_times.times(results)
    middle = step_times.middle(step_times.by_size(times))
    return {times_of.who: times_of for times_of in times if times_of.axes == middle[0].axes}


def _measured(results: Results, step: StepText, watched: Mapping[Configuration, StepTimes]) -> list[Block]:
    """The step's time in each framework that could be watched, and its error in all."""
    rows, frameworks = [], []
    for who in (who for who in results.checks_of if who.variant == "spec"):
        spent = watched[who].steps.get(step.name) if who in watched else None
        time = wording.with_interval(spent) if spent else NO_VALUE
        rows.append([wording.label(results, who), wording.setting(who), time, _error(results, who, step.shown_by)])
        frameworks.append(who.framework)
    size = f", {wording.size(next(iter(watched.values())).axes)}" if watched else ""
    columns = ("implementation", "setting", f"#time{size} (95% interval; blocks)", "#error over budget")
    return table(f"{_title(step)}: time and error", rows, *columns, frameworks=frameworks, folded=True)


def _error(results: Results, who: Configuration, groups: str) -> str:
    """The worst over all sizes and blocks, of the groups of the proof in which a mistake in this step shows first."""
    checks_of = results.checks_of.get(who, {})
    checks = [check for group in groups.split(", ") for check in checks_of.get(group, ())]
    if not checks:
        return NO_VALUE
    worst = max(checks, key=over_budget)
    return wording.Quantity(f"{wording.number(over_budget(worst), 2)} ({worst.group})", over_budget(worst))


def _panes(results: Results, step: str) -> list[tuple[str, str]]:
    """The code by framework; frameworks with the very same code (one file, several backends) share a pane."""
    frameworks: dict[tuple[str, str, str], list[str]] = {}
    for source in results.sources:
        if source.step == step:
            names = frameworks.setdefault((source.file, source.code, source.sha256), [])
            if (name := wording.framework(source.framework)) not in names:
                names.append(name)
    return [
        (f"{wording.listed(names)} · {file} · SHA-256 {sha256[:12]}", code)
        for (file, code, sha256), names in frameworks.items()
    ]


def _formula(step: StepText) -> str:
    """Its parts stand apart by several spaces, which no rendering keeps."""
    return re.sub(r"\s{3,}", ", ", re.sub(r"\s{3,}(?=\()", " ", step.formula.strip()))


def _title(step: StepText) -> str:
    return step.title or step.name
