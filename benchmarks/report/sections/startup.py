"""Compiling and starting: import, first and second call, size on disk, and when a late starter has caught up."""

from collections.abc import Callable, Sequence

from benchmarks import wording
from benchmarks.analysis import startup
from benchmarks.analysis.ranking import Heat
from benchmarks.analysis.results import Results
from benchmarks.analysis.startup import Overtaking, Start
from benchmarks.report import facets, plots
from benchmarks.report.document import Block, Bullets, Figure, Part, Section, Text, table
from benchmarks.wording import NO_VALUE

_STEPS = (1, 10, 100, 1_000, 10_000, 100_000)
_HOW = (
    "Import: alone is one process with no other at work, its files read before; beside the others is the median over the "
    "blocks of the processes that timed, which start together and hold NumPy already, with its 95% interval and the number of blocks; where a "
    "block had two processes of one framework, because one was the null control, the block counts once, with their median. First and second call are those "
    "of the first block, each process's turn; the first holds tracing, compiling and whatever is set up once, and a prediction "
    "came before it. What is marked (once) was measured once, so it has no interval. On disk: the distributions that bring the framework, with all that they require, but without "
    "extras; a library that several frameworks need is in each of their sums, and Python is in none."
)

_ADDED_UP = "Seconds since the program began, added up from starts (once) and steady times, not run"
_LEFT_OUT = "What was not proved equal takes no part in the comparisons of this section: it may do less work."


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """One part per setting of the training step, at its middle size, both modes together."""
    blocks: list[Block] = []
    for heat in _middles([heat for heat in heats if heat.phase == "train_step"]):
        if found := startup.starts(results, heat):
            shown = [
                *_starts(results, heat, found),
                *_cumulative(results, heat, found),
                *_overtaking(results, heat, found),
            ]
            blocks.append(Part({name: value for name, value in facets.of_group(heat).items() if name != "mode"}, shown))
    if not blocks:
        return Section("starting", "Compiling and starting", [Text("No training step was timed.")])
    return Section("starting", "Compiling and starting", [*blocks, Text(_HOW, "note")])


def _middles(heats: Sequence[Heat]) -> list[Heat]:
    """Of each setting the middle size, with the entries of all modes."""
    by_setting: dict[tuple[str, int], dict[tuple[str, ...], list[Heat]]] = {}
    for heat in heats:
        sizes = by_setting.setdefault((heat.who.precision, heat.who.threads), {})
        sizes.setdefault(heat.cells, []).append(heat)
    merged = (
        [Heat([place for heat in same for place in heat.places]) for same in s.values()] for s in by_setting.values()
    )
    return [startup.middle(group) for group in merged]


def _cumulative(results: Results, heat: Heat, found: Sequence[Start]) -> list[Block]:
    """Import, compiling and so many steps, added up."""
    known = [start for start in found if start.before_steady_s is not None and start.entry.standing == "ranked"]
    if len(known) < 2:
        return []
    lines = []
    for start in known:
        before, label = start.before_steady_s or 0.0, wording.short(results.label(start.entry.cell.who))
        points = [(steps, before + steps * start.entry.seconds, None, None) for steps in _STEPS]
        plain = start.entry.cell.who.mode == "plain"
        lines.append(plots.Line(label, start.entry.cell.who.framework, points, marked=plain))
    spec = plots.lines(lines, "training steps", "seconds since the program began", log=True)
    ends = [[results.label(s.entry.cell.who), *(_at(s, steps) for steps in _STEPS)] for s in known]
    told = f"As added up here, {_least(results, known)}; since starts happened once, that is no verdict."
    how = (
        "How to read this: a line begins where a program is ready for its first step (import, tracing, compiling) and rises with "
        "every step; where two lines cross, the later start has paid. Lines without markers are tuned. Starts happened once, so there is no interval."
    )
    title = f"From the program's start, {_where(heat)}"
    columns = ("implementation", *(f"#{wording.count(steps, 'step')}" for steps in _STEPS))
    frameworks = [start.entry.cell.who.framework for start in known]
    name = wording.slug(f"cumulative-{heat.who.precision}-t{heat.who.threads}")
    return [
        Figure(name, spec, title, told, how),
        *table(f"{_ADDED_UP}, {_where(heat)}", ends, *columns, frameworks=frameworks, folded=True),
    ]


def _least(results: Results, known: Sequence[Start]) -> str:
    """Who had used the least time after the fewest and after the most steps."""
    few, many = (wording.count(steps, "step") for steps in (_STEPS[0], _STEPS[-1]))
    first, last = (
        results.label(min(known, key=lambda start: _total(start, steps)).entry.cell.who)
        for steps in (_STEPS[0], _STEPS[-1])
    )
    return f"{first} had used the least time after {few} and {'' if first == last else f'{last} '}after {many}"


def _total(start: Start, steps: int) -> float:
    return (start.before_steady_s or 0.0) + steps * start.entry.seconds


def _at(start: Start, steps: int) -> str:
    return wording.duration(_total(start, steps))


def _starts(results: Results, heat: Heat, found: Sequence[Start]) -> list[Block]:
    rows = [_row(results, start) for start in found]
    columns = (
        "implementation",
        "#import, alone (once)",
        "#import, beside the others (95% interval; blocks)",
        "#first call (once)",
        "#second call (once)",
        "#steady call (95% interval; blocks)",
        "#on disk",
    )
    frameworks = [start.entry.cell.who.framework for start in found]
    reasons = [
        f"{name}: {reason}"
        for start in found
        for name, reason in (
            (f"{results.label(start.entry.cell.who)}, import", start.alone.reason if start.alone else ""),
            (f"{results.label(start.entry.cell.who)}, on disk", start.installed.reason if start.installed else ""),
        )
        if reason
    ]
    shown = table(f"Until the training step is steady, {_where(heat)}", rows, *columns, frameworks=frameworks)
    if not any(start.alone for start in found):
        shown.append(Text("This run did not come to measuring imports alone and sizes on disk."))
    if any(_doubtful(start) for start in found):
        shown.append(Text(_LEFT_OUT, "note"))
    return [*shown, *([Bullets(reasons)] if reasons else [])]


def _row(results: Results, start: Start) -> list[str]:
    size = start.installed.bytes if start.installed else None
    return [
        results.label(start.entry.cell.who) + (" (not proved equal)" if _doubtful(start) else ""),
        _shown(start.import_s, wording.duration),
        wording.with_interval(start.crowded),
        _shown(start.first_s, wording.duration),
        _shown(start.second_s, wording.duration),
        wording.with_interval(start.entry.time),
        _shown(size, wording.memory),
    ]


def _doubtful(start: Start) -> bool:
    return start.entry.standing == "not proved"


def _overtaking(results: Results, heat: Heat, found: Sequence[Start]) -> list[Block]:
    first, others = startup.overtaking(found)
    if first is None or not others:
        return []
    name = results.label(first.entry.cell.who)
    rows = [
        [
            results.label(other.start.entry.cell.who),
            _shown(other.start.before_steady_s, wording.duration),
            _told(other),
            _range(other),
        ]
        for other in others
    ]
    told = (
        f"{name} is ready first (measured once: {wording.duration(first.before_steady_s or 0.0)} of import, tracing and compiling before its "
        f"training steps are steady, {_where(heat)})."
    )
    columns = ("implementation", "#ready after (once)", f"ahead of {name}", "#95% interval of that step")
    frameworks = [other.start.entry.cell.who.framework for other in others]
    note = "The interval is that of the ratio of steady times; the times before happened once."
    return [
        Text(told),
        *table(f"When a later start has paid, against {name}", rows, *columns, frameworks=frameworks),
        Text(note, "note"),
    ]


def _told(other: Overtaking) -> str:
    if other.comparison is None:
        return "not compared"
    if other.comparison.verdict == "slower":
        return "never: later and slower"
    if other.comparison.verdict == "tied":
        return "no: tied"
    if other.calls is None:
        return f"not settled ({other.comparison.verdict})"
    return f"from step {other.calls:,} on"


def _range(other: Overtaking) -> str:
    return NO_VALUE if other.calls is None else f"{other.earliest:,} to {other.latest:,}"


def _where(heat: Heat) -> str:
    return f"{wording.size(heat.axes)} ({heat.who.precision}, {wording.count(heat.who.threads, 'thread')})"


def _shown(value: float | None, how: Callable[[float], str]) -> str:
    return NO_VALUE if value is None else how(value)
