"""What the run says about itself: the null control, what taking turns cost, the smallest difference it could find."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import answer, run_quality
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.analysis.run_quality import NullControl, TurnQuality
from benchmarks.plan.schedule import BURN
from benchmarks.records.record import FLOORS
from benchmarks.report.document import Block, table
from benchmarks.report.sections import equivalence
from benchmarks.rough_time import rough
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE

AIMS = (0.2, 0.1, 0.05)
"""Differences that a reader may want to see, as fractions; below the margin of a tie no verdict tells them."""

MOST_NAMED = 3


def sure(results: Results, groups: Sequence[ComparisonGroup]) -> list[str]:
    """What differences this run sees, what smaller ones would cost, and how many proofs passed."""
    proofs = equivalence.verdict(results)
    steps = [group for group in groups if group.phase == "train_step"] or groups
    if not any(group.rivals for group in steps):
        return ["Nothing was compared, so there is no difference to be sure of.", proofs]
    certain = answer.certainty(results, steps, AIMS)
    if certain is None or all(group.blocks < MIN_BLOCKS_FOR_VERDICT for group in steps):
        return [f"Fewer than {MIN_BLOCKS_FOR_VERDICT} blocks: no difference can be told from noise.", proofs]
    if certain.difference > 1:
        return [
            "This run was disturbed: it tells no difference below twofold from noise. Run it again on a quieter machine.",
            proofs,
        ]
    seen = f"Half of this run's comparisons tell differences of {wording.percent(certain.difference)} and more from none, 8 times out of 10; a verdict takes {wording.MARGIN} more."
    if certain.aim is None:
        return [seen, *_controls(results, steps), *_alone(results, groups), proofs]
    if certain.blocks is None:
        more = f"{wording.percent(certain.aim)} would take more than {answer.MOST_BLOCKS} blocks."
    else:
        took = f" ({rough(certain.seconds)})" if certain.seconds else ""
        more = (
            f"{wording.percent(certain.aim)} would take about {certain.blocks} blocks{took}: --blocks {certain.blocks}."
        )
    return [f"{seen} {more}", *_controls(results, steps), *_alone(results, groups), proofs]


def _alone(results: Results, groups: Sequence[ComparisonGroup]) -> list[str]:
    """Whether what is called a difference goes the same way outside of the turns."""
    timed = [group for group in groups if group.phase not in FLOORS]
    found = run_quality.alone(timed)
    lost = [(place.entry.cell, ratio) for place, ratio in found if run_quality.is_reversed(place, ratio)]
    said = [
        f"{wording.label(results, cell.who)}, {wording.timed(cell.phase, cell.axes)}: {wording.ratio(ratio.value)} ({wording.ratio_interval(ratio)})"
        for cell, ratio in lost[:MOST_NAMED]
    ]
    if lost:
        return [
            f"In rounds taken alone, not in turns, {len(lost)} of {len(found)} differences are none, or the other way round. {'; '.join(said)}."
        ]
    return [f"All {len(found)} differences go the same way in rounds taken alone."] if len(found) > 1 else []


def _controls(results: Results, steps: Sequence[ComparisonGroup]) -> list[str]:
    """The null controls of these networks that may have found a difference."""
    models = {group.who.model for group in steps}
    return [
        f"The same program twice, {wording.timed(null.cell.phase, null.cell.axes)}, took {wording.ratio(ratio.value)} "
        f"({wording.ratio_interval(ratio)}) times as long: trust no difference as small."
        for null in run_quality.null_controls(results)
        if (ratio := null.comparison.ratio).blocks >= MIN_BLOCKS_FOR_VERDICT
        and null.cell.who.model in models
        and run_quality.may_be_beyond(null.comparison)
    ]


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
