"""Several runs on one page: the same cells on other machines, with other versions, at other times.

Each run ranks by itself; between runs a cell is compared with the same cell of the first run, unpaired, and only where
both trained the same network on the same data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from benchmarks import statistics, wording
from benchmarks.analysis import comparability, dataframe, machine_facts
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import Heat, heats, phase_groups
from benchmarks.analysis.results import Results
from benchmarks.report import facets, headline, plots
from benchmarks.report.document import Block, Bullets, Document, Figure, Heading, Part, Section, Text, table
from benchmarks.report.sections import coverage, ranking
from benchmarks.statistics import Comparison
from benchmarks.verdict_rule import MARGIN
from benchmarks.wording import NO_VALUE

COMPARED = ("ranked", "own variant")
_NOTE = (
    "Runs take no turns with one another: whatever else differed between them (other load, heat, settings) is in every ratio "
    "between runs. Intervals are unpaired (Welch), from the blocks of both; what is called slower or faster lies wholly "
    f"beyond {wording.MARGIN}. A ratio between two machines speaks of these machines with these versions, and of nothing else."
)
_MOST_PANELS = 6


@dataclass(frozen=True)
class Run:
    """One of the runs, by the name that it has on the page."""

    name: str
    results: Results

    @cached_property
    def heats(self) -> list[Heat]:
        """What it ranks."""
        return heats(self.results)

    @cached_property
    def entries(self) -> Mapping[str, CellResult]:
        """Its cells by id."""
        return {entry.id: entry for entry in self.results.entries}

    def network(self) -> tuple[str, str, str]:
        """What must be the same for two times to be compared."""
        run = self.results.run
        return run.model, run.spec_sha256, machine_facts.text(run.dataset)


def document(runs: Sequence[Run]) -> Document:
    """The page over these runs, the first of which is the baseline."""
    sections = [
        Section("headline", "Headline", _headline(runs)),
        Section("runs", "The runs", [*_runs(runs), *_differences(runs)]),
        Section("fastest", "Which is fastest in which run?", _fastest(runs)),
        Section("cells", f"The same cell in every run, against {runs[0].name}", _cells(runs)),
        Section("coverage", "Coverage", _coverage(runs)),
    ]
    model = wording.model(runs[0].results.run.model)
    subtitle = f"{wording.listed(f'{run.name}: {run.results.run.started_at}' for run in runs)}."
    partial = " (partial results)" if any(headline.partial(run.results) for run in runs) else ""
    return Document(f"{model} benchmark, {len(runs)} runs{partial}", subtitle, sections)


def cells(runs: Sequence[Run]) -> pd.DataFrame:
    """All rows of all runs, with the run's name in front."""
    tables = [dataframe.cells(run.results, run.heats).assign(run=wording.clean(run.name)) for run in runs]
    found = pd.concat([part.astype(object) for part in tables], ignore_index=True)
    return found[["run", *(name for name in found.columns if name != "run")]]


def _headline(runs: Sequence[Run]) -> list[Block]:
    """What is missing comes first, then the first finding of each run."""
    partial = [f"{run.name}: {told}" for run in runs if (told := headline.partial(run.results))]
    found = [f"{run.name}: {headline.headline(run.results, run.heats)[0]}" for run in runs]
    return [*(Text(told, "warning") for told in partial), *(Text(sentence, "lead") for sentence in found)]


def _runs(runs: Sequence[Run]) -> list[Block]:
    rows = [
        [
            run.name,
            run.results.run.started_at,
            machine_facts.machine(run.results.environment).strip(" ()") or NO_VALUE,
            run.results.run.profile,
            str(run.results.run.blocks),
            str(sum(bool(entry.medians) for entry in run.results.entries)),
        ]
        for run in runs
    ]
    return table("The runs of this page", rows, "run", "started", "machine", "profile", "#blocks", "#cells with a time")


def _differences(runs: Sequence[Run]) -> list[Block]:
    """Every fact in which not all runs agree."""
    facts = [_facts(run.results) for run in runs]
    names = list(dict.fromkeys(name for found in facts for name in found))
    rows = [
        [name, *(found.get(name, NO_VALUE) for found in facts)]
        for name in names
        if len({found.get(name) for found in facts}) > 1
    ]
    told = table("In what they differ", rows, "fact", *(run.name for run in runs))
    return told or [Text("They differ in nothing that was written down.")]


def _facts(results: Results) -> dict[str, str]:
    run = results.run
    found = {"model": wording.model(run.model)}
    found |= {f"specification, {key}": value for key, value in machine_facts.rows(run.spec)}
    found |= {f"data, {key}": value for key, value in machine_facts.rows(run.dataset)}
    found |= {
        f"machine, {key}": machine_facts.text(value)
        for key, value in comparability.machine(results.environment).items()
    }
    found |= {
        f"{wording.framework(who)}, {what}": value for (who, what), value in comparability.software(results).items()
    }
    return found


def _fastest(runs: Sequence[Run]) -> list[Block]:
    """A row per size and setting, a column per run."""
    found: dict[tuple[str, ...], dict[str, Heat]] = {}
    for run in runs:
        for heat in run.heats:
            if heat.reference:
                found.setdefault(heat.key, {})[run.name] = heat
    rows, chosen_by = [], []
    for by_run in found.values():
        heat = next(iter(by_run.values()))
        row = [f"{wording.phase(heat.phase)}, {wording.size(heat.axes)}", wording.setting(heat.who)]
        rows.append([*row, *(_fastest_cell(run, by_run.get(run.name)) for run in runs)])
        chosen_by.append(facets.of_group(heat) | facets.of_size(heat))
    columns = ("what is timed", "setting", *(run.name for run in runs))
    return table("The fastest in each run (95% interval; blocks)", rows, *columns, facets=chosen_by) or [
        Text("No run ranked anything.")
    ]


def _fastest_cell(run: Run, heat: Heat | None) -> str:
    if heat is None or heat.reference is None:
        return NO_VALUE
    return f"{ranking.winner(run.results, heat)}: {_time(heat.reference)}"


def _cells(runs: Sequence[Run]) -> list[Block]:
    """Per phase and setting: a chart of the ratios to the first run, and every time in a table."""
    blocks: list[Block] = [Text(_NOTE, "note")]
    others = [run.name for run in runs[1:] if run.network() != runs[0].network()]
    if others:
        told = f"Not compared with {runs[0].name}, because the network or the data is another one: {wording.listed(others)}."
        blocks.append(Text(told, "warning"))
    compared = _compared(runs)
    for group in phase_groups(_all_heats(runs)):
        what = f"{wording.phase(group[0].phase)} ({wording.setting(group[0].who)})"
        shown = [*_figure(runs, group, compared, what), *_table(runs, group, compared, what)]
        blocks.append(Part(facets.of_group(group[0]), [Heading(what[0].upper() + what[1:]), *shown]))
    return blocks


def _all_heats(runs: Sequence[Run]) -> list[Heat]:
    """The heats of all runs; where several have one, with the cells of all of them, once."""
    found: dict[tuple[str, ...], Heat] = {}
    for run in runs:
        for heat in run.heats:
            known = found.setdefault(heat.key, heat)
            ids = {place.entry.id for place in known.places}
            more = [place for place in heat.places if place.entry.id not in ids]
            found[heat.key] = Heat([*known.places, *more])
    return list(found.values())


def _compared(runs: Sequence[Run]) -> dict[tuple[str, str], Comparison]:
    """By run and cell: its time over the first run's. What counts as detected, the whole page allows (Holm)."""
    first, found = runs[0], {}
    for run in (run for run in runs[1:] if run.network() == first.network()):
        for name, entry in run.entries.items():
            base = first.entries.get(name)
            if base and entry.standing in COMPARED and base.standing in COMPARED:
                medians = list(entry.medians.values()), list(base.medians.values())
                found[run.name, name] = statistics.compare_unpaired(*medians, MARGIN)
    detected = statistics.holm([comparison.p_value for comparison in found.values()])
    return {key: replace(found[key], detected=holds) for key, holds in zip(found, detected, strict=True)}


def _figure(
    runs: Sequence[Run], group: Sequence[Heat], compared: Mapping[tuple[str, str], Comparison], what: str
) -> list[Block]:
    panels = []
    for heat in group:
        dots = [
            _dot(run, place.entry, compared[run.name, place.entry.id])
            for place in heat.places
            for run in runs[1:]
            if (run.name, place.entry.id) in compared
        ]
        if dots:
            panels.append((wording.short(wording.size(heat.axes), 60), dots))
    if not panels:
        return []
    base = runs[0].name
    left = (
        f" Of {len(panels)} sizes {_MOST_PANELS} are drawn; the tables have all." if len(panels) > _MOST_PANELS else ""
    )
    how = (
        f"How to read this: each marker is a time divided by the time of the same cell in {base}, so 1 is as fast as there; "
        f"further left is faster than in {base}. The bar is the 95% interval, the band the {wording.MARGIN} of a tie.{left}"
    )
    here = {place.entry.id for heat in group for place in heat.places}
    verdicts = [comparison.verdict for (_, name), comparison in compared.items() if name in here]
    told = wording.listed(
        f"{verdicts.count(v)} {v}" for v in ("faster", "tied", "inconclusive", "slower") if v in verdicts
    )
    caption = f"Against {base}, {wording.count(len(verdicts), 'comparison')}: {told}."
    who = group[0].who
    name = wording.slug(f"runs-{group[0].phase}-{who.precision}-{who.mode}-t{who.threads}")
    spec = plots.ratios(panels[:_MOST_PANELS], MARGIN, f"time over {wording.short(base, 24)}'s time")
    return [Figure(name, spec, f"{what[0].upper()}{what[1:]}, run against run", caption, how)]


def _dot(run: Run, entry: CellResult, comparison: Comparison) -> plots.Dot:
    ratio, who = comparison.ratio, entry.cell.who
    sure = ratio.blocks > 1
    words = wording.ratio(ratio.value) + (f"  ({wording.ratio_interval(ratio)})" if sure else "")
    label = wording.short(f"{wording.implementation(who, True)}: {run.name}")
    low, high = (ratio.low, ratio.high) if sure else (None, None)
    return plots.Dot(label, who.framework, ratio.value, low, high, words)


def _table(
    runs: Sequence[Run], group: Sequence[Heat], compared: Mapping[tuple[str, str], Comparison], what: str
) -> list[Block]:
    rows, frameworks, chosen_by = [], [], []
    for heat in group:
        for entry in (place.entry for place in heat.places if place.entry.standing != "beside"):
            name, who = entry.id, entry.cell.who
            ratios = [_ratio(compared.get((run.name, name))) for run in runs[1:]]
            times = [_time(run.entries.get(name)) for run in runs]
            rows.append([wording.implementation(who, True), wording.size(heat.axes), *times, *ratios])
            frameworks.append(who.framework)
            chosen_by.append(facets.of_size(heat) | facets.of_entry(entry))
    columns = ["implementation", "size", *(f"#{run.name}" for run in runs)]
    columns += [f"#{run.name} over {runs[0].name}" for run in runs[1:]]
    return table(f"Times (95% interval; blocks), {what}", rows, *columns, frameworks=frameworks, facets=chosen_by)


def _time(entry: CellResult | None) -> str:
    """A time with its interval and count, or why there is none."""
    if entry is None:
        return "not planned"
    if entry.time is None:
        return entry.status
    if entry.standing == "not proved":
        return "not proved equal"
    return wording.with_interval(entry.time)


def _ratio(comparison: Comparison | None) -> str:
    if comparison is None:
        return "not compared"
    ratio = comparison.ratio
    chance = (
        " (may be chance in so large a table)"
        if comparison.verdict in ("faster", "slower") and not comparison.detected
        else ""
    )
    shown = f"{wording.ratio(ratio.value)} ({wording.ratio_interval(ratio)}) {comparison.verdict}{chance}"
    return wording.Quantity(shown, ratio.value)


def _coverage(runs: Sequence[Run]) -> list[Block]:
    """The holes of each run, and what could not be read of it."""
    blocks: list[Block] = []
    for run in runs:
        found = coverage.holes(run.results)
        problems: list[Block] = [Bullets(run.results.problems)] if run.results.problems else []
        blocks += [Heading(run.name), *(found or [Text("Every planned cell was measured in all blocks.")]), *problems]
    return blocks
