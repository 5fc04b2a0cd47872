"""The findings as sentences: hedged, and never saying more than a verdict supports."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import dataframe, machine_facts
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import Heat, Place, duel, phase_groups
from benchmarks.analysis.results import Results
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT

_DOING = {"train_step": "one training step", "predict": "predicting one batch", "epoch": "one training epoch"}

_MOST = 3
"""Settings in the headline, at most: it is to be read within a minute."""


def partial(results: Results) -> str:
    """What is missing from the plan, or nothing: the first thing to be said of unfinished results."""
    missing = [*_without_timing(results), *_without_costs(results)]
    return f"Partial results: {'; '.join(missing)}." if missing else ""


def _without_timing(results: Results) -> list[str]:
    holes = results.holes()
    if not holes:
        return []
    planned = sum(entry.planned for entry in results.entries)
    kinds = Counter("measured in some blocks only" if hole.medians else hole.status for hole in holes)
    told = wording.listed(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    cells = wording.count(planned, "planned cell")
    return [f"{len(holes)} of {cells} lack a timing in at least one block ({told}), see Coverage"]


def _without_costs(results: Results) -> list[str]:
    """They are measured last: a run may be stopped between its last block and them."""
    if not results.lacking_costs:
        return []
    whom = wording.count(len(results.lacking_costs), "implementation")
    return [f"starting, memory or energy of {whom} was not measured (the same command goes on with it)"]


def headline(results: Results, heats: Sequence[Heat]) -> list[str]:
    """A sentence or two for each phase and setting, at the size where most was compared."""
    groups = [[heat for heat in group if heat.reference] for group in phase_groups(heats)]
    sentences = [_of_group(results, group, first=k == 0) for k, group in enumerate(filter(None, groups))]
    if not sentences:
        return [_nothing_ranked(results)]
    paying = gpu(results, heats)
    more = len(sentences) > _MOST or len(paying) > _MOST
    return [*sentences[:_MOST], *paying[:_MOST], *(["Further settings are in the next section."] if more else [])]


def _nothing_ranked(results: Results) -> str:
    if any(entry.medians for entry in results.entries):
        return (
            "No implementation was both timed and proved equal, so nothing is ranked. Coverage and Equivalence say why."
        )
    return "Nothing was timed, so there is nothing to compare. Coverage says why."


def _of_group(results: Results, group: Sequence[Heat], first: bool) -> str:
    heat = max(group, key=lambda heat: (len(heat.rivals), math.prod(heat.axes.values())))
    place = f"On this machine{machine_facts.machine(results.environment)}, " if first else ""
    what = _DOING.get(heat.phase, wording.phase(heat.phase))
    of = (
        f" of the {wording.model(heat.who.model)}"
        if heat.phase != "predict"
        else f" with the {wording.model(heat.who.model)}"
    )
    sentence = f"{place}{what}{of} at {wording.size(heat.axes)} ({wording.setting(heat.who)}): {finding(results, heat)}"
    return sentence[0].upper() + sentence[1:] + _other_sizes(results, group)


def finding(results: Results, heat: Heat) -> str:
    """What one heat says, as a sentence: fastest, tied, not settled, too few blocks, or nothing to compare with."""
    reference = heat.reference
    if reference is None:
        return "no entry is ranked."
    best = _name(results, reference)
    if not heat.rivals:
        return f"only {best} is ranked ({_time(reference)}), so there is nothing to compare it with."
    if heat.blocks < MIN_BLOCKS_FOR_VERDICT:
        return (
            f"{best} had the lowest time ({_time(reference)}), but {wording.count(heat.blocks, 'shared block')} "
            f"{'is' if heat.blocks == 1 else 'are'} too few for a verdict ({MIN_BLOCKS_FOR_VERDICT} are needed)."
        )
    return f"{_at_the_top(results, heat, best)}{_behind(results, heat)}{_unsettled(results, heat)}"


def _at_the_top(results: Results, heat: Heat, best: str) -> str:
    tied = [_name(results, place.entry) for place in heat.with_verdict("tied")]
    unsettled = heat.with_verdict("inconclusive", "not compared")
    if tied:
        top = f"{wording.listed([best, *tied])} are tied (within {wording.MARGIN})"
        return top if unsettled else f"{top} as the fastest"
    return f"{best} had the lowest time" if unsettled else f"{best} is fastest"


def _behind(results: Results, heat: Heat) -> str:
    """How far behind the first and the last are, of those that are slower beyond doubt."""
    places = heat.with_verdict("slower")
    slower = [_times_as_fast(results, place) for place in places]
    if not slower or heat.reference is None:
        return "."
    again = _name(results, heat.reference) if heat.with_verdict("tied") else "it"
    link = ", " if len(slower) == len(heat.rivals) else f"; {again} is "
    if len(slower) == 1:
        return f"{link}{slower[0]}."
    return f"{link}{slower[0]}{_whereabouts(heat, places[0])}, and {slower[-1]}{_whereabouts(heat, places[-1])}."


def _whereabouts(heat: Heat, place: Place) -> str:
    """Next and slowest where that was settled; else the rank."""
    if place.ranks is None:
        return ""
    others = [other.ranks for other in heat.places if other.ranks and other is not place]
    best, worst = place.ranks
    if all(high < best for _, high in others):
        return ", the slowest"
    behind = sum(low > worst for low, _ in others)
    if behind + 1 + len(heat.with_verdict("tied")) == len(others):
        return ", the next"
    return f" (rank {wording.rank(dataframe.rank(place))})"


def _times_as_fast(results: Results, place: Place) -> str:
    return _with_ratio(place, "{} times (95% {}) as fast as ") + _name(results, place.entry)


def _unsettled(results: Results, heat: Heat) -> str:
    told = [
        _name(results, place.entry) + _with_ratio(place, " (ratio {}, 95% {})")
        for place in heat.with_verdict("inconclusive", "not compared")
    ]
    if not told or not heat.reference:
        return ""
    best = _name(results, heat.reference)
    return (
        f" Whether {best} is faster than {wording.listed(told, 'or')} by more than {wording.MARGIN} was not settled "
        "(inconclusive)."
    )


def _with_ratio(place: Place, pattern: str) -> str:
    if place.comparison is None:
        return " (no block in common)"
    ratio = place.comparison.ratio
    if ratio.blocks < MIN_BLOCKS_FOR_VERDICT:
        return f" (only {wording.count(ratio.blocks, 'shared block')})"
    return pattern.format(wording.ratio(ratio.value), wording.ratio_interval(ratio))


def _other_sizes(results: Results, group: Sequence[Heat]) -> str:
    """How often each was clearly the fastest, where there are several sizes."""
    if len(group) < 2 or not any(heat.rivals for heat in group):
        return ""
    clear = [heat for heat in group if heat.rivals and len(heat.with_verdict("slower")) == len(heat.rivals)]
    wins = Counter(_name(results, heat.reference) for heat in clear if heat.reference)
    if not clear:
        return f" At none of the {len(group)} sizes measured is one clearly fastest."
    if wins.most_common(1)[0][1] == len(group):
        return f" {next(iter(wins))} is fastest at all {len(group)} sizes measured."
    told = [f"{name} at {_some(n)}" for name, n in sorted(wins.items(), key=lambda item: (-item[1], item[0]))]
    none = len(group) - len(clear)
    rest = f"; at {_some(none)} none clearly is" if none else ""
    return f" Of {len(group)} sizes measured, the fastest is {wording.listed(told)}{rest}."


def _some(sizes: int) -> str:
    """So many sizes, in a word where there is one."""
    return "one size" if sizes == 1 else f"{wording.NUMERALS.get(sizes, str(sizes))} sizes"


def gpu(results: Results, heats: Sequence[Heat]) -> list[str]:
    """From which batch on the GPU pays: a sentence per phase and setting that ran on both, with each remaining size."""
    sentences = []
    for group in phase_groups(heats):
        found: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for heat in group:
            if (fought := duel(heat)) is not None:
                rest = {name: value for name, value in heat.axes.items() if name != "batch"}
                at = f"at {wording.size(rest)} " if rest else ""
                found[at].append((heat.axes.get("batch", 0), fought.comparison.verdict))
        if found:
            who = group[0].who
            told = "; ".join(at + _from_batch(sorted(verdicts)) for at, verdicts in found.items())
            sentences.append(
                f"GPU, {wording.phase(group[0].phase)} ({wording.setting(who)}), best on the GPU against best on the CPU: {told}."
            )
    return sentences


def _from_batch(found: Sequence[tuple[int, str]]) -> str:
    batches = f"(measured at {wording.listed(f'{batch}' for batch, _ in found)})"
    paying: list[int] = []
    for batch, gpu_verdict in reversed(found):
        if gpu_verdict != "faster":
            break
        paying.append(batch)
    if paying:
        return f"the GPU pays from batch {paying[-1]} on {batches}"
    if all(gpu_verdict == "slower" for _, gpu_verdict in found):
        return f"the GPU does not pay at any batch {batches}"
    return f"from which batch on the GPU pays was not settled {batches}"


def _name(results: Results, entry: CellResult) -> str:
    return results.label(entry.cell.who)


def _time(entry: CellResult) -> str:
    if entry.time is None:
        return wording.NO_VALUE
    interval = f", 95% {wording.duration_interval(entry.time)}" if entry.time.blocks > 1 else ""
    return f"{wording.duration(entry.time.value)} per call{interval}, {wording.count(entry.time.blocks, 'block')}"
