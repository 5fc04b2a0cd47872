"""What the run says about itself: the null control, what taking turns cost, the smallest difference it could find."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import run_quality
from benchmarks.analysis.results import Results
from benchmarks.analysis.run_quality import NullControl, TurnQuality
from benchmarks.plan.schedule import BURN
from benchmarks.report.document import Block, table
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE


def summary(results: Results) -> str:
    """What the null control found."""
    nulls = run_quality.null_controls(results)
    if not nulls:
        return f"There was no null control: {'it takes at least two blocks' if results.run.blocks < 2 else 'none was timed'}."
    if all(null.comparison.ratio.blocks < MIN_BLOCKS_FOR_VERDICT for null in nulls):
        return f"The null control has fewer than {MIN_BLOCKS_FOR_VERDICT} blocks, too few for a verdict."
    nulls = [null for null in nulls if null.comparison.ratio.blocks >= MIN_BLOCKS_FOR_VERDICT]
    count = wording.count(len(nulls), "null control")
    if wrong := [null for null in nulls if null.failed]:
        return f"{len(wrong)} of {count} found a difference beyond {wording.MARGIN} where there is none: distrust this run."
    tied = sum(null.comparison.verdict == "tied" for null in nulls)
    return f"The same implementation twice: none of {count} found a difference; {tied} tied within {wording.MARGIN}, {len(nulls) - tied} not settled."


def null_controls(results: Results) -> list[Block]:
    """A row per null control."""
    rows = [_null_row(results, null) for null in run_quality.null_controls(results)]
    columns = ("what is timed", "#ratio of the copy", "#95% interval", "#blocks", "verdict", "setting", "copies of")
    note = "In every block a second process of one framework took turns with the first: their ratio is 1 but for noise."
    return table("Null control", rows, *columns, once=["setting"], note=note)


def _null_row(results: Results, null: NullControl) -> list[str]:
    ratio, cell = null.comparison.ratio, null.cell
    copies = wording.listed(dict.fromkeys(wording.label(results, who) for who in null.whos))
    cells = [wording.ratio(ratio.value), wording.ratio_interval(ratio), str(ratio.blocks), null.comparison.verdict]
    return [wording.timed(cell.phase, cell.axes), *cells, wording.setting(cell.who), copies]


def turns(results: Results) -> list[Block]:
    """What taking turns costs, by process."""
    qualities = run_quality.turn_quality(results)
    if not qualities:
        return []
    rows = [_conduct_row(results, quality) for quality in qualities]
    columns = ["implementation", "setting", f"#time alone over time in turn ({wording.SURE})"]
    columns += ["#processor used while waiting", "turns"]
    return table("Taking turns", rows, *columns, once=["setting", "turns"], note=_conduct_note(results, qualities))


def _conduct_row(results: Results, quality: TurnQuality) -> list[str]:
    shift = wording.ratio_with_interval(quality.shift.ratio) if quality.shift else NO_VALUE
    names = [wording.label(results, quality.who), wording.setting(quality.who)]
    by_workers = wording.count(quality.groups_by_workers, "comparison group")
    turns = f"whole workers in {by_workers}" if quality.groups_by_workers else "turns by rounds"
    return [*names, shift, wording.percent(quality.burn), turns]


def _conduct_note(results: Results, qualities: Sequence[TurnQuality]) -> str:
    restless = [wording.label(results, quality.who) for quality in qualities if quality.burn > BURN]
    note = "Rounds in a row over rounds in turn: below 1, it is faster alone than in turns."
    note += _moved(results, qualities)
    if restless:
        names = wording.listed(restless)
        note += f" {names} did not keep still while waiting, so whole workers took turns from the next block on."
    return note


def _moved(results: Results, qualities: Sequence[TurnQuality]) -> str:
    """Who is faster or slower alone than in turns: beyond the margin where the whole interval is, else perhaps; the table has the ratios."""
    shifts = [(wording.label(results, quality.who), quality.shift) for quality in qualities if quality.shift]
    perhaps = [name for name, shift in shifts if run_quality.may_be_beyond(shift)]
    note = ""
    for verdict in ("faster", "slower"):
        if beyond := [name for name, shift in shifts if shift.verdict == verdict]:
            note += f" Alone {wording.listed(beyond)} would be {verdict} by more than {wording.MARGIN}: read the ranking with that in mind."
    if perhaps:
        note += (
            f" Taking turns moves {wording.listed(perhaps)}; whether that is more than {wording.MARGIN} is not settled."
        )
    return note
