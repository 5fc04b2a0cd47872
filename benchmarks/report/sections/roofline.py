"""Why? Every time against its floor; each library's peaks; overhead and rate over the sizes; where a step spends its time."""

from collections import defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import roofline
from benchmarks.analysis.ranking import Heat
from benchmarks.analysis.results import Results
from benchmarks.analysis.roofline import Fit, Floor, Peaks
from benchmarks.records.record import Configuration
from benchmarks.report import plots
from benchmarks.report.document import Block, Figure, Heading, Section, Text, table
from benchmarks.report.sections import step_times
from benchmarks.statistics import Estimate
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE

_SURE = "(95% interval; blocks)"
TITLE = "Why? Times against their floors"
_FLOOR = (
    "The floor is the time of the call's matrix products at the rate of one large product in the same framework's library, "
    "and of its least bytes (the state read and written once, the batch read) at the speed of the best large copy here. Efficiency "
    "is floor over time: what is missing to 100% is other arithmetic, memory moved more than once, small products that run "
    "below the library's full rate, and the framework's own overhead. It can pass 100% where all that moves fits into a cache. "
    "The floor's two parts are computed, block by block, from the peaks in the table that follows, where their intervals and blocks "
    "stand; shown are those of the middle block."
)
_FIT = (
    "The fit is time = overhead + operations / rate over the sizes, with relative errors alike, block by block. The overhead is "
    "what a call costs however small it is; the rate is what large sizes tend to. With few sizes it is a rough guide."
)


_NOT_MEASURED = (
    "This run did not measure the peaks that floors are made of (one large product and one large copy in each library), so no time "
    "stands against its floor here. The profile full measures them."
)
_UNKNOWN = (
    "No time stands against its floor here: no ranked training step or prediction has a block in which its library's large product "
    "and a large copy on its device were timed too."
)


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """Floors, peaks, fits; a sentence where there is no floor."""
    found, peaks = roofline.floors(results), roofline.peaks(results)
    above = _floors(results, found) if found else [Text(_UNKNOWN if peaks else _NOT_MEASURED)]
    blocks = [
        *above,
        *_peaks(results, peaks),
        *_roofline(results, found, peaks),
        *_fits(results, roofline.fits(results)),
    ]
    return Section("why", TITLE, [*blocks, *step_times.blocks(results, heats)])


def _floors(results: Results, found: Sequence[Floor]) -> list[Block]:
    rows = []
    for floor in found:
        cell = floor.entry.cell
        what = f"{wording.phase(cell.phase)}, {wording.size(cell.axes)}"
        parts = [wording.duration(seconds) for seconds in (floor.products_s, floor.bytes_s)]
        measured = [wording.with_interval(floor.entry.time), *parts, wording.percent_with_interval(floor.efficiency)]
        rows.append([results.label(cell.who), what, wording.setting(cell.who), *measured])
    columns = (
        "implementation", "what is timed", "setting", f"#time {_SURE}", "#floor: products", "#floor: bytes", f"#efficiency {_SURE}",
    )  # fmt: skip
    frameworks = [floor.entry.cell.who.framework for floor in found]
    return [
        Text(_conclusion(results, found)),
        *table("Floors", rows, *columns, frameworks=frameworks),
        Text(_FLOOR, "note"),
    ]


def _conclusion(results: Results, found: Sequence[Floor]) -> str:
    """Who comes nearest to its floor, if that is settled: if no other's interval reaches into the nearest one's."""
    steps = [floor for floor in found if floor.entry.cell.phase == "train_step"] or list(found)
    ordered = sorted(steps, key=lambda floor: floor.efficiency.value, reverse=True)
    near = [floor for floor in ordered if floor.efficiency.high >= ordered[0].efficiency.low]
    told = [_nearness(results, floor) for floor in near]
    allowed = "the share of what the library's own rates allow, 95% interval; blocks"
    if ordered[0].efficiency.blocks < MIN_BLOCKS_FOR_VERDICT:
        return f"Nearest to its floor seems {told[0]}, but there are too few blocks for a verdict ({allowed})."
    if len(near) > 1:
        return f"Which is nearest to its floor is not settled: {wording.some(told)} ({allowed})."
    return f"Nearest to its floor is {told[0]} ({allowed})."


def _nearness(results: Results, floor: Floor) -> str:
    cell = floor.entry.cell
    what = f"{wording.phase(cell.phase)} at {wording.size(cell.axes)}, {wording.setting(cell.who)}"
    return f"{results.label(cell.who)} with {wording.percent_with_interval(floor.efficiency)} in the {what}"


def _peaks(results: Results, found: Sequence[Peaks]) -> list[Block]:
    rows = [
        [
            results.label(peak.who), peak.who.precision, wording.count(peak.who.threads, "thread"),
            wording.rate_with_interval(peak.flops_per_s, "FLOP/s"),
            wording.rate_with_interval(peak.bytes_per_s, "B/s") if peak.bytes_per_s else NO_VALUE,
        ]
        for peak in found
    ]  # fmt: skip
    columns = (
        "library of",
        "precision",
        "threads",
        f"#large product {_SURE}",
        f"#large copy, read and written {_SURE}",
    )
    shown = table("What the libraries reach here", rows, *columns, frameworks=[peak.who.framework for peak in found])
    return [Heading("Peaks"), *shown] if shown else []


def _roofline(results: Results, found: Sequence[Floor], peaks: Sequence[Peaks]) -> list[Block]:
    """What training steps attain over their operations per byte, under the roof of the best library and the best copy."""
    by_setting: dict[tuple[str, str, int], list[Floor]] = defaultdict(list)
    for floor in found:
        who = floor.entry.cell.who
        if floor.entry.cell.phase == "train_step" and floor.least_bytes:
            by_setting[who.device, who.precision, who.threads].append(floor)
    blocks: list[Block] = []
    for (device, precision, threads), here in by_setting.items():
        libraries = [peak for peak in peaks if (peak.who.device, peak.who.threads) == (device, threads)]
        rate = max(peak.flops_per_s.value for peak in libraries if peak.who.precision == precision)
        # Memory does not know a precision: a copy in another one will do where this one's is missing.
        copy = max(peak.bytes_per_s.value for peak in libraries if peak.bytes_per_s)
        blocks += [_roof_figure(results, here, rate, copy), *_roof_table(results, here)]
    return blocks


def _roof_figure(results: Results, here: Sequence[Floor], rate: float, copy: float) -> Figure:
    lines: dict[str, list[Floor]] = defaultdict(list)
    for floor in sorted(here, key=_intensity):
        lines[results.label(floor.entry.cell.who)].append(floor)
    drawn = [_line(label, own) for label, own in lines.items()]
    intensities = [_intensity(floor) for floor in here]
    low, high = min(intensities) / 1.5, max(*intensities, rate / copy) * 1.5
    edge = [(x, min(rate, copy * x), None, None) for x in sorted({low, rate / copy, high}) if low <= x <= high]
    roof = plots.Line("roof", "", edge, marked=False)
    ridge = wording.number(rate / copy)
    told = f"Beyond about {ridge} operations per byte the products are the limit, below it the memory."
    how = (
        "How to read this: a point is a training step at one size; up is faster, and nothing gets over the roof (the best library's "
        "large product, the best large copy) unless all it moves fits into a cache. Both axes are logarithmic. Vertical bars are 95% "
        "intervals, cut where they leave the chart. The numbers of the points are in the table that follows, those of the roof in the table of peaks."
    )
    who = here[0].entry.cell.who
    name = wording.slug(f"roofline-{who.device}-{who.precision}-t{who.threads}")
    spec = plots.lines([*drawn, roof], "operations per byte", "operations per second", log=True, unit="/s")
    return Figure(name, spec, f"Roofline, {_roof_of(who)}", told, how)


def _roof_table(results: Results, here: Sequence[Floor]) -> list[Block]:
    """The numbers of the points."""
    rows = []
    for floor in here:
        cell = floor.entry.cell
        numbers = [wording.number(_intensity(floor)), _attained_in_words(floor)]
        rows.append([results.label(cell.who), wording.size(cell.axes), cell.who.mode, *numbers])
    columns = ("implementation", "size", "mode", "#operations per byte", f"#operations per second {_SURE}")
    frameworks = [floor.entry.cell.who.framework for floor in here]
    caption = f"Operations per byte and per second, {_roof_of(here[0].entry.cell.who)}"
    return table(caption, rows, *columns, frameworks=frameworks, folded=True)


def _roof_of(who: Configuration) -> str:
    return f"training step ({who.precision}, {wording.count(who.threads, 'thread')}, {who.device})"


def _line(label: str, own: Sequence[Floor]) -> plots.Line:
    """From few to many operations per byte: attained operations per second, with their interval."""
    points, words = [], []
    for floor in own:
        if attained := _attained(floor):
            ends = (attained.low, attained.high) if attained.blocks > 1 else (None, None)
            points.append((_intensity(floor), attained.value, *ends))
            where = f"{wording.size(floor.entry.cell.axes)}, {wording.number(_intensity(floor))} operations per byte"
            words.append(f"{where}: {_attained_in_words(floor)}")
    return plots.Line(wording.short(label), own[0].entry.cell.who.framework, points, words=words, joined=False)


def _intensity(floor: Floor) -> float:
    """Operations per byte."""
    return floor.flops / floor.least_bytes


def _attained(floor: Floor) -> Estimate | None:
    """Operations per second."""
    time = floor.entry.time
    return time.dividing(floor.flops) if time else None


def _attained_in_words(floor: Floor) -> str:
    attained = _attained(floor)
    return wording.rate_with_interval(attained, "FLOP/s") if attained else NO_VALUE


def _fits(results: Results, found: Sequence[Fit]) -> list[Block]:
    rows = [
        [
            results.label(fit.who), wording.phase(fit.phase), wording.setting(fit.who), str(fit.sizes),
            wording.with_interval(fit.overhead_s) if fit.overhead_s else "none that shows",
            wording.rate_with_interval(fit.flops_per_s, "FLOP/s"),
        ]
        for fit in found
    ]  # fmt: skip
    columns = ("implementation", "what is timed", "setting", "#sizes", f"#overhead {_SURE}", f"#rate {_SURE}")
    shown = table("Overhead and rate", rows, *columns, frameworks=[fit.who.framework for fit in found])
    return [Heading("Overhead and rate"), *shown, Text(_FIT, "note")] if shown else []
