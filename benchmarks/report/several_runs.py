"""Several runs on one page: the same cells on other machines, with other versions, at other times.

Each run ranks by itself; between runs a cell is compared with the same cell of the first run, unpaired, and only where
both trained the same network on the same data.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import pandas as pd

from benchmarks import statistics, wording
from benchmarks.analysis import comparability
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.loaded_run import LoadedRun
from benchmarks.analysis.ranking import ComparisonGroup, by_network, by_phase
from benchmarks.analysis.results import Results
from benchmarks.report import dataframe, facts, machines, missing, nodes, sections
from benchmarks.report.document import Block, Bullets, Document, Heading, Section, Text, table
from benchmarks.report.sections import answer, coverage
from benchmarks.statistics import Comparison
from benchmarks.verdict_rule import MARGIN
from benchmarks.wording import NO_VALUE

_NOTE = (
    "Runs take no turns with one another: whatever else differed between them (other load, heat, settings) is in every ratio "
    "between runs. Intervals are unpaired (Welch), from the blocks of both; what is called slower or faster lies wholly "
    f"beyond {wording.MARGIN}, and darker is slower. A ratio between two machines speaks of these machines with these versions, and of "
    "nothing else. results.csv has every time of every run, also of cells that the first run has not."
)

Compared = Mapping[tuple[str, str], Comparison]
"""By the run's name and the cell's id."""


def document(runs: Sequence[LoadedRun]) -> Document:
    """The page over these runs, the first of which is the baseline."""
    by_machine = machines.blocks(runs)
    parts = [
        Section("headline", "Headline", _headline(runs)),
        *([Section("machines", "Which machine and framework is fastest?", by_machine)] if by_machine else []),
        Section("runs", "The runs", [*_runs(runs), *_differences(runs)]),
        Section("fastest", "Which is fastest in which run?", _fastest(runs)),
        Section("cells", f"The same cell in every run, against {runs[0].name}", _cells(runs)),
        Section("coverage", "Coverage", _coverage(runs)),
    ]
    model = wording.networks(runs[0].results.run)
    subtitle = f"{wording.listed(f'{run.name}: {run.results.run.started_at}' for run in runs)}."
    partial = " (partial results)" if any(missing.partial(run.results) for run in runs) else ""
    return Document(f"{model} benchmark, {len(runs)} runs{partial}", subtitle, parts)


def cells(runs: Sequence[LoadedRun]) -> pd.DataFrame:
    """All rows of all runs, with the run's name in front."""
    tables = [dataframe.cells(run.results, run.groups).assign(run=wording.clean(run.name)) for run in runs]
    rows = pd.concat([part.astype(object) for part in tables], ignore_index=True)
    return rows[["run", *(name for name in rows.columns if name != "run")]]


def _headline(runs: Sequence[LoadedRun]) -> list[Block]:
    """What would make one distrust a run comes first, as on its own page; then what was found."""
    warnings = [f"{run.name}: {warning}" for run in runs if (warning := sections.warning(run.results))]
    return [
        *(Text(warning, "warning") for warning in warnings),
        *(Text(sentence, "lead") for sentence in findings(runs)),
    ]


def findings(runs: Sequence[LoadedRun]) -> list[str]:
    """The fastest machine for each network, or of one kind of machine the first finding of each run."""
    firsts = {run.name: answer.firsts(by_network(run.results, run.groups)) for run in runs}
    return machines.findings(runs) or [f"{name}: {' '.join(first)}" for name, first in firsts.items()]


def _runs(runs: Sequence[LoadedRun]) -> list[Block]:
    rows = [
        [
            run.name,
            run.results.run.started_at,
            facts.machine(run.results.environment) or NO_VALUE,
            nodes.of(run.results) or NO_VALUE,
            run.results.run.profile,
            str(run.results.blocks_measured),
            str(sum(bool(entry.medians) for entry in run.results.entries)),
        ]
        for run in runs
    ]
    columns = ("run", "started", "machine", "measured on", "profile", "#blocks", "#cells with a time")
    return table("The runs of this page", rows, *columns)


def _differences(runs: Sequence[LoadedRun]) -> list[Block]:
    """Every fact in which not all runs agree."""
    several = any(len(run.results.run.networks) > 1 for run in runs)
    facts_of = [_facts(run.results, several) for run in runs]
    names = dict.fromkeys(name for facts in facts_of for name in facts)
    values_of = {name: [facts.get(name, NO_VALUE) for facts in facts_of] for name in names}
    rows = [[name, *values] for name, values in values_of.items() if len(set(values)) > 1]
    differing = table("In what they differ", rows, "fact", *(run.name for run in runs))
    return differing or [Text("They differ in nothing that was written down.")]


def _facts(results: Results, several: bool) -> dict[str, str]:
    run, machine = results.run, comparability.machine(results.environment)
    values = {"model": wording.networks(run)}
    for network in run.networks:
        of = f"{wording.network(network)}, " if several else ""
        values |= {f"{of}specification, {key}": value for key, value in facts.rows(network.spec)}
        data = facts.rows(network.dataset.model_dump(exclude_none=True))
        values |= {f"{of}data, {key}": value for key, value in data}
    values |= {f"machine, {key}": facts.text(value) for key, value in machine.items()}
    versions = comparability.software(results).items()
    return values | {f"{wording.framework(who)}, {package}": version for (who, package), version in versions}


def _fastest(runs: Sequence[LoadedRun]) -> list[Block]:
    """A row per size and setting, a column per run."""
    groups_of: dict[tuple[str, ...], dict[str, ComparisonGroup]] = defaultdict(dict)
    for run in runs:
        for group in run.groups:
            if group.reference:
                groups_of[group.key][run.name] = group
    rows = []
    for by_run in groups_of.values():
        group = next(iter(by_run.values()))
        row = [_of(runs, group) + wording.timed(group.phase, group.axes), wording.setting(group.who)]
        rows.append([*row, *(_fastest_cell(run, by_run.get(run.name)) for run in runs)])
    columns = ("what is timed", "setting", *(run.name for run in runs))
    blocks = table(f"The fastest in each run ({wording.SURE})", rows, *columns)
    return blocks or [Text("No run ranked anything.")]


def _of(runs: Sequence[LoadedRun], group: ComparisonGroup) -> str:
    """The network and a comma, where the runs hold several."""
    titles = {network.model: wording.network(network) for run in runs for network in run.results.run.networks}
    return f"{titles[group.who.model]}, " if len(titles) > 1 else ""


def _fastest_cell(run: LoadedRun, group: ComparisonGroup | None) -> str:
    if group is None or group.reference is None:
        return NO_VALUE
    return f"{answer.verdict(run.results, group)}: {_time(group.reference)}"


def _cells(runs: Sequence[LoadedRun]) -> list[Block]:
    """Per phase and setting a table of the first run's cells: their times there, and over them those of the other runs."""
    blocks: list[Block] = [Text(_NOTE, "note")]
    for network in runs[0].results.run.networks:
        own = runs[0].network(network.model)
        others = [run.name for run in runs[1:] if run.network(network.model) not in (None, own)]
        if others:
            what = (
                f"Not compared with {runs[0].name}, because the {wording.network(network)} or its data is another one"
            )
            blocks.append(Text(f"{what}: {wording.listed(others)}.", "warning"))
    compared = _compared(runs)
    for same_phase in by_phase(runs[0].groups):
        title = _of(runs, same_phase[0]) + wording.timed_in(same_phase[0].phase, same_phase[0].who)
        if rows := _table(runs, same_phase, compared, title):
            blocks += [Heading(title[0].upper() + title[1:]), *rows]
    return blocks


def _compared(runs: Sequence[LoadedRun]) -> Compared:
    """By run and cell: its time over the first run's. What counts as detected, the whole page allows (Holm)."""
    first, comparisons = runs[0], {}
    for run in runs[1:]:
        for name, entry in run.entries.items():
            base, model = first.entries.get(name), entry.cell.who.model
            same = run.network(model) == first.network(model)
            if same and base and entry.is_proved and base.is_proved:
                medians = list(entry.medians.values()), list(base.medians.values())
                comparisons[run.name, name] = statistics.compare_unpaired(*medians, MARGIN)
    return dict(zip(comparisons, statistics.detected_together(list(comparisons.values())), strict=True))


def _table(
    runs: Sequence[LoadedRun], same_phase: Sequence[ComparisonGroup], compared: Compared, title: str
) -> list[Block]:
    rows, frameworks = [], []
    for group in same_phase:
        for entry in (place.entry for place in group.places if place.entry.standing != "beside"):
            who = entry.cell.who
            ratios = [_ratio(run.entries.get(entry.id), compared.get((run.name, entry.id))) for run in runs[1:]]
            rows.append([wording.implementation(who, True), wording.size(group.axes), _time(entry), *ratios])
            frameworks.append(who.framework)
    columns = ("implementation", "size", f"#{runs[0].name}", *(f"#{run.name} over {runs[0].name}" for run in runs[1:]))
    caption = f"Times in {runs[0].name} ({wording.SURE}), and over them those of the others, {title}"
    return table(caption, rows, *columns, frameworks=frameworks, heat=True)


def _time(entry: CellResult) -> str:
    """A time with its interval and count, or why there is none."""
    if entry.time is None:
        return entry.status
    if entry.standing in ("not proved", "impossible"):
        return "not proved equal" if entry.standing == "not proved" else "impossible"
    return wording.with_interval(entry.time)


def _ratio(entry: CellResult | None, comparison: Comparison | None) -> str:
    """The cell's time over the first run's, or why it is not compared."""
    if comparison is None:
        return "not planned" if entry is None else "not compared" if entry.is_proved else _time(entry)
    ratio, differs = comparison.ratio, comparison.verdict in ("faster", "slower")
    chance = wording.CHANCE if differs and not comparison.detected else ""
    text = f"{wording.ratio(ratio.value)} ({wording.ratio_interval(ratio)}) {comparison.verdict}{chance}"
    return wording.Quantity(text, ratio.value)


def _coverage(runs: Sequence[LoadedRun]) -> list[Block]:
    """The holes of each run, and what could not be read of it."""
    blocks: list[Block] = []
    for run in runs:
        holes = coverage.holes(run.results)
        problems: list[Block] = [Bullets(run.results.problems)] if run.results.problems else []
        blocks += [Heading(run.name), *(holes or [Text("Every planned cell was measured in all blocks.")]), *problems]
    return blocks
