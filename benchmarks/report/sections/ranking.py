"""Which is fastest for me? A chart and tables per phase; what may not be ranked stands beside."""

from collections.abc import Sequence

import numpy as np

from benchmarks import wording
from benchmarks.analysis import dataframe
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import Heat, Place, compare, phase_groups
from benchmarks.analysis.results import Results
from benchmarks.records.record import FLOORS
from benchmarks.report import facets, headline, plots
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


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """Overview, then each phase; then floors and peers."""
    shown = [heat for heat in heats if heat.phase not in FLOORS and _ours(heat)]
    timed = [heat for heat in shown if any(place.entry.time for place in heat.places)]
    blocks: list[Block] = [] if timed else [Text("No cell has a time, so there is no ranking.")]
    if timed:
        blocks.append(Text(_HOW))
    if len(timed) > 1:
        blocks += overview(results, timed)
    for group in phase_groups(timed):
        blocks.append(Part(facets.of_group(group[0]), _phase(results, group)))
    return Section("fastest", "Which is fastest for me?", blocks + _beside(results))


def _ours(heat: Heat) -> bool:
    return any(place.entry.standing != "beside" for place in heat.places)


def overview(results: Results, heats: Sequence[Heat]) -> list[Block]:
    """The fastest of each heat that has any time, with the hedges of the headline."""
    rows = []
    for heat in heats:
        what = f"{wording.phase(heat.phase)}, {wording.size(heat.axes)}"
        time = heat.reference.time if heat.reference else None
        cells = (
            [wording.duration(time.value), wording.duration_interval(time), str(time.blocks)]
            if time
            else [NO_VALUE] * 3
        )
        rows.append([what, wording.setting(heat.who), winner(results, heat), *cells])
    return table(
        "The fastest at every size",
        rows,
        "what is timed",
        "setting",
        "fastest",
        "#time per call (of the first named)",
        "#95% interval",
        "#blocks",
        facets=[facets.of_group(heat) | facets.of_size(heat) for heat in heats],
    )


def winner(results: Results, heat: Heat) -> str:
    """The fastest in a few words, with the same hedges as the headline."""
    if heat.reference is None:
        return "none is ranked"
    best = results.label(heat.reference.cell.who)
    if not heat.rivals:
        return f"{best} (the only one ranked)"
    if heat.blocks < MIN_BLOCKS_FOR_VERDICT:
        return f"{best} had the lowest time (too few blocks for a verdict)"
    unsettled = [results.label(place.entry.cell.who) for place in heat.with_verdict("inconclusive", "not compared")]
    tied = [results.label(place.entry.cell.who) for place in heat.with_verdict("tied")]
    if unsettled:
        return f"{wording.listed([best, *tied, *unsettled], 'or')} (not settled)"
    return f"{wording.listed([best, *tied])} (tied)" if tied else best


def _phase(results: Results, group: Sequence[Heat]) -> list[Block]:
    heat = group[0]
    name = wording.phase(heat.phase)
    title = f"{name[0].upper()}{name[1:]} ({wording.setting(heat.who)})"
    blocks: list[Block] = [Heading(title), *_figure(results, group, title)]
    return [*blocks, *(Part(facets.of_size(heat), _ranking(results, heat)) for heat in group)]


def _figure(results: Results, group: Sequence[Heat], title: str) -> list[Block]:
    ranked = [heat for heat in group if heat.reference]
    drawn = ranked if len(ranked) <= _MOST_PANELS else _spread(ranked, 3)
    panels = [(wording.short(wording.size(heat.axes), 60), _dots(results, heat)) for heat in drawn]
    if not any(len(dots) > 1 for _, dots in panels):
        return []
    left = f" Of {len(ranked)} sizes {len(drawn)} are drawn; the tables have all." if len(drawn) < len(ranked) else ""
    how = (
        "How to read this: each marker is the ratio of a time to the fastest one's at that size, so 1 is the fastest and 2 takes "
        "twice as long. The bar is its 95% interval, cut where it leaves the chart; the shaded band is the "
        f"{wording.MARGIN} within which two times count as tied. Hollow markers are variants, outside the rank.{left}"
    )
    who = group[0].who
    name = wording.slug(f"ratio-{group[0].phase}-{who.precision}-{who.mode}-t{who.threads}")
    return [Figure(name, plots.ratios(panels, MARGIN), title, _conclusion(results, group), how)]


def _spread(heats: Sequence[Heat], most: int) -> list[Heat]:
    """So many of more than so many, evenly among them, the first and the last too."""
    return [heats[round(k * (len(heats) - 1) / (most - 1))] for k in range(most)]


def _conclusion(results: Results, group: Sequence[Heat]) -> str:
    """One size: the whole finding. Several: the fastest of each."""
    ranked = [heat for heat in group if heat.reference]
    if len(ranked) == 1:
        return f"At {wording.size(ranked[0].axes)}: {headline.finding(results, ranked[0])}"
    found = "; ".join(f"{wording.size(heat.axes)}: {winner(results, heat)}" for heat in ranked[:8])
    return f"Fastest at {found}{'; and so on as in the tables' if len(ranked) > 8 else ''}."


def _dots(results: Results, heat: Heat) -> list[plots.Dot]:
    dots = []
    for place in heat.places:
        if place.entry.standing not in ("ranked", "own variant") or not (place.is_reference or place.comparison):
            continue
        label = wording.short(results.label(place.entry.cell.who))
        framework = place.entry.cell.who.framework
        if place.comparison is None:
            dots.append(plots.Dot(label, framework, 1.0, None, None, "1 (reference)"))
            continue
        ratio = place.comparison.ratio
        sure = ratio.blocks > 1
        words = wording.ratio(ratio.value) + (f"  ({wording.ratio_interval(ratio)})" if sure else "")
        hollow = place.entry.standing != "ranked"
        low, high = (ratio.low, ratio.high) if sure else (None, None)
        dots.append(plots.Dot(label, framework, ratio.value, low, high, words, hollow))
    return dots


def _ranking(results: Results, heat: Heat) -> list[Block]:
    places = [place for place in heat.places if place.entry.standing != "beside"]
    latency = heat.phase == "predict" and any(place.entry.samples_per_call == 1 for place in places)
    rows = [_row(results, place, heat, latency) for place in places]
    columns = ["implementation", "#rank", "device", "#time per call", "#95% interval", "#blocks", "#samples per second"]
    columns += ["#p50 (95% interval; blocks)", "#p99 (95% interval; blocks)"] if latency else []
    columns += ["#ratio to fastest", "#95% interval of the ratio", "verdict"]
    name = f"{wording.phase(heat.phase)}, {wording.size(heat.axes)}"
    frameworks = [place.entry.cell.who.framework for place in places]
    chosen_by = [facets.of_entry(place.entry) for place in places]
    blocks = table(f"Ranking: {name}", rows, *columns, frameworks=frameworks, facets=chosen_by)
    return [*blocks, Text(_latency_note(places), "note")] if latency else blocks


def _row(results: Results, place: Place, heat: Heat, latency: bool) -> list[str]:
    entry, time = place.entry, place.entry.time
    row = [wording.implementation(entry.cell.who, with_device=False), _rank(place), entry.cell.who.device]
    row += [wording.duration(time.value), wording.duration_interval(time)] if time else [NO_VALUE, NO_VALUE]
    row += [f"{len(entry.medians)}", wording.number(entry.samples_per_call / time.value) if time else NO_VALUE]
    if latency:
        row += list(map(wording.with_interval, _latency(entry))) if time else [NO_VALUE, NO_VALUE]
    return [*row, *_ratio(place), _verdict(place, heat)]


def _ratio(place: Place) -> list[str]:
    if place.is_reference:
        return ["1", NO_VALUE]
    if place.comparison is None:
        return [NO_VALUE, NO_VALUE]
    return [wording.ratio(place.comparison.ratio.value), wording.ratio_interval(place.comparison.ratio)]


def _rank(place: Place) -> str:
    return wording.rank(dataframe.rank(place)) or NO_VALUE


def _verdict(place: Place, heat: Heat) -> str:
    """What may be said, in words; the reason where there is nothing to say."""
    entry = place.entry
    if entry.standing == "no time":
        return f"{entry.status}: {entry.reason}"
    if entry.standing == "not proved":
        return f"no rank: {entry.reason}"
    said = dataframe.verdict(place, heat) or "not compared (no block in common)"
    few = (
        heat.blocks
        if place.is_reference
        else place.comparison.ratio.blocks
        if place.comparison
        else MIN_BLOCKS_FOR_VERDICT
    )
    if said == "inconclusive" and few < MIN_BLOCKS_FOR_VERDICT:
        said = f"too few blocks ({few} of {MIN_BLOCKS_FOR_VERDICT})"
    elif said == "inconclusive" and place.comparison and place.comparison.detected:
        said = "inconclusive: slower, but perhaps by less than the margin" if place.comparison.ratio.value > 1 else said
    return f"own variant, outside the rank; {said}" if entry.standing == "own variant" else said


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
        if (comparison := compare(whole, floor)) is None:
            continue
        who = whole.cell.who
        frameworks.append(who.framework)
        cells = (results.label(who), wording.size(floor.cell.axes), wording.setting(who))
        times = (wording.with_interval(whole.time), wording.with_interval(floor.time))
        rows.append((*cells, *times, wording.ratio(comparison.ratio.value), wording.ratio_interval(comparison.ratio)))
    columns = (
        "implementation",
        "size",
        "setting",
        "#training step",
        "#its matrix products alone",
        "#ratio",
        "#95% interval",
    )
    blocks = table(
        "A training step over its own matrix products (of times 95% interval; blocks)",
        rows,
        *columns,
        frameworks=frameworks,
    )
    note = "The matrix products of a step, run alone in the same framework's library, are work that cannot be avoided. What lies above a ratio of 1 is everything else: elementwise work, memory traffic and the framework's own overhead. Each product is called from Python, one by one, so its time holds the framework's cost of a call: at small sizes it is mostly that, and ratios of different frameworks cannot be compared."
    return [*blocks, Text(note, "note")] if blocks else []


def _training_steps(results: Results, floor: CellResult) -> list[CellResult]:
    """Of the floor's framework at its size, in every mode: they all compute with the same library."""
    timed = [e for e in results.entries if e.cell.phase == "train_step" and e.cell.axes == floor.cell.axes and e.time]
    proved = [e for e in timed if e.standing in ("ranked", "own variant")]
    return [e for e in proved if e.cell.who.model_copy(update={"mode": floor.cell.who.mode}) == floor.cell.who]


def _peer_table(results: Results, peers: Sequence[CellResult]) -> list[Block]:
    """Each peer, and ours in the same heat over it."""
    rows, frameworks = [], []
    for peer in (peer for peer in peers if peer.time):
        what = f"{wording.phase(peer.cell.phase)}, {wording.size(peer.cell.axes)}"
        rows.append(
            [what, results.label(peer.cell.who), NO_VALUE, wording.with_interval(peer.time), "1", NO_VALUE, "peer"]
        )
        frameworks.append(peer.cell.who.framework)
        for ours in (e for e in results.entries if e.standing == "ranked" and e.heat == peer.heat):
            if comparison := compare(ours, peer):
                ratio, who = comparison.ratio, ours.cell.who
                found = [wording.ratio(ratio.value), wording.ratio_interval(ratio), comparison.verdict]
                rows.append([what, results.label(who), who.mode, wording.with_interval(ours.time), *found])
                frameworks.append(who.framework)
    columns = (
        "what is timed",
        "implementation",
        "mode",
        "#time per call (95% interval; blocks)",
        "#over the peer",
        "#95% interval",
        "verdict",
    )
    title = "Beside peers: well-known code for a similar network, not proved equal to the specification"
    blocks = table(title, rows, *columns, frameworks=frameworks)
    note = "A peer does similar work by its own rules, so it has no rank: the verdict is on two programs as they are, not on two frameworks."
    return [*blocks, Text(note, "note")] if blocks else []
