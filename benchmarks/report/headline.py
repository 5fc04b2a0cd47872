"""The findings as sentences: hedged, and never saying more than a verdict supports."""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, Place, by_phase, compare_devices
from benchmarks.analysis.results import Results
from benchmarks.report import dataframe, facts
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT

_DOING = {"train_step": "one training step", "predict": "predicting one batch", "epoch": "one training epoch"}

_MOST = 3
"""Settings in the headline, at most: it is to be read within a minute."""


def partial(results: Results) -> str:
    """What is missing from the plan, or nothing."""
    missing = [*_without_timing(results), *_without_costs(results)]
    return f"Partial results: {'; '.join(missing)}." if missing else ""


def _without_timing(results: Results) -> list[str]:
    holes = results.holes()
    if not holes:
        return []
    planned = sum(entry.planned for entry in results.entries)
    kinds = Counter("measured in some blocks only" if hole.medians else hole.status for hole in holes)
    counts = wording.listed(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    cells = wording.count(planned, "planned cell")
    return [f"{len(holes)} of {cells} lack a timing in at least one block ({counts}), see Coverage"]


def _without_costs(results: Results) -> list[str]:
    """They are measured last: a run may be stopped between its last block and them."""
    if not results.lacking_costs:
        return []
    whom = wording.count(len(results.lacking_costs), "implementation")
    return [f"starting, memory or energy of {whom} was not measured (the same command goes on with it)"]


def headline(results: Results, groups: Sequence[ComparisonGroup]) -> list[str]:
    """A sentence or two for each phase and setting, at the size where most was compared."""
    by_setting = [[group for group in same_phase if group.reference] for same_phase in by_phase(groups)]
    sentences = [_of_group(results, same_phase, first=k == 0) for k, same_phase in enumerate(filter(None, by_setting))]
    if not sentences:
        return [_nothing_ranked(results)]
    paying = gpu(results, groups)
    more = len(sentences) > _MOST or len(paying) > _MOST
    return [*sentences[:_MOST], *paying[:_MOST], *(["Further settings are in the next section."] if more else [])]


def _nothing_ranked(results: Results) -> str:
    if any(entry.medians for entry in results.entries):
        return (
            "No implementation was both timed and proved equal, so nothing is ranked. Coverage and Equivalence say why."
        )
    return "Nothing was timed, so there is nothing to compare. Coverage says why."


def _of_group(results: Results, same_phase: Sequence[ComparisonGroup], first: bool) -> str:
    group = max(same_phase, key=lambda group: (len(group.rivals), math.prod(group.axes.values())))
    place = f"On this machine{facts.machine(results.environment)}, " if first else ""
    what = _DOING.get(group.phase, wording.phase(group.phase))
    of = f"{'with' if group.phase == 'predict' else 'of'} the {wording.model(results.run)}"
    setting = f"at {wording.size(group.axes)} ({wording.setting(group.who)})"
    sentence = f"{place}{what} {of} {setting}: {finding(results, group)}"
    return sentence[0].upper() + sentence[1:] + _other_sizes(results, same_phase)


def finding(results: Results, group: ComparisonGroup) -> str:
    """What one group says, as a sentence: fastest, tied, not settled, too few blocks, or nothing to compare with."""
    reference = group.reference
    if reference is None:
        return "no entry is ranked."
    best = _name(results, reference)
    if not group.rivals:
        return f"only {best} is ranked ({_time(reference)}), so there is nothing to compare it with."
    if group.blocks < MIN_BLOCKS_FOR_VERDICT:
        return (
            f"{best} had the lowest time ({_time(reference)}), but {wording.count(group.blocks, 'shared block')} "
            f"{'is' if group.blocks == 1 else 'are'} too few for a verdict ({MIN_BLOCKS_FOR_VERDICT} are needed)."
        )
    return f"{_at_the_top(results, group, best)}{_behind(results, group)}{_unsettled(results, group)}"


def _at_the_top(results: Results, group: ComparisonGroup, best: str) -> str:
    tied = [_name(results, place.entry) for place in group.with_verdict("tied")]
    unsettled = group.with_verdict("inconclusive", "not compared")
    if tied:
        top = f"{wording.listed([best, *tied])} are tied (within {wording.MARGIN})"
        return top if unsettled else f"{top} as the fastest"
    return f"{best} had the lowest time" if unsettled else f"{best} is fastest"


def _behind(results: Results, group: ComparisonGroup) -> str:
    """How far behind the first and the last are, of those that are slower beyond doubt."""
    places = group.with_verdict("slower")
    slower = [_with_ratio(place, "{} times (95% {}) as fast as ") + _name(results, place.entry) for place in places]
    if not slower or group.reference is None:
        return "."
    again = _name(results, group.reference) if group.with_verdict("tied") else "it"
    link = ", " if len(slower) == len(group.rivals) else f"; {again} is "
    if len(slower) == 1:
        return f"{link}{slower[0]}."
    return f"{link}{slower[0]}{_whereabouts(group, places[0])}, and {slower[-1]}{_whereabouts(group, places[-1])}."


def _whereabouts(group: ComparisonGroup, place: Place) -> str:
    """Next and slowest where that was settled; else the rank."""
    if place.ranks is None:
        return ""
    others = [rival.ranks for rival in group.places if rival.ranks and rival is not place]
    best, worst = place.ranks
    if all(high < best for _, high in others):
        return ", the slowest"
    behind = sum(low > worst for low, _ in others)
    if behind + 1 + len(group.with_verdict("tied")) == len(others):
        return ", the next"
    return f" (rank {wording.rank(dataframe.rank(place))})"


def _unsettled(results: Results, group: ComparisonGroup) -> str:
    candidates = [
        _name(results, place.entry) + _with_ratio(place, " (ratio {}, 95% {})")
        for place in group.with_verdict("inconclusive", "not compared")
    ]
    if not candidates or not group.reference:
        return ""
    best = _name(results, group.reference)
    return (
        f" Whether {best} is faster than {wording.listed(candidates, 'or')} by more than {wording.MARGIN} was not settled "
        "(inconclusive)."
    )


def _with_ratio(place: Place, pattern: str) -> str:
    if place.comparison is None:
        return " (no block in common)"
    ratio = place.comparison.ratio
    if ratio.blocks < MIN_BLOCKS_FOR_VERDICT:
        return f" (only {wording.count(ratio.blocks, 'shared block')})"
    return pattern.format(wording.ratio(ratio.value), wording.ratio_interval(ratio))


def _other_sizes(results: Results, same_phase: Sequence[ComparisonGroup]) -> str:
    """How often each was clearly the fastest, where there are several sizes."""
    if len(same_phase) < 2 or not any(group.rivals for group in same_phase):
        return ""
    clear = [group for group in same_phase if group.rivals and len(group.with_verdict("slower")) == len(group.rivals)]
    wins = Counter(_name(results, group.reference) for group in clear if group.reference)
    if not clear:
        return f" At none of the {len(same_phase)} sizes measured is one clearly fastest."
    if wins.most_common(1)[0][1] == len(same_phase):
        return f" {next(iter(wins))} is fastest at all {len(same_phase)} sizes measured."
    winners = [f"{name} at {_some(n)}" for name, n in sorted(wins.items(), key=lambda item: (-item[1], item[0]))]
    none = len(same_phase) - len(clear)
    undecided = f"; at {_some(none)} none clearly is" if none else ""
    return f" Of {len(same_phase)} sizes measured, the fastest is {wording.listed(winners)}{undecided}."


def _some(sizes: int) -> str:
    """The number of sizes, in words where there is a word."""
    return "one size" if sizes == 1 else f"{wording.NUMERALS.get(sizes, str(sizes))} sizes"


def gpu(results: Results, groups: Sequence[ComparisonGroup]) -> list[str]:
    """From which batch on the GPU pays: a sentence per phase and setting that ran on both, with each remaining size."""
    sentences = []
    for same_phase in by_phase(groups):
        verdicts_at: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for group in same_phase:
            if pair := compare_devices(group):
                other_axes = {name: value for name, value in group.axes.items() if name != "batch"}
                at = f"at {wording.size(other_axes)} " if other_axes else ""
                verdicts_at[at].append((group.axes.get("batch", 0), pair.comparison.verdict))
        answers = "; ".join(at + _from_batch(sorted(verdicts)) for at, verdicts in verdicts_at.items())
        if answers:
            what = wording.timed_in(same_phase[0].phase, same_phase[0].who)
            sentences.append(f"GPU, {what}, best on the GPU against best on the CPU: {answers}.")
    return sentences


def _from_batch(verdicts: Sequence[tuple[int, str]]) -> str:
    batches = f"(measured at {wording.listed(f'{batch}' for batch, _ in verdicts)})"
    paying = list(itertools.takewhile(lambda pair: pair[1] == "faster", reversed(verdicts)))
    if paying:
        return f"the GPU pays from batch {paying[-1][0]} on {batches}"
    if all(verdict == "slower" for _, verdict in verdicts):
        return f"the GPU does not pay at any batch {batches}"
    return f"from which batch on the GPU pays was not settled {batches}"


def _name(results: Results, entry: CellResult) -> str:
    return wording.label(results, entry.cell.who)


def _time(entry: CellResult) -> str:
    if entry.time is None:
        return wording.NO_VALUE
    interval = f", 95% {wording.duration_interval(entry.time)}" if entry.time.blocks > 1 else ""
    return f"{wording.duration(entry.time.value)} per call{interval}, {wording.count(entry.time.blocks, 'block')}"
