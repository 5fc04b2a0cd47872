"""The trials as a page for people: what was done, what the harness is to show, and where it loses."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.report.document import Block, Bullets, Document, Section, Text, table
from benchmarks.selfcheck import load, sitting, summary, units
from benchmarks.selfcheck.peers import HEADLINE
from benchmarks.selfcheck.summary import METHODS
from benchmarks.selfcheck.trials import FILE, OURS, Trial
from benchmarks.wording import count, duration, listed, percent

NAMES = {
    OURS: "samenet, in turns",
    "pytest_timer": "pytest-benchmark alone",
    "pyperf_timer": "pyperf",
    "torch_timer": "torch.utils.benchmark",
}

USED = {
    "pytest_timer": "benchmark(call) in one process, --benchmark-max-time at half the time, else as it comes",
    "pyperf_timer": "Runner.bench_func, three values and one warm-up in each of as many processes as fit into half the time",
    "torch_timer": "Timer.blocked_autorange, min_run_time at half the time, else as it comes",
}


def page(trials: Sequence[Trial], machine: Mapping[str, Any], facts: Mapping[str, str]) -> Document:
    """The whole page. `facts` say when, with which code and which versions."""
    at_set_times = [t for t in trials if not t.by_default]
    sections = [
        Section("claims", "What the harness is to show", _claims(at_set_times)),
        Section("others", "Beside other timers", _others(at_set_times)),
        Section("power", "What it finds, by the time it takes", _power(at_set_times)),
        Section("how", "How this was measured", _how(machine, facts)),
    ]
    if defaults := [t for t in trials if t.by_default]:
        sections.insert(2, Section("defaults", "The other timers at their defaults", _table(defaults, list(HEADLINE))))
    return Document("The harness against known truths", _subtitle(trials), sections)


def _subtitle(trials: Sequence[Trial]) -> str:
    sittings = len({t.sitting for t in trials})
    return (
        "Real work whose true ratio is known, measured on a disturbed machine by the harness itself and by other timers, "
        f"in the same minutes: {count(sittings, 'sitting')}, {count(len(trials), 'trial')}."
    )


def _claims(trials: Sequence[Trial]) -> list[Block]:
    claims = summary.claims(trials)
    rows = [(c.claim, c.seen, "holds" if c.holds else "DOES NOT HOLD") for c in claims]
    broken = [c for c in claims if not c.holds]
    conclusion = f"{len(claims) - len(broken)} of {len(claims)} hold." if broken else f"All {len(claims)} hold."
    return [Text(conclusion, "lead"), *table("Claims", rows, "claim", "seen", "verdict")]


def _others(trials: Sequence[Trial]) -> list[Block]:
    common = summary.shared(trials)
    blocks = _table(common, METHODS)
    workloads = dict.fromkeys(t.workload for t in common)
    by_method = {m: {w: summary.figures(summary.of(common, m, w)) for w in workloads} for m in METHODS}
    rows = [(NAMES[m], *(percent(by_method[m][w].rms_error) for w in workloads)) for m in METHODS]
    blocks += table("Root mean square error by workload", rows, "method", *(f"#{w}" for w in workloads))
    lost = [
        f"{w}: {NAMES[m]} is nearer the truth ({percent(by_method[m][w].rms_error)} beside "
        f"{percent(by_method[OURS][w].rms_error)})."
        for w in workloads
        for m in HEADLINE
        if by_method[m][w].rms_error < by_method[OURS][w].rms_error
    ]
    blocks.append(Text("Where samenet loses:" if lost else "On no workload was another timer nearer the truth."))
    alone = summary.figures(summary.of(trials, OURS))
    coverage = (
        f"Over all its {alone.trials} trials, those without the others too, samenet's intervals held the truth in "
        f"{alone.coverage:.0%}, and its root mean square error was {percent(alone.rms_error)}."
    )
    return [*blocks, *([Bullets(lost)] if lost else []), Text(coverage)]


def _table(trials: Sequence[Trial], methods: Sequence[str]) -> list[Block]:
    rows = []
    for method in methods:
        mine = summary.of(trials, method)
        figures, equals = summary.figures(mine), [t for t in mine if t.extra == 0]
        row = [NAMES[method], str(figures.trials), percent(figures.rms_error), f"{figures.coverage:.0%}"]
        row += [percent(figures.half_width), f"{sum(t.detected for t in equals)} of {len(equals)}"]
        rows.append([*row, f"{sum(t.seconds for t in mine) / len(mine):.1f} s"])
    columns = ["method", "#trials", "#root mean square error", "#95% interval holds the truth"]
    columns += ["#half-width of the interval", "#equals called different", "#time each"]
    return table("The same comparisons by every method", rows, *columns)


def _power(trials: Sequence[Trial]) -> list[Block]:
    steps = summary.power(trials)
    extras = sorted(steps[0].detected)
    rows = []
    for step in steps:
        counts = ("{} of {}".format(*step.detected[extra]) for extra in extras)
        rows.append([str(step.blocks), f"{step.seconds:.0f} s", percent(step.half_width), *counts])
    names = ["#equals called different" if extra == 0 else f"#{extra / 2:g}% found" for extra in extras]
    note = (
        "Half the blocks of a sitting, all of them, and those of several; none is used twice in one row. A pair's time includes its share of "
        "starting processes."
    )
    columns = ("#blocks", "#time for a pair", "#half-width of the interval", *names)
    return table("Power", rows, *columns, note=note)


def _how(machine: Mapping[str, Any], facts: Mapping[str, str]) -> list[Block]:
    workloads = [f"{name}: {text}." for name, text in units.WORKLOADS.items()]
    tools = [f"{NAMES[name]}: {text}." for name, text in USED.items()]
    rows = [(str(name), str(value)) for name, value in {**facts, **machine}.items()]
    return [
        Text(
            f"A call of the reference does {units.UNITS} units, one of the candidate {listed(str(units.UNITS + e) for e in units.EXTRAS)}: "
            "the true ratio is known, whatever the machine does. The units are:"
        ),
        Bullets(workloads),
        Text(f"The load beside it: {load.DESCRIPTION}."),
        Text(
            f"samenet: one run per sitting with all comparisons, {sitting.BLOCKS} blocks of fresh processes, rounds as in the profile "
            f"`full` ({sitting.ROUNDS} of {duration(sitting.ROUND_S)}), the same program as `run` but for what is timed, and "
            "without null control. Every other timer got the same time per comparison, starting and importing "
            "not counted (samenet's is), the same core, and one side after the other in random order; they follow samenet in a sitting, in an order drawn anew. "
            " Their ratio is that of the statistic that the tool puts forward; their interval is Welch's over their samples."
        ),
        Bullets(tools),
        Text(f"Every trial is in {FILE}; the error is that of the ratio's logarithm."),
        *table("Where and with what", rows, "", "value"),
    ]
