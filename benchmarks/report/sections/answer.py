"""Screen one: the fastest at your size, why the others are slower, how sure that is, and what this run does not say."""

from collections.abc import Iterable, Sequence

from benchmarks import wording
from benchmarks.analysis import answer, impossible_times, ranking
from benchmarks.analysis.answer import Answer, Reason
from benchmarks.analysis.model_comparison import Part
from benchmarks.analysis.ranking import ComparisonGroup, Placement
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import Axes, Configuration
from benchmarks.records.record import COPY
from benchmarks.report import plots
from benchmarks.report.document import Block, Bullets, Figure, Heading, Section, Text, table
from benchmarks.report.sections import run_quality
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE

MOST_WITHOUT_RANK = 3

_HOW = "How to read this: 2 takes twice as long. The bar is the 95% interval, cut where it leaves the chart; two times are tied where the whole bar lies in the shaded band."


def section(parts: Sequence[Part]) -> Section:
    """A sentence per network and one table over all; then the forest plot, why and how sure of each that was named."""
    found = [(results, answer.answers(results, groups)) for results, groups in parts]
    named = [(*of, groups) for of, (_, groups) in zip(found, parts, strict=True) if not of[0].network.unnamed]
    leads = [Text(lead(results, rows), "lead") for results, rows, _ in named]
    lost = [sentence for results, _ in found for sentence in without_rank(results)]
    blocks: list[Block] = [
        *leads,
        *([Bullets(lost)] if lost else []),
        *_table([(results, row) for results, rows in found for row in rows]),
    ]
    for results, rows, groups in named:
        if rows:
            network = wording.network(results.network)
            blocks += [Heading(network)] if len(named) > 1 else []
            blocks += _of_network(
                results, rows[0].yours, groups, f", of the {network}" if len(parts) > len(named) else ""
            )
    return Section("headline", "The answer", blocks)


def _of_network(results: Results, main: ComparisonGroup, groups: Sequence[ComparisonGroup], of: str) -> list[Block]:
    reasons = whys(results, main)
    blocks = _forest(results, main)
    blocks += [Heading("Why"), Bullets(reasons)] if reasons else []
    return [*blocks, Heading(f"How sure{of}"), Bullets(run_quality.sure(results, groups))]


def nothing(results: Results) -> str:
    """Why there is no answer."""
    if any(entry.standing == "impossible" for entry in results.entries):
        return "No time that was proved equal is possible, so nothing is ranked. Coverage says why."
    if any(entry.medians for entry in results.entries):
        return "Nothing was both timed and proved equal, so nothing is ranked. Coverage and Proof say why."
    return "Nothing was timed. Coverage says why."


def without_rank(results: Results) -> list[str]:
    """A sentence for each time that is impossible; where there are many, for the first."""
    lost = [entry for entry in results.entries if entry.standing == "impossible"]
    told = [
        f"{wording.label(results, entry.cell.who)} has no rank in the {wording.timed(entry.cell.phase, entry.cell.axes)}: {entry.reason}."
        for entry in lost[:MOST_WITHOUT_RANK]
    ]
    left = len(lost) - len(told)
    return [*told, *([f"So it is with {wording.count(left, 'other time')}, see Coverage."] if left else [])]


def firsts(parts: Iterable[Part]) -> list[str]:
    """The first answer of each network."""
    return [lead(results, answer.answers(results, groups)) for results, groups in parts]


def lead(results: Results, rows: Sequence[Answer], number: int = 0) -> str:
    """A row in a sentence, with its setting where the rows are of several; of no rows, why there is none."""
    if not rows:
        return nothing(results)
    settings = {wording.setting(row.yours.who) for row in rows}
    group = rows[number].yours
    return sentence(results, group, f" ({wording.setting(group.who)})" if len(settings) > 1 else "")


def sentence(results: Results, group: ComparisonGroup, setting: str = "") -> str:
    """What one group says: "Training the MLP at batch 128, width 128: NumPy is fastest."."""
    doing = {"train_step": "Training", "predict": "Predicting with", "epoch": "An epoch of"}
    what = doing.get(group.phase, f"{wording.phase(group.phase)} of")
    return f"{what} the {wording.network(results.network)} at {wording.size(group.axes)}{setting}: {verdict(results, group)}."


def verdict(results: Results, group: ComparisonGroup) -> str:
    """Who is fastest and by how much, tied or not settled, in so many words."""
    if group.reference is None:
        return "nothing is ranked, Coverage says why"
    best = wording.label(results, group.reference.cell.who)
    if not group.rivals:
        return f"{best} alone is ranked"
    if group.blocks < MIN_BLOCKS_FOR_VERDICT:
        return f"{best} was lowest, too few blocks for a verdict ({group.blocks} of {MIN_BLOCKS_FOR_VERDICT})"
    unsettled = _names(results, group.with_verdict("not settled", "not compared"))
    ties = group.with_verdict("tied")
    tied = _names(results, ties)
    if unsettled:
        return f"{wording.listed([best, *tied, *unsettled], 'or')}, not settled"
    if tied:
        together = ranking.tied_together(ties)
        return (
            f"{wording.listed([best, *tied])} are tied"
            if together
            else f"{wording.listed(tied)} are each tied with {best}"
        )
    following, comparison = wording.label(results, group.rivals[0].entry.cell.who), group.rivals[0].comparison
    assert comparison  # what is not compared is not settled
    interval = wording.ratio_interval(comparison.ratio)
    chance = wording.CHANCE if ranking.may_be_chance(group.rivals) else ""
    return (
        f"{best} is fastest, {wording.ratio(comparison.ratio.value)} ({interval}) times as fast as {following}{chance}"
    )


def _table(found: Sequence[tuple[Results, Answer]]) -> list[Block]:
    settings = {wording.setting(row.yours.who) for _, row in found}
    groups = [group for _, row in found for group in (row.yours, row.smaller, row.larger) if group]
    same = wording.same_axes([group.axes for group in groups])
    own = "your size" if any(_is_given(results) for results, _ in found) else "the default size"
    first = f"{own}, or a smaller one" if any(results.network.unnamed for results, _ in found) else own
    rows = [
        [
            _label(results, row, len(settings) > 1),
            _cell(results, row.yours, same)
            + ("" if row.is_yours or results.network.unnamed else f" ({own} was not measured)"),
            *(_cell(results, group, same) for group in (row.smaller, row.larger)),
        ]
        for results, row in found
    ]
    constants = ", ".join(filter(None, [wording.size(same) if same else "", *(settings if len(settings) == 1 else ())]))
    caption = f"The fastest, and how many times as fast as the next{f' ({constants})' if constants else ''}"
    return table(caption, rows, "what is timed", first, "the smallest", "the largest")


def _is_given(results: Results) -> bool:
    """Whether somebody asked for a network of their own, and so for its size."""
    return any(word.startswith(("--spec", "--set")) for word in results.run.command)


def _label(results: Results, row: Answer, with_setting: bool) -> str:
    setting = f" ({wording.setting(row.yours.who)})" if with_setting else ""
    return f"{wording.network(results.network)}, {wording.phase(row.yours.phase)}{setting}"


def _cell(results: Results, group: ComparisonGroup | None, same: Axes) -> str:
    if group is None:
        return NO_VALUE
    size = wording.size({name: value for name, value in group.axes.items() if name not in same} or group.axes)
    return f"{size}: {verdict(results, group).replace(' is fastest, ', ', ')}"


def _forest(results: Results, group: ComparisonGroup) -> list[Block]:
    shown = [place for place in group.places if place.is_reference or (place.comparison and place.entry.is_proved)]
    dots = [dot(results, place) for place in shown]
    if len(dots) < 2:
        return []
    title = f"Times as long as the fastest, {wording.timed(group.phase, group.axes)} ({wording.setting(group.who)})"
    spec, narrow = (plots.ratios(dots, narrow) for narrow in (False, True))
    name = f"answer-{wording.slug(group.who.model)}"
    said = verdict(results, group)
    return [Figure(name, spec, title, f"{said[0].upper()}{said[1:]}.", _HOW + _hollow(results, shown), narrow)]


def _hollow(results: Results, shown: Sequence[Placement]) -> str:
    """What a hollow mark is, where there is one."""
    names = {place.entry.cell.who.variant for place in shown if place.entry.standing == "own variant"}
    told = [f"{each.name}: {each.explanation}" for each in results.network.variants if each.name in names]
    return f" A hollow mark computes something else and has no rank ({'; '.join(told)})." if told else ""


def dot(results: Results, place: Placement) -> plots.Dot:
    """One row of the plot; hollow for a variant, which has no rank."""
    who = place.entry.cell.who
    label = wording.label(results, who)
    if place.is_reference or place.comparison is None:
        time = wording.duration(place.entry.seconds)
        return plots.Dot(wording.short(label), who.framework, 1.0, None, None, f"1  ({time})")
    ratio = place.comparison.ratio
    words = wording.ratio(ratio.value) + (f"  ({wording.ratio_interval(ratio)})" if ratio.blocks > 1 else "")
    hollow = place.entry.standing != "ranked"
    return plots.Dot(wording.short(label), who.framework, ratio.value, *ratio.interval, words, hollow)


def whys(results: Results, group: ComparisonGroup) -> list[str]:
    """A sentence for each that is slower beyond doubt; one for all of whom nothing was measured that would say why."""
    reasons = answer.reasons(results, group)
    told = [why(results, group, reason) for reason in reasons if reason.is_known]
    others = [wording.label(results, reason.place.entry.cell.who) for reason in reasons if not reason.is_known]
    return [*told, *([f"What makes {wording.listed(others)} slower was not measured."] if others else [])]


def why(results: Results, group: ComparisonGroup, reason: Reason) -> str:
    """What sets one back, from what was measured: "PyTorch takes 1.91 times as long: ..."."""
    assert group.reference
    assert reason.place.comparison
    best, ratio = wording.label(results, group.reference.cell.who), reason.place.comparison.ratio
    told = []
    if reason.against:
        titles = {step.name: step.title or step.name for step in results.network.steps}
        step, spent = titles.get(reason.step, reason.step).lower(), wording.duration(reason.step_s)
        other = f"{wording.label(results, reason.against)} {wording.duration(reason.best_step_s)}"
        told.append(f"{step} takes {spent} ({other})")
    if reason.overhead_s is not None:
        overhead, other = wording.duration(reason.overhead_s), wording.duration(reason.best_overhead_s)
        told.append(f"a {wording.phase(group.phase)} costs about {overhead} however small it is ({best} {other})")
    times = f"{wording.ratio(ratio.value)} ({wording.ratio_interval(ratio)})"
    return f"{wording.label(results, reason.place.entry.cell.who)} takes {times} times as long: {wording.listed(told)}."


def unsaid(results: Results) -> list[Block]:
    """What this run does not say, and the command that would."""
    told = unsaid_items(results)
    return [Heading("What this run does not say, and the option that would"), Bullets(told)] if told else []


def unsaid_items(results: Results) -> list[str]:
    """The same as sentences."""
    whos = [entry.cell.who for entry in results.entries]
    has_floors = any(entry.cell.phase == COPY for entry in results.entries)
    is_judged = not impossible_times.unjudged(results.entries, results.blocks)
    has_tuned = any(network.has_tuned for network in results.run.networks)
    unnamed = [network for network in results.run.networks if network not in results.run.named]
    titles = wording.listed(map(wording.network, unnamed))
    items = [
        (unnamed, f"Of the {titles} other sizes and frameworks, why one is slower, what differs, whether they learn: --model {','.join(n.model for n in unnamed)}."),
        (has_tuned and not _differ_only(whos, mode=""), "Whether tuning pays: --mode plain,tuned."),
        (not _differ_only(whos, threads=0), "What more or fewer threads do: --threads 1,all."),
        (len({who.device.startswith("cuda") for who in whos}) < 2, "From when a GPU pays: --device cpu,cuda, where there is one."),
        (not has_floors, "How near each is to what this machine allows: --profile full."),
        (not is_judged, "Whether every time is possible at all, for no large matrix product was timed undisturbed: any profile, without --phase, on a quiet machine."),
        (not any(word.startswith("--spec") for word in results.run.command), "Your own network and data: --profile choose --spec my.toml --data my.npz."),
    ]  # fmt: skip
    return [text for is_unsaid, text in items if is_unsaid]


def _differ_only(whos: Iterable[Configuration], **in_what: object) -> bool:
    """Whether some two implementations differ in this and in nothing else; the value does not matter."""
    distinct = set(whos)
    return len({who.model_copy(update=in_what) for who in distinct}) < len(distinct)


def _names(results: Results, places: Sequence[Placement]) -> list[str]:
    return [wording.label(results, place.entry.cell.who) for place in places]
