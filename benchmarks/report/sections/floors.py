"""Why? Every time against its floor; each library's peaks; overhead and rate over the sizes; where a step spends its time."""

from collections.abc import Sequence

from benchmarks.report import floors, plots, wording
from benchmarks.report.document import Block, Figure, Heading, Section, Text, table
from benchmarks.report.floors import Fit, Floor, Peaks
from benchmarks.report.ranking import Heat
from benchmarks.report.results import Results
from benchmarks.report.sections import stepwise
from benchmarks.report.wording import NO_VALUE

TITLE = "Why? Times against their floors"
_FLOOR = (
    "The floor is the time of the call's matrix products at the rate of one large product in the same framework's library, "
    "and of its least bytes (the state read and written once, the batch read) at the speed of the best large copy here. Efficiency "
    "is floor over time: what is missing to 100% is other arithmetic, memory moved more than once, small products that run "
    "below the library's full rate, and the framework's own overhead. It can pass 100% where all that moves fits into a cache."
)
_FIT = (
    "The fit is time = overhead + operations / rate over the sizes, with relative errors alike, block by block. The overhead is "
    "what a call costs however small it is; the rate is what large sizes tend to. With few sizes it is a rough guide."
)


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """Peaks, floors, fits; a sentence where a run did not measure them."""
    blocks = [*_floors(results, floors.floors(results)), *_peaks(results, floors.peaks(results))]
    blocks += [*_roofline(results), *_fits(results, floors.fits(results))]
    measured = blocks or [Text("This run did not measure the peaks that floors are made of.")]
    return Section("why", TITLE, [*measured, *stepwise.blocks(results, heats)])


def _floors(results: Results, found: Sequence[Floor]) -> list[Block]:
    if not found:
        return []
    rows = []
    for floor in found:
        cell = floor.entry.cell
        what = f"{wording.phase(cell.phase)}, {wording.size(cell.axes)}"
        parts = [wording.duration(seconds) for seconds in (floor.products_s, floor.bytes_s)]
        share = floor.efficiency
        interval = f"{wording.percent(share.low)} to {wording.percent(share.high)}" if share.blocks > 1 else NO_VALUE
        measured = [wording.with_interval(floor.entry.time), *parts, wording.percent(share.value), interval]
        rows.append([results.label(cell.who), what, wording.setting(cell.who), *measured])
    columns = (
        "implementation", "what is timed", "setting", "#time (95% interval; blocks)", "#floor: products", "#floor: bytes", "#efficiency", "#95% interval",
    )  # fmt: skip
    frameworks = [floor.entry.cell.who.framework for floor in found]
    return [
        Text(_conclusion(results, found)),
        *table("Floors", rows, *columns, frameworks=frameworks),
        Text(_FLOOR, "note"),
    ]


def _conclusion(results: Results, found: Sequence[Floor]) -> str:
    """Who comes nearest to its floor."""
    steps = [floor for floor in found if floor.entry.cell.phase == "train_step"] or list(found)
    best = max(steps, key=lambda floor: floor.efficiency.value)
    cell = best.entry.cell
    return (
        f"Nearest to its floor is {results.label(cell.who)} ({wording.phase(cell.phase)} at {wording.size(cell.axes)}, "
        f"{wording.setting(cell.who)}): {wording.percent(best.efficiency.value)} of what its library's own rates allow."
    )


def _peaks(results: Results, found: Sequence[Peaks]) -> list[Block]:
    rows = [
        [
            results.label(peak.who), peak.who.precision, wording.count(peak.who.threads, "thread"),
            wording.rate(peak.flops_per_s.value, "FLOP/s"), str(peak.flops_per_s.blocks),
            wording.rate(peak.bytes_per_s.value, "B/s") if peak.bytes_per_s else NO_VALUE,
        ]
        for peak in found
    ]  # fmt: skip
    columns = ("library of", "precision", "threads", "#large product", "#blocks", "#large copy, read and written")
    shown = table("What the libraries reach here", rows, *columns, frameworks=[peak.who.framework for peak in found])
    return [Heading("Peaks"), *shown] if shown else []


def _roofline(results: Results) -> list[Block]:
    """What training steps attain over their operations per byte, under the roof of the best library and the best copy."""
    steps = [floor for floor in floors.floors(results) if floor.entry.cell.phase == "train_step" and floor.least_bytes]
    blocks: list[Block] = []
    for who in dict.fromkeys(
        (f.entry.cell.who.device, f.entry.cell.who.precision, f.entry.cell.who.threads) for f in steps
    ):
        here = [
            f for f in steps if (f.entry.cell.who.device, f.entry.cell.who.precision, f.entry.cell.who.threads) == who
        ]
        peaks = [p for p in floors.peaks(results) if (p.who.device, p.who.precision, p.who.threads) == who]
        rate = max(peak.flops_per_s.value for peak in peaks)
        copy = max(peak.bytes_per_s.value for peak in peaks if peak.bytes_per_s)
        blocks += _roof_figure(results, here, rate, copy)
    return blocks


def _roof_figure(results: Results, here: Sequence[Floor], rate: float, copy: float) -> list[Block]:
    lines: dict[str, list[Floor]] = {}
    for floor in here:
        lines.setdefault(results.label(floor.entry.cell.who), []).append(floor)
    drawn = [
        plots.Line(wording.short(label), own[0].entry.cell.who.framework, _points(own)) for label, own in lines.items()
    ]
    intensities = [floor.flops / floor.least_bytes for floor in here]
    low, high = min(intensities) / 1.5, max(*intensities, rate / copy) * 1.5
    edge = [(x, min(rate, copy * x), None, None) for x in sorted({low, rate / copy, high}) if low <= x <= high]
    roof = plots.Line("roof", "", edge, marked=False)
    who = here[0].entry.cell.who
    ridge = wording.number(rate / copy)
    told = f"Beyond {ridge} operations per byte the products are the limit, below it the memory."
    how = (
        "How to read this: a point is a training step at one size; up is faster, and nothing gets over the roof (the best library's "
        "large product, the best large copy) unless all it moves fits into a cache. Both axes are logarithmic. The numbers are in the table of floors."
    )
    name = wording.slug(f"roofline-{who.device}-{who.precision}-t{who.threads}")
    spec = plots.lines([*drawn, roof], "operations per byte", "operations per second", log=True, unit="/s")
    title = f"Roofline, training step ({who.precision}, {wording.count(who.threads, 'thread')}, {who.device})"
    return [Figure(name, spec, title, told, how)]


def _points(own: Sequence[Floor]) -> list[tuple[float, float, float | None, float | None]]:
    """From few to many operations per byte: attained operations per second, with its interval."""
    found = []
    for floor in sorted(own, key=lambda floor: floor.flops / floor.least_bytes):
        time = floor.entry.time
        if time is not None:
            ends = (
                (floor.flops / time.high, floor.flops / time.low) if time.blocks > 1 and time.low > 0 else (None, None)
            )
            found.append((floor.flops / floor.least_bytes, floor.flops / time.value, *ends))
    return found


def _fits(results: Results, found: Sequence[Fit]) -> list[Block]:
    rows = [
        [
            results.label(fit.who), wording.phase(fit.phase), wording.setting(fit.who), str(fit.sizes),
            *_with_interval(fit),
        ]
        for fit in found
    ]  # fmt: skip
    columns = ("implementation", "what is timed", "setting", "#sizes", "#overhead", "#95% interval", "#rate")
    shown = table("Overhead and rate", rows, *columns, frameworks=[fit.who.framework for fit in found])
    return [Heading("Overhead and rate"), *shown, Text(_FIT, "note")] if shown else []


def _with_interval(fit: Fit) -> list[str]:
    rate = wording.rate(fit.flops_per_s.value, "FLOP/s")
    if fit.overhead_s is None:
        return ["none that shows", NO_VALUE, rate]
    return [wording.duration(fit.overhead_s.value), wording.duration_interval(fit.overhead_s), rate]
