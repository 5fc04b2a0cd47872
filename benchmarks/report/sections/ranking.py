"""Which is fastest for me? A chart and tables per phase; what may not be ranked stands beside."""

from collections.abc import Sequence

import numpy as np

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, Place, by_phase, compare
from benchmarks.analysis.results import Results
from benchmarks.records.record import FLOORS
from benchmarks.report import dataframe, facets, headline, plots
from benchmarks.report.document import Block, Figure, Heading, Part, Section, Text, table
from benchmarks.statistics import Estimate, estimate
from benchmarks.verdict_rule import MARGIN, MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE

_MOST_PANELS = 4
"""Sizes in one chart, at most. Of more sizes the first, the middle and the last: each panel takes its time to be drawn."""

_HOW = (
    "Plain is a framework used as its documentation teaches it, tuned as its expert would ship it; each is ranked among its like. "
    "Times are medians over blocks, each of which is one fresh process per implementation. Ratios are taken round by round, in turn "
    "with one another, so they need not be the quotient of two times in the tables. A rank such as 2–3 means that this order was "
    "not settled."
)


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """Overview, then each phase; then floors and peers."""
    ours = [group for group in groups if group.phase not in FLOORS and not group.is_beside]
    timed = [group for group in ours if any(place.entry.time for place in group.places)]
    blocks: list[Block] = [] if timed else [Text("No cell has a time, so there is no ranking.")]
    if timed:
        blocks.append(Text(_HOW))
    if len(timed) > 1:
        blocks += overview(results, timed)
    for same_phase in by_phase(timed):
        blocks.append(Part(facets.of_group(same_phase[0]), _phase(results, same_phase)))
    return Section("fastest", "Which is fastest for me?", blocks + _beside(results))


def overview(results: Results, groups: Sequence[ComparisonGroup]) -> list[Block]:
    """The fastest of each group that has any time, with the hedges of the headline."""
    rows = []
    for group in groups:
        time = group.reference.time if group.reference else None
        row = [wording.timed(group.phase, group.axes), wording.setting(group.who), winner(results, group)]
        row += (
            [wording.duration(time.value), wording.duration_interval(time), str(time.blocks)]
            if time
            else [NO_VALUE] * 3
        )
        rows.append(row)
    columns = ["what is timed", "setting", "fastest"]
    columns += ["#time per call (of the first named)", "#95% interval", "#blocks"]
    chosen_by = [facets.of_group(group) | facets.of_size(group) for group in groups]
    return table("The fastest at every size", rows, *columns, facets=chosen_by)


def winner(results: Results, group: ComparisonGroup) -> str:
    """The fastest in a few words, with the same hedges as the headline."""
    if group.reference is None:
        return "none is ranked"
    best = wording.label(results, group.reference.cell.who)
    if not group.rivals:
        return f"{best} (the only one ranked)"
    if group.blocks < MIN_BLOCKS_FOR_VERDICT:
        return f"{best} had the lowest time (too few blocks for a verdict)"
    unsettled = [
        wording.label(results, place.entry.cell.who) for place in group.with_verdict("inconclusive", "not compared")
    ]
    tied = [wording.label(results, place.entry.cell.who) for place in group.with_verdict("tied")]
    if unsettled:
        return f"{wording.listed([best, *tied, *unsettled], 'or')} (not settled)"
    return f"{wording.listed([best, *tied])} (tied)" if tied else best


def _phase(results: Results, same_phase: Sequence[ComparisonGroup]) -> list[Block]:
    title = wording.timed_in(same_phase[0].phase, same_phase[0].who)
    title = title[0].upper() + title[1:]
    blocks: list[Block] = [Heading(title), *_figure(results, same_phase, title)]
    return [*blocks, *(Part(facets.of_size(group), _ranking(results, group)) for group in same_phase)]


def _figure(results: Results, same_phase: Sequence[ComparisonGroup], title: str) -> list[Block]:
    ranked = [group for group in same_phase if group.reference]
    drawn = ranked if len(ranked) <= _MOST_PANELS else _spread(ranked, 3)
    panels = [(wording.short(wording.size(group.axes), 60), _dots(results, group)) for group in drawn]
    if not any(len(dots) > 1 for _, dots in panels):
        return []
    left = f" Of {len(ranked)} sizes {len(drawn)} are drawn; the tables have all." if len(drawn) < len(ranked) else ""
    how_to_read = (
        "How to read this: each marker is the ratio of a time to the fastest one's at that size, so 1 is the fastest and 2 takes "
        "twice as long. The bar is its 95% interval, cut where it leaves the chart; the shaded band is the "
        f"{wording.MARGIN} within which two times count as tied. Hollow markers are variants, outside the rank.{left}"
    )
    name = wording.figure_name("ratio", same_phase[0].phase, same_phase[0].who)
    return [Figure(name, plots.ratios(panels, MARGIN), title, _conclusion(results, same_phase), how_to_read)]


def _spread(groups: Sequence[ComparisonGroup], most: int) -> list[ComparisonGroup]:
    """So many of more than so many, evenly among them, the first and the last too."""
    return [groups[round(k * (len(groups) - 1) / (most - 1))] for k in range(most)]


def _conclusion(results: Results, same_phase: Sequence[ComparisonGroup]) -> str:
    """One size: the whole finding. Several: the fastest of each."""
    ranked = [group for group in same_phase if group.reference]
    if len(ranked) == 1:
        return f"At {wording.size(ranked[0].axes)}: {headline.finding(results, ranked[0])}"
    winners = "; ".join(f"{wording.size(group.axes)}: {winner(results, group)}" for group in ranked[:8])
    return f"Fastest at {winners}{'; and so on as in the tables' if len(ranked) > 8 else ''}."


def _dots(results: Results, group: ComparisonGroup) -> list[plots.Dot]:
    dots = []
    for place in group.places:
        who = place.entry.cell.who
        label = wording.label(results, who)
        if place.is_reference:
            dots.append(plots.Dot(wording.short(label), who.framework, 1.0, None, None, "1 (reference)"))
        elif place.comparison and place.entry.is_proved:
            dots.append(plots.ratio_dot(label, who.framework, place.comparison.ratio, place.entry.standing != "ranked"))
    return dots


def _ranking(results: Results, group: ComparisonGroup) -> list[Block]:
    places = [place for place in group.places if place.entry.standing != "beside"]
    latency = group.phase == "predict" and any(place.entry.samples_per_call == 1 for place in places)
    rows = [_row(place, group, latency) for place in places]
    columns = ["implementation", "#rank", "device", "#time per call", "#95% interval", "#blocks", "#samples per second"]
    columns += ["#p50 (95% interval; blocks)", "#p99 (95% interval; blocks)"] if latency else []
    columns += ["#ratio to fastest", "#95% interval of the ratio", "verdict"]
    caption = f"Ranking: {wording.timed(group.phase, group.axes)}"
    frameworks = [place.entry.cell.who.framework for place in places]
    chosen_by = [facets.of_entry(place.entry) for place in places]
    note = _latency_note(places) if latency else ""
    return table(caption, rows, *columns, frameworks=frameworks, facets=chosen_by, note=note)


def _row(place: Place, group: ComparisonGroup, latency: bool) -> list[str]:
    entry, time, rank = place.entry, place.entry.time, wording.rank(dataframe.rank(place))
    row = [wording.implementation(entry.cell.who, with_device=False), rank or NO_VALUE, entry.cell.who.device]
    row += [wording.duration(time.value), wording.duration_interval(time)] if time else [NO_VALUE, NO_VALUE]
    row += [f"{len(entry.medians)}", wording.number(entry.samples_per_call / time.value) if time else NO_VALUE]
    if latency:
        row += list(map(wording.with_interval, _latency(entry))) if time else [NO_VALUE, NO_VALUE]
    ratio = place.comparison.ratio if place.comparison else None
    row += (
        [wording.ratio(ratio.value), wording.ratio_interval(ratio)]
        if ratio
        else ["1" if place.is_reference else NO_VALUE, NO_VALUE]
    )
    return [*row, _verdict(place, group)]


def _verdict(place: Place, group: ComparisonGroup) -> str:
    """What may be said, in words; the reason where there is nothing to say."""
    entry, comparison = place.entry, place.comparison
    if entry.standing == "no time":
        return f"{entry.status}: {entry.reason}"
    if entry.standing == "not proved":
        return f"no rank: {entry.reason}"
    verdict = dataframe.verdict(place, group) or "not compared (no block in common)"
    if verdict == "inconclusive":
        blocks = comparison.ratio.blocks if comparison else group.blocks
        if blocks < MIN_BLOCKS_FOR_VERDICT:
            verdict = f"too few blocks ({blocks} of {MIN_BLOCKS_FOR_VERDICT})"
        elif comparison and comparison.detected and comparison.ratio.value > 1:
            verdict = "inconclusive: slower, but perhaps by less than the margin"
    return f"own variant, outside the rank; {verdict}" if entry.standing == "own variant" else verdict


def _latency(entry: CellResult) -> list[Estimate]:
    """p50 and p99 over the rounds of a block, because a user meets the slow moments too; each estimated over the blocks."""
    by_block = [np.quantile(rounds, (0.5, 0.99)) for rounds in entry.rounds.values()]
    return [estimate([float(seconds) for seconds in quantile]) for quantile in zip(*by_block, strict=True)]


def _latency_note(places: Sequence[Place]) -> str:
    counts = [place.entry for place in places if place.entry.time]
    loops = max((entry.loops for entry in counts), default=1)
    fewest = min((len(rounds) for entry in counts for rounds in entry.rounds.values()), default=0)
    means = f" A round is the mean of up to {loops:,} calls, so single slow calls are smoothed." if loops > 1 else ""
    few = f" Of so few as {fewest} rounds, p99 is nearly the longest." if fewest < 100 else ""
    return f"p50 and p99: half and 99% of a block's rounds were at most this long, per call; medians over the blocks.{few}{means}"


def _beside(results: Results) -> list[Block]:
    """Floors and peers: shown with the ranking, never in it."""
    entries = [entry for entry in results.entries if entry.standing == "beside"]
    floors = [entry for entry in entries if entry.cell.phase == "products"]
    peers = [entry for entry in entries if entry.cell.phase != "products"]
    blocks = _floor_table(results, floors) + _peer_table(results, peers)
    return [Heading("Beside the ranking"), *blocks] if blocks else []


def _floor_table(results: Results, floors: Sequence[CellResult]) -> list[Block]:
    rows, frameworks = [], []
    pairs = [(whole, floor) for floor in floors for whole in _training_steps(results, floor)]
    for whole, floor in pairs:
        if comparison := compare(whole, floor):
            who, ratio = whole.cell.who, comparison.ratio
            row = [wording.label(results, who), wording.size(floor.cell.axes), wording.setting(who)]
            row += [wording.with_interval(whole.time), wording.with_interval(floor.time)]
            rows.append([*row, wording.ratio(ratio.value), wording.ratio_interval(ratio)])
            frameworks.append(who.framework)
    columns = ["implementation", "size", "setting", "#training step", "#its matrix products alone"]
    columns += ["#ratio", "#95% interval"]
    caption = "A training step over its own matrix products (of times 95% interval; blocks)"
    note = "The matrix products of a step, run alone in the same framework's library, are work that cannot be avoided. What lies above a ratio of 1 is everything else: elementwise work, memory traffic and the framework's own overhead. Each product is called from Python, one by one, so its time holds the framework's cost of a call: at small sizes it is mostly that, and ratios of different frameworks cannot be compared."
    return table(caption, rows, *columns, frameworks=frameworks, note=note)


def _training_steps(results: Results, floor: CellResult) -> list[CellResult]:
    """Of the floor's framework at its size, in every mode: they all compute with the same library."""
    steps = [e for e in results.entries if e.cell.phase == "train_step" and e.cell.axes == floor.cell.axes]
    proved = [e for e in steps if e.time and e.is_proved]
    return [e for e in proved if e.cell.who.model_copy(update={"mode": floor.cell.who.mode}) == floor.cell.who]


def _peer_table(results: Results, peers: Sequence[CellResult]) -> list[Block]:
    """Each peer, and ours in the same group over it."""
    rows, frameworks = [], []
    ranked = [entry for entry in results.entries if entry.standing == "ranked"]
    for peer in (peer for peer in peers if peer.time):
        timed, label = wording.timed(peer.cell.phase, peer.cell.axes), wording.label(results, peer.cell.who)
        rows.append([timed, label, NO_VALUE, wording.with_interval(peer.time), "1", NO_VALUE, "peer"])
        frameworks.append(peer.cell.who.framework)
        for ours in (entry for entry in ranked if entry.comparison_group == peer.comparison_group):
            if comparison := compare(ours, peer):
                ratio, who = comparison.ratio, ours.cell.who
                cells = [wording.ratio(ratio.value), wording.ratio_interval(ratio), comparison.verdict]
                rows.append([timed, wording.label(results, who), who.mode, wording.with_interval(ours.time), *cells])
                frameworks.append(who.framework)
    columns = ["what is timed", "implementation", "mode", "#time per call (95% interval; blocks)"]
    columns += ["#over the peer", "#95% interval", "verdict"]
    caption = "Beside peers: well-known code for a similar network, not proved equal to the specification"
    note = "A peer does similar work by its own rules, so it has no rank: the verdict is on two programs as they are, not on two frameworks."
    return table(caption, rows, *columns, frameworks=frameworks, note=note)
