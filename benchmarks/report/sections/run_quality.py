"""What the run says about itself: the null control, what taking turns cost, the smallest difference it could find."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import null_control
from benchmarks.analysis.null_control import Conduct, Null
from benchmarks.analysis.ranking import Heat
from benchmarks.analysis.results import Results
from benchmarks.plan.schedule import BURN
from benchmarks.report.document import Block, Section, Text, table
from benchmarks.statistics import Comparison, Estimate
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """Null control, turns against alone, detectable differences."""
    return Section("conduct", "What the run says about itself", [*_power(heats), *_nulls(results), *_conduct(results)])


def _power(heats: Sequence[Heat]) -> list[Block]:
    comparisons = [place.comparison for heat in heats for place in heat.rivals if place.comparison]
    found = null_control.detectable(comparisons)
    if not comparisons:
        return [Text("Nothing was compared, so there is nothing to say about what could have been found.")]
    if found is None:
        return [Text("With one block there is no spread, so nothing can be said about what could have been found.")]
    if all(comparison.ratio.blocks < MIN_BLOCKS_FOR_VERDICT for comparison in comparisons):
        return [
            Text(f"Fewer than {MIN_BLOCKS_FOR_VERDICT} blocks give no verdict, so no difference could have been found.")
        ]
    return [
        Text(
            f"Half of the comparisons of this run would have told a true difference of {wording.percent(found)} or less from none, "
            f"8 times out of 10; to call it faster or slower takes {wording.MARGIN} more. More blocks find smaller ones."
        )
    ]


def _nulls(results: Results) -> list[Block]:
    nulls = null_control.nulls(results)
    if not nulls:
        why = "it takes at least two blocks" if results.run.blocks < 2 else "none was timed"
        return [Text(f"There was no null control: {why}.", "note")]
    rows = [_null_row(results, null) for null in nulls]
    wrong = [null for null in nulls if null.comparison.verdict in ("faster", "slower")]
    excluded = sum(null.comparison.detected for null in nulls)
    tied = sum(null.comparison.verdict == "tied" for null in nulls)
    told = (
        f"{len(wrong)} of {wording.count(len(nulls), 'null control')} found a difference beyond {wording.MARGIN} where there "
        "is none: distrust this run."
        if wrong
        else f"No null control found a difference beyond {wording.MARGIN} where there is none "
        f"({excluded} of {len(nulls)} intervals exclude 1; 1 in 20 is what a 95% interval promises). {tied} came out as tied, "
        f"{len(nulls) - tied} as inconclusive: there, noise alone may reach beyond {wording.MARGIN}."
    )
    if all(null.comparison.ratio.blocks < MIN_BLOCKS_FOR_VERDICT for null in nulls):
        told = f"The null control has fewer than {MIN_BLOCKS_FOR_VERDICT} blocks, too few for a verdict."
    columns = ("what is timed", "#ratio of the copy", "#95% interval", "#blocks", "verdict", "setting", "copies of")
    how = (
        "In every block a second process of one framework took turns with the first, another framework in each block. The two "
        "are the same, so their ratio is 1 but for the noise that every other ratio of this report has too."
    )
    return [Text(told), *table("Null control", rows, *columns), Text(how, "note")]


def _null_row(results: Results, null: Null) -> list[str]:
    ratio, who = null.comparison.ratio, null.cell.who
    copies = wording.listed(dict.fromkeys(results.label(who) for who in null.whos))
    heat = f"{wording.phase(null.cell.phase)}, {wording.size(null.cell.axes)}"
    found = [wording.ratio(ratio.value), wording.ratio_interval(ratio), str(ratio.blocks), null.comparison.verdict]
    return [heat, *found, wording.setting(who), copies]


def _conduct(results: Results) -> list[Block]:
    found = null_control.conduct(results)
    if not found:
        return []
    rows = [_conduct_row(results, one) for one in found]
    columns = (
        "implementation",
        "#time alone over time in turn (95% interval; blocks)",
        "#processor used while waiting",
        "turns",
    )
    return [*table("Taking turns", rows, *columns), Text(_conduct_note(results, found), "note"), *_spent(results)]


def _spent(results: Results) -> list[Block]:
    share = null_control.spent(results)
    if share is None:
        return []
    return [
        Text(
            f"Of the time in turns, {wording.percent(share.timed)} was timed, {wording.percent(share.restoring)} went into what "
            "comes before each round untimed (the state put back, a call that warms the caches), and "
            f"{wording.percent(share.passing)} into passing the turn on."
        )
    ]


def _conduct_row(results: Results, one: Conduct) -> list[str]:
    shift = wording.ratio_with_interval(one.shift.ratio) if one.shift else NO_VALUE
    name = f"{results.label(one.who)}, {wording.setting(one.who)}"
    by_workers = wording.count(one.heats_by_workers, "heat")
    turns = f"whole workers in {by_workers}" if one.heats_by_workers else "by rounds"
    return [name, shift, wording.percent(one.burn), turns]


def _conduct_note(results: Results, found: Sequence[Conduct]) -> str:
    restless = [results.label(one.who) for one in found if one.burn > BURN]
    told = "At the end of each heat every process took some rounds in a row; below 1, it is faster alone than in turns."
    told += _moved(results, found)
    if restless:
        told += (
            f" {wording.listed(restless)} did not keep still while waiting, so whole workers took turns from then on."
        )
    return told


def _moved(results: Results, found: Sequence[Conduct]) -> str:
    """Whom taking turns moves: beyond the margin only where the whole interval is; else by how much, where it moves at all."""
    shifts = [(results.label(one.who), one.shift) for one in found if one.shift]
    beyond = [name for name, shift in shifts if shift.verdict in ("faster", "slower")]
    perhaps = [f"{name} by an estimated {_by(shift.ratio)}" for name, shift in shifts if _may_be_beyond(shift)]
    told = ""
    if beyond:
        told += f" Taking turns moves {wording.listed(beyond)} by more than {wording.MARGIN}: read the ranking with that in mind."
    if perhaps:
        told += (
            f" Taking turns moves {wording.listed(perhaps)}; whether that is more than {wording.MARGIN} is not settled."
        )
    return told


def _may_be_beyond(shift: Comparison) -> bool:
    """Whether it moves, and neither the whole interval is beyond the margin nor the whole interval within it."""
    low, high = shift.ratio.low, shift.ratio.high
    return shift.verdict == "inconclusive" and not low <= 1 <= high


def _by(ratio: Estimate) -> str:
    """ "7.0% (95% interval 1.0% to 12%; 6 blocks)": how far from 1, without the direction, which is in the table."""
    low, high = sorted(abs(end - 1) for end in (ratio.low, ratio.high))
    interval = f"{wording.percent(low)} to {wording.percent(high)}"
    return f"{wording.percent(abs(ratio.value - 1))} (95% interval {interval}; {wording.count(ratio.blocks, 'block')})"
