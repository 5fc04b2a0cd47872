"""Which is fastest at every size? Implementations by phase and size; what may not be ranked stands beside."""

import math
from collections import defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, Placement, compare, may_be_chance
from benchmarks.analysis.results import Results
from benchmarks.records.record import FLOORS, Configuration
from benchmarks.report import dataframe
from benchmarks.report.document import Block, Section, Text, table
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE

_HOW = (
    "A cell holds the rank, the time as a multiple of the fastest's with its 95% interval, and a note where it is not settled; of the fastest its time per call. A rank "
    "such as 2–3 was not settled; what may be chance lies beyond 3% alone, and not in so large a table (Holm). Darker is slower. results.csv has every time, interval and verdict."
)


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """One matrix per setting, the first open; then peers."""
    shown = (group for group in groups if group.phase not in FLOORS and not group.is_beside)
    timed = [group for group in shown if any(place.entry.time for place in group.places)]
    by_setting: dict[str, list[ComparisonGroup]] = defaultdict(list)
    for group in timed:
        by_setting[wording.setting(group.who)].append(group)
    blocks: list[Block] = [] if timed else [Text("No cell has a time, so there is no ranking.")]
    for number, (setting, same_setting) in enumerate(by_setting.items()):
        blocks += _matrix(results, setting, same_setting, folded=number > 0)
    note: list[Block] = [Text(_HOW, "note")] if timed else []
    return Section("fastest", "Which is fastest at every size?", [*blocks, *note, *_peers(results)])


def _matrix(results: Results, setting: str, groups: Sequence[ComparisonGroup], folded: bool) -> list[Block]:
    """A row per implementation, a column per phase and size."""
    same = wording.same_axes([group.axes for group in groups])
    differing = [{name: value for name, value in group.axes.items() if name not in same} for group in groups]
    rows_of: dict[Configuration, dict[int, str]] = defaultdict(dict)
    for column, group in enumerate(groups):
        for place in group.places:
            if place.entry.standing != "beside":
                rows_of[place.entry.cell.who][column] = cell(place, group)
    whos = sorted(rows_of, key=lambda who: -len(rows_of[who]))
    rows = [[wording.label(results, who), *(rows_of[who].get(k, NO_VALUE) for k in range(len(groups)))] for who in whos]
    names = (
        f"#{wording.phase(group.phase)}, {wording.size(axes)}" for group, axes in zip(groups, differing, strict=True)
    )
    caption = f"Times as long as the fastest ({', '.join(filter(None, [wording.size(same) if same else '', setting]))})"
    frameworks = [who.framework for who in whos]
    return table(caption, rows, "implementation", *names, frameworks=frameworks, heat=True, folded=folded)


def cell(place: Placement, group: ComparisonGroup) -> str:
    """Rank, ratio and what hedges it; of the fastest its time."""
    entry, comparison = place.entry, place.comparison
    if entry.standing == "no time":
        return entry.status
    if entry.standing in ("not proved", "impossible"):
        return entry.standing
    rank = f"{found.replace('-', '–')}: " if (found := dataframe.rank(place)) else ""
    if place.is_reference:
        tokens = f", {wording.rate(entry.tokens_per_call / entry.seconds, 'tokens/s')}" if entry.tokens_per_call else ""
        return wording.Quantity(f"{rank}{wording.duration(entry.seconds)}{tokens}", 1.0)
    if comparison is None:
        return wording.Quantity(f"{wording.duration(entry.seconds)}, not compared", math.nan)
    ratio = comparison.ratio
    interval = f" ({wording.ratio_interval(ratio)})" if ratio.blocks > 1 else ""
    hedge = verdict(place, group)
    return wording.Quantity(f"{rank}{wording.ratio(ratio.value)}{interval}{f' {hedge}' if hedge else ''}", ratio.value)


def verdict(place: Placement, group: ComparisonGroup) -> str:
    """What hedges a ratio; nothing where it is simply slower."""
    own = "own variant" if place.entry.standing == "own variant" else ""
    if place.comparison and place.comparison.ratio.blocks < MIN_BLOCKS_FOR_VERDICT:
        return own or "too few blocks"
    said = dataframe.verdict(place, group)
    by_chance = "may be chance" if may_be_chance([place]) else ""
    return ", ".join(filter(None, [own, "" if said == "slower" else said, by_chance]))


def _peers(results: Results) -> list[Block]:
    """Each peer, and ours in the same group over it."""
    rows, frameworks = [], []
    beside = [entry for entry in results.entries if entry.standing == "beside" and entry.cell.phase not in FLOORS]
    ranked = [entry for entry in results.entries if entry.standing == "ranked"]
    for peer in (peer for peer in beside if peer.time):
        rows.append([*_named(results, peer), NO_VALUE, wording.with_interval(peer.time), "1", NO_VALUE, "peer"])
        frameworks.append(peer.cell.who.framework)
        for ours in (entry for entry in ranked if entry.comparison_group == peer.comparison_group):
            if comparison := compare(ours, peer):
                ratio, who = comparison.ratio, ours.cell.who
                cells = [wording.ratio(ratio.value), wording.ratio_interval(ratio), comparison.verdict]
                rows.append([*_named(results, ours), who.mode, wording.with_interval(ours.time), *cells])
                frameworks.append(who.framework)
    columns = ["what is timed", "implementation", "mode", f"#time per call ({wording.SURE})"]
    columns += ["#over the peer", "#95% interval", "verdict"]
    caption = "Beside peers: well-known code for a similar network, not proved equal to the specification"
    note = "A peer does similar work by its own rules, so it has no rank: the verdict is on two programs as they are, not on two frameworks."
    return table(caption, rows, *columns, frameworks=frameworks, note=note)


def _named(results: Results, entry: CellResult) -> list[str]:
    return [wording.timed(entry.cell.phase, entry.cell.axes), wording.label(results, entry.cell.who)]
