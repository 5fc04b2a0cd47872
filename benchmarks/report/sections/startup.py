"""Compiling and starting: import, first and second call, size on disk, and when a late starter has caught up."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from benchmarks import wording
from benchmarks.analysis import startup
from benchmarks.analysis.ranking import ComparisonGroup, Placement
from benchmarks.analysis.results import Results
from benchmarks.analysis.startup import Overtaking, Start
from benchmarks.report import plots
from benchmarks.report.document import Block, Bullets, Figure, Section, Text, table
from benchmarks.wording import NO_VALUE

_STEPS = (1, 10, 100, 1_000, 10_000, 100_000)
_IN_TABLE = (1, 1_000, 100_000)
_HOW = (
    "Once: measured once, so without an interval. Import: alone, in a process with no other at work, its files read before. The first call holds "
    "tracing and compiling. On disk: with all that it requires; a library that several need is in each sum."
)
_DOUBTS = {"not proved": " (not proved equal)", "impossible": " (impossible time)"}
_LEFT_OUT = "What was not proved equal, or is faster than possible, takes no part in the comparisons of this section: it may do less work."


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """One part per setting of the training step, at its middle size, both modes together."""
    blocks: list[Block] = []
    summaries = []
    for group in _middles([group for group in groups if group.phase == "train_step"]):
        if starts := startup.starts(results, group):
            blocks += [block for part in (_starts, _cumulative, _overtaking) for block in part(results, group, starts)]
            summaries.append(_ready(results, group, starts))
    content = [*blocks, Text(_HOW, "note")] if blocks else []
    return Section("starting", "Compiling and starting", content, " ".join(filter(None, summaries[:1])))


def _ready(results: Results, group: ComparisonGroup, starts: Sequence[Start]) -> str:
    """Who is ready first."""
    first, _ = startup.overtaking(starts)
    if first is None:
        return "What importing costs was not measured, so nothing is said of who starts fastest."
    return f"{_label(results, first)} is ready first: {wording.duration(first.before_steady_s or 0.0)} until its training steps are steady, {_where(group)} (once)."


def _middles(groups: Sequence[ComparisonGroup]) -> list[ComparisonGroup]:
    """Of each setting the middle size, with the entries of all modes."""
    by_setting: dict[tuple[str, int], dict[tuple[str, ...], list[Placement]]] = defaultdict(lambda: defaultdict(list))
    for group in groups:
        by_setting[group.who.precision, group.who.threads][group.cells] += group.places
    merged = [[ComparisonGroup(places) for places in by_size.values()] for by_size in by_setting.values()]
    return [startup.middle(sizes) for sizes in merged]


def _cumulative(results: Results, group: ComparisonGroup, starts: Sequence[Start]) -> list[Block]:
    """Import, compiling and so many steps, added up."""
    complete = [start for start in starts if start.before_steady_s is not None and start.entry.standing == "ranked"]
    if len(complete) < 2:
        return []
    lines, rows = [], []
    for start in complete:
        label, who = _label(results, start), start.entry.cell.who
        points = [(steps, _total(start, steps), None, None) for steps in _STEPS]
        words = [f"training steps {steps:,}: {wording.duration(total)}" for steps, total, *_ in points]
        lines.append(plots.Line(wording.short(label), who.framework, points, words=words, marked=who.mode == "plain"))
        rows.append([label, *(wording.duration(_total(start, steps)) for steps in _IN_TABLE)])
    spec = plots.lines(lines, "training steps", "seconds since the program began", log=True)
    conclusion = f"As added up here, {_least(results, complete)}; since starts happened once, that is no verdict."
    how_to_read = (
        "How to read this: a line begins where a program is ready for its first step and rises with every step; where two lines cross, the "
        "later start has paid. Lines without markers are tuned."
    )
    name = wording.slug(f"cumulative-{group.who.precision}-t{group.who.threads}")
    columns = ("implementation", *(f"#{wording.count(steps, 'step')}" for steps in _IN_TABLE))
    title = f"From the program's start, {_where(group)}"
    numbers = table(title, rows, *columns, frameworks=[line.framework for line in lines], folded=True)
    return [Figure(name, spec, title, conclusion, how_to_read), *numbers]


def _least(results: Results, starts: Sequence[Start]) -> str:
    """Who had used the least time after the fewest and after the most steps."""
    ends = _STEPS[0], _STEPS[-1]
    few, many = (wording.count(steps, "step") for steps in ends)
    first, last = (_label(results, min(starts, key=lambda start: _total(start, steps))) for steps in ends)
    return f"{first} had used the least time after {few} and {'' if first == last else f'{last} '}after {many}"


def _total(start: Start, steps: int) -> float:
    return (start.before_steady_s or 0.0) + steps * start.entry.seconds


def _starts(results: Results, group: ComparisonGroup, starts: Sequence[Start]) -> list[Block]:
    rows = [_row(results, start) for start in starts]
    columns = ["implementation", "#import (once)", "#first call (once)", "#second call (once)"]
    columns += [f"#steady call ({wording.SURE})", "#on disk"]
    frameworks = [start.entry.cell.who.framework for start in starts]
    reasons = [
        f"{_label(results, start)}, {reading}: {record.reason}"
        for start in starts
        for reading, record in (("import", start.alone), ("on disk", start.installed))
        if record and record.reason
    ]
    blocks = table(f"Until the training step is steady, {_where(group)}", rows, *columns, frameworks=frameworks)
    if not any(start.alone for start in starts):
        blocks.append(Text("This run did not come to measuring imports alone and sizes on disk."))
    if any(start.entry.standing in _DOUBTS for start in starts):
        blocks.append(Text(_LEFT_OUT, "note"))
    return [*blocks, *([Bullets(reasons)] if reasons else [])]


def _row(results: Results, start: Start) -> list[str]:
    size = start.installed.bytes if start.installed else None
    return [
        _label(results, start) + _DOUBTS.get(start.entry.standing, ""),
        _text_or_none(start.import_s, wording.duration),
        _text_or_none(start.first_s, wording.duration),
        _text_or_none(start.second_s, wording.duration),
        wording.with_interval(start.entry.time),
        _text_or_none(size, wording.memory),
    ]


def _label(results: Results, start: Start) -> str:
    return wording.label(results, start.entry.cell.who)


def _overtaking(results: Results, group: ComparisonGroup, starts: Sequence[Start]) -> list[Block]:
    first, later = startup.overtaking(starts)
    if first is None or not later:
        return []
    name = _label(results, first)
    rows = [
        [_label(results, o.start), _text_or_none(o.start.before_steady_s, wording.duration), *_from_step(o)]
        for o in later
    ]
    caption, note = f"When a later start has paid, against {name}", "The interval is that of the ratio of steady times."
    columns = ("implementation", "#ready after (once)", f"ahead of {name}", "#95% interval of that step")
    frameworks = [overtaking.start.entry.cell.who.framework for overtaking in later]
    return table(caption, rows, *columns, frameworks=frameworks, note=note)


def _from_step(overtaking: Overtaking) -> list[str]:
    """From which step on it is ahead, or why it is not, and the interval of that step."""
    if overtaking.calls is not None:
        return [f"from step {overtaking.calls:,} on", f"{overtaking.earliest:,} to {overtaking.latest:,}"]
    verdict = overtaking.comparison.verdict if overtaking.comparison else "not compared"
    answers = {"not compared": "not compared", "slower": "never: later and slower", "tied": "no: tied"}
    return [answers.get(verdict, verdict), NO_VALUE]


def _where(group: ComparisonGroup) -> str:
    return f"{wording.size(group.axes)} ({group.who.precision}, {wording.count(group.who.threads, 'thread')})"


def _text_or_none(value: float | None, text_of: Callable[[float], str]) -> str:
    return NO_VALUE if value is None else text_of(value)
