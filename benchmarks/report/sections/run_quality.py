"""What the run says about itself: the null control, what taking turns cost, the smallest difference it could find."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import run_quality
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.analysis.run_quality import NullControl, TurnQuality
from benchmarks.plan.schedule import BURN
from benchmarks.report.document import Block, Section, Text, table
from benchmarks.statistics import Comparison, Estimate
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """Null control, turns against alone, detectable differences."""
    return Section(
        "run-quality", "What the run says about itself", [*_power(groups), *_nulls(results), *_conduct(results)]
    )


def _power(groups: Sequence[ComparisonGroup]) -> list[Block]:
    comparisons = [place.comparison for group in groups for place in group.rivals if place.comparison]
    difference = run_quality.detectable(comparisons)
    if not comparisons:
        text = "Nothing was compared, so there is nothing to say about what could have been found."
    elif difference is None:
        text = "With one block there is no spread, so nothing can be said about what could have been found."
    elif all(comparison.ratio.blocks < MIN_BLOCKS_FOR_VERDICT for comparison in comparisons):
        text = f"Fewer than {MIN_BLOCKS_FOR_VERDICT} blocks give no verdict, so no difference could have been found."
    else:
        text = (
            f"Half of the comparisons of this run would have told a true difference of {wording.percent(difference)} or less from none, "
            f"8 times out of 10; to call it faster or slower takes {wording.MARGIN} more. More blocks find smaller ones."
        )
    return [Text(text)]


def _nulls(results: Results) -> list[Block]:
    null_controls = run_quality.null_controls(results)
    if not null_controls:
        why = "it takes at least two blocks" if results.run.blocks < 2 else "none was timed"
        return [Text(f"There was no null control: {why}.", "note")]
    rows = [_null_row(results, null) for null in null_controls]
    wrong = [null for null in null_controls if null.comparison.verdict in ("faster", "slower")]
    excluded = sum(null.comparison.detected for null in null_controls)
    tied = sum(null.comparison.verdict == "tied" for null in null_controls)
    conclusion = (
        f"{len(wrong)} of {wording.count(len(null_controls), 'null control')} found a difference beyond {wording.MARGIN} where there "
        "is none: distrust this run."
        if wrong
        else f"No null control found a difference beyond {wording.MARGIN} where there is none "
        f"({excluded} of {len(null_controls)} intervals exclude 1; 1 in 20 is what a 95% interval promises). {tied} came out as tied, "
        f"{len(null_controls) - tied} as inconclusive: there, noise alone may reach beyond {wording.MARGIN}."
    )
    if all(null.comparison.ratio.blocks < MIN_BLOCKS_FOR_VERDICT for null in null_controls):
        conclusion = f"The null control has fewer than {MIN_BLOCKS_FOR_VERDICT} blocks, too few for a verdict."
    columns = ("what is timed", "#ratio of the copy", "#95% interval", "#blocks", "verdict", "setting", "copies of")
    how_it_was_measured = (
        "In every block a second process of one framework took turns with the first, another framework in each block. The two "
        "are the same, so their ratio is 1 but for the noise that every other ratio of this report has too."
    )
    return [Text(conclusion), *table("Null control", rows, *columns, note=how_it_was_measured)]


def _null_row(results: Results, null: NullControl) -> list[str]:
    ratio, cell = null.comparison.ratio, null.cell
    copies = wording.listed(dict.fromkeys(wording.label(results, who) for who in null.whos))
    cells = [wording.ratio(ratio.value), wording.ratio_interval(ratio), str(ratio.blocks), null.comparison.verdict]
    return [wording.timed(cell.phase, cell.axes), *cells, wording.setting(cell.who), copies]


def _conduct(results: Results) -> list[Block]:
    qualities = run_quality.turn_quality(results)
    if not qualities:
        return []
    rows = [_conduct_row(results, quality) for quality in qualities]
    columns = ["implementation", "#time alone over time in turn (95% interval; blocks)"]
    columns += ["#processor used while waiting", "turns"]
    return table("Taking turns", rows, *columns, note=_conduct_note(results, qualities)) + _spent(results)


def _spent(results: Results) -> list[Block]:
    share = run_quality.time_in_turns(results)
    if share is None:
        return []
    return [
        Text(
            f"Of the time in turns, {wording.percent(share.timed)} was timed, {wording.percent(share.restoring)} went into what "
            "comes before each round untimed (the state put back, a call that warms the caches), and "
            f"{wording.percent(share.passing)} into passing the turn on."
        )
    ]


def _conduct_row(results: Results, quality: TurnQuality) -> list[str]:
    shift = wording.ratio_with_interval(quality.shift.ratio) if quality.shift else NO_VALUE
    name = f"{wording.label(results, quality.who)}, {wording.setting(quality.who)}"
    by_workers = wording.count(quality.groups_by_workers, "comparison group")
    turns = f"whole workers in {by_workers}" if quality.groups_by_workers else "by rounds"
    return [name, shift, wording.percent(quality.burn), turns]


def _conduct_note(results: Results, qualities: Sequence[TurnQuality]) -> str:
    restless = [wording.label(results, quality.who) for quality in qualities if quality.burn > BURN]
    note = "At the end of each comparison group every process took some rounds in a row; below 1, it is faster alone than in turns."
    note += _moved(results, qualities)
    if restless:
        names = wording.listed(restless)
        note += f" {names} did not keep still while waiting, so whole workers took turns from then on."
    return note


def _moved(results: Results, qualities: Sequence[TurnQuality]) -> str:
    """Who is faster or slower in turns: beyond the margin where the whole interval is, else by an estimated amount."""
    shifts = [(wording.label(results, quality.who), quality.shift) for quality in qualities if quality.shift]
    beyond = [name for name, shift in shifts if shift.verdict in ("faster", "slower")]
    perhaps = [f"{name} by an estimated {_by(shift.ratio)}" for name, shift in shifts if _may_be_beyond(shift)]
    note = ""
    if beyond:
        note += f" Taking turns moves {wording.listed(beyond)} by more than {wording.MARGIN}: read the ranking with that in mind."
    if perhaps:
        note += (
            f" Taking turns moves {wording.listed(perhaps)}; whether that is more than {wording.MARGIN} is not settled."
        )
    return note


def _may_be_beyond(shift: Comparison) -> bool:
    """Whether it moves, and neither the whole interval is beyond the margin nor the whole interval within it."""
    low, high = shift.ratio.low, shift.ratio.high
    return shift.verdict == "inconclusive" and not low <= 1 <= high


def _by(ratio: Estimate) -> str:
    """ "7.0% (95% interval 1.0% to 12%; 6 blocks)": how far from 1, without the direction, which is in the table."""
    low, high = sorted(abs(end - 1) for end in (ratio.low, ratio.high))
    interval = f"{wording.percent(low)} to {wording.percent(high)}"
    return f"{wording.percent(abs(ratio.value - 1))} (95% interval {interval}; {wording.count(ratio.blocks, 'block')})"
