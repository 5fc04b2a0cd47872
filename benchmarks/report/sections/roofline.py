"""Why? Every time against its floor; each library's peaks; overhead and rate over the sizes; where a step spends its time."""

from collections import defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import roofline
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.analysis.roofline import Fit, Floor, Peaks
from benchmarks.records.record import Configuration
from benchmarks.report import plots
from benchmarks.report.document import Block, Figure, Section, table
from benchmarks.report.sections import step_times
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.wording import NO_VALUE

_SURE = f"({wording.SURE})"
TITLE = "Why?"
_FLOOR = (
    "The floor: the call's matrix products at the rate of one large product in the same library, and its least bytes at the speed of the "
    "best large copy here, in the middle block. Efficiency is floor over time. It can pass 100% where all that moves fits into a cache."
)
_LESS = " A convolution may be computed with less arithmetic than its matrix products (Winograd, FFT), so a library may beat the floor."
_FIT = "time = overhead + operations / rate over the sizes, block by block. With few sizes it is a rough guide."


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """Where a step spends its time; what a call costs before any work, and floors and peaks where they were measured."""
    floors, peaks = roofline.floors(results), roofline.peaks(results)
    blocks = [*step_times.blocks(results, groups), *_fits(results, roofline.fits(results))]
    blocks += [*_floors(results, floors), *_peaks(results, peaks), *_roofline(results, floors, peaks)]
    summaries = [step_times.summary(results), _conclusion(results, floors) if floors else ""]
    if not blocks:
        summaries = ["Nothing was measured that would say why."]
    return Section("why", TITLE, blocks, " ".join(filter(None, summaries)))


def _floors(results: Results, floors: Sequence[Floor]) -> list[Block]:
    rows = []
    for floor in floors:
        cell = floor.entry.cell
        timed = wording.timed(cell.phase, cell.axes)
        parts = [wording.duration(seconds) for seconds in (floor.products_s, floor.bytes_s)]
        measured = [wording.with_interval(floor.entry.time), *parts, wording.percent_with_interval(floor.efficiency)]
        rows.append([wording.label(results, cell.who), timed, wording.setting(cell.who), *measured])
    columns = (
        "implementation", "what is timed", "setting", f"#time {_SURE}", "#floor: products", "#floor: bytes", f"#efficiency {_SURE}",
    )  # fmt: skip
    frameworks = [floor.entry.cell.who.framework for floor in floors]
    return table("Floors", rows, *columns, once=["setting"], frameworks=frameworks, note=_FLOOR + _less(floors))


def _less(floors: Sequence[Floor]) -> str:
    """What is to be said of floors that are not the least that a call can take."""
    return _LESS if any(floor.can_be_beaten for floor in floors) else ""


def _conclusion(results: Results, floors: Sequence[Floor]) -> str:
    """Who comes nearest to its floor, if that is settled: if no other's interval reaches into the nearest one's."""
    steps = [floor for floor in floors if floor.entry.cell.phase == "train_step"] or list(floors)
    ordered = sorted(steps, key=lambda floor: floor.efficiency.value, reverse=True)
    near = [floor for floor in ordered if floor.efficiency.high >= ordered[0].efficiency.low]
    nearest = [_nearness(results, floor) for floor in near]
    allowed = f"the share of what the library's own rates allow, {wording.SURE}"
    if ordered[0].efficiency.blocks < MIN_BLOCKS_FOR_VERDICT:
        return f"Nearest to its floor seems {nearest[0]}, but there are too few blocks for a verdict ({allowed})."
    if len(near) > 1:
        return f"Which is nearest to its floor is not settled: {wording.some(nearest)} ({allowed})."
    return f"Nearest to its floor is {nearest[0]} ({allowed})."


def _nearness(results: Results, floor: Floor) -> str:
    cell = floor.entry.cell
    timed = f"{wording.phase(cell.phase)} at {wording.size(cell.axes)}, {wording.setting(cell.who)}"
    return f"{wording.label(results, cell.who)} with {wording.percent_with_interval(floor.efficiency)} in the {timed}"


def _peaks(results: Results, peaks: Sequence[Peaks]) -> list[Block]:
    rows = [
        [
            wording.label(results, peak.who), peak.who.precision, wording.count(peak.who.threads, "thread"),
            wording.rate_with_interval(peak.flops_per_s, "FLOP/s"),
            wording.rate_with_interval(peak.bytes_per_s, "B/s") if peak.bytes_per_s else NO_VALUE,
        ]
        for peak in peaks
    ]  # fmt: skip
    columns = ["library of", "precision", "threads"]
    columns += [f"#large product {_SURE}", f"#large copy, read and written {_SURE}"]
    frameworks = [peak.who.framework for peak in peaks]
    return table("What the libraries reach here", rows, *columns, once=["precision", "threads"], frameworks=frameworks)


def _roofline(results: Results, floors: Sequence[Floor], peaks: Sequence[Peaks]) -> list[Block]:
    """What training steps attain over their operations per byte, under the roof of the best library and the best copy."""
    by_setting: dict[tuple[str, str, int], list[Floor]] = defaultdict(list)
    for floor in floors:
        who = floor.entry.cell.who
        if floor.entry.cell.phase == "train_step" and floor.least_bytes:
            by_setting[who.device, who.precision, who.threads].append(floor)
    blocks: list[Block] = []
    for (device, precision, threads), same_setting in by_setting.items():
        libraries = [peak for peak in peaks if (peak.who.device, peak.who.threads) == (device, threads)]
        rate = max(peak.flops_per_s.value for peak in libraries if peak.who.precision == precision)
        # Memory does not know a precision: a copy in another one will do where this one's is missing.
        copy = max(peak.bytes_per_s.value for peak in libraries if peak.bytes_per_s)
        blocks += [_roof_figure(results, same_setting, rate, copy), *_roof_table(results, same_setting)]
    return blocks


def _roof_figure(results: Results, floors: Sequence[Floor], rate: float, copy: float) -> Figure:
    lines: dict[str, list[Floor]] = defaultdict(list)
    for floor in sorted(floors, key=lambda floor: floor.intensity):
        lines[wording.label(results, floor.entry.cell.who)].append(floor)
    drawn = [_line(label, same_label) for label, same_label in lines.items()]
    intensities = [floor.intensity for floor in floors]
    low, high = min(intensities) / 1.5, max(*intensities, rate / copy) * 1.5
    edge = [(x, min(rate, copy * x), None, None) for x in sorted({low, rate / copy, high}) if low <= x <= high]
    roof = plots.Line("roof", "", edge, marked=False)
    ridge = wording.number(rate / copy)
    conclusion = f"Beyond about {ridge} operations per byte the products are the limit, below it the memory."
    how_to_read = (
        "How to read this: a point is a training step at one size; up is faster, and nothing gets over the roof (the best library's "
        "large product, the best large copy) unless all it moves fits into a cache. Both axes are logarithmic. Vertical bars are 95% "
        "intervals, cut where they leave the chart. The numbers of the points are in the table that follows, those of the roof in the table of peaks."
    ) + _less(floors)
    who = floors[0].entry.cell.who
    name = wording.slug(f"roofline-{who.device}-{who.precision}-t{who.threads}")
    spec = plots.lines([*drawn, roof], "operations per byte", "operations per second", log=True, unit="/s")
    return Figure(name, spec, f"Roofline, {_roof_of(who)}", conclusion, how_to_read)


def _roof_table(results: Results, floors: Sequence[Floor]) -> list[Block]:
    """The numbers of the points."""
    rows = []
    for floor in floors:
        cell = floor.entry.cell
        numbers = [wording.number(floor.intensity), wording.rate_with_interval(floor.attained, "FLOP/s")]
        rows.append([wording.label(results, cell.who), wording.size(cell.axes), cell.who.mode, *numbers])
    columns = ("implementation", "size", "mode", "#operations per byte", f"#operations per second {_SURE}")
    frameworks = [floor.entry.cell.who.framework for floor in floors]
    caption = f"Operations per byte and per second, {_roof_of(floors[0].entry.cell.who)}"
    return table(caption, rows, *columns, frameworks=frameworks, folded=True)


def _roof_of(who: Configuration) -> str:
    return f"training step ({who.precision}, {wording.count(who.threads, 'thread')}, {who.device})"


def _line(label: str, floors: Sequence[Floor]) -> plots.Line:
    """From few to many operations per byte: attained operations per second, with their interval."""
    points, words = [], []
    for floor in floors:
        points.append((floor.intensity, floor.attained.value, *floor.attained.interval))
        where = f"{wording.size(floor.entry.cell.axes)}, {wording.number(floor.intensity)} operations per byte"
        words.append(f"{where}: {wording.rate_with_interval(floor.attained, 'FLOP/s')}")
    return plots.Line(wording.short(label), floors[0].entry.cell.who.framework, points, words=words, joined=False)


def _fits(results: Results, fits: Sequence[Fit]) -> list[Block]:
    steps = [fit for fit in fits if fit.phase == "train_step"]
    rows = [
        [
            wording.label(results, fit.who), wording.setting(fit.who), str(fit.sizes),
            wording.with_interval(fit.overhead_s) if fit.overhead_s else "none that shows",
            wording.rate_with_interval(fit.flops_per_s, "FLOP/s"),
        ]
        for fit in steps
    ]  # fmt: skip
    columns = ("implementation", "setting", "#sizes", f"#overhead {_SURE}", f"#rate {_SURE}")
    frameworks = [fit.who.framework for fit in steps]
    return table(
        "Overhead and rate of training steps", rows, *columns, once=["setting"], frameworks=frameworks, note=_FIT
    )
