"""Memory and energy: the peak above what was held before, on the host and on the device; joules per sample."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from benchmarks import wording
from benchmarks.analysis import memory_capacity
from benchmarks.analysis.memory_capacity import Capacity
from benchmarks.analysis.ranking import Heat
from benchmarks.analysis.results import Results
from benchmarks.records.record import Peak, ResourceRecord
from benchmarks.report.document import Block, Bullets, Heading, Section, Text, table

_HOW = (
    "In a process of its own, in which nothing is timed, each model was built, took five training steps and predicted once. "
    "Before is what the process held just before, when it had trained another model already: the framework itself, whatever "
    "it loads for its first model, and what earlier models left. One process each, so there is no interval, and differences "
    "of a few percent say nothing."
)
_HOW_ESTIMATED = (
    "An estimate, and no such batch was run: for each implementation a line, fixed + per sample × batch, was put through its "
    "peaks above before, and followed, far beyond what was measured, to where it reaches the memory that is left beside "
    "what the process held before. It is rounded down to one digit. Less will fit where anything else needs memory: other "
    "programs, the host's copies of the batches, what no counter sees (a GPU's context, fragments). Nothing is said where "
    f"the peaks do not rise by more than {wording.percent(memory_capacity.RISE)} from the smallest batch to the largest, or rise more "
    "than twice as steeply between some two batches as between others."
)


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """Host, device, energy: a table of what was counted, and the reasons for what was not."""
    found = sorted(results.resources, key=_reading_order)
    if not found:
        told = "Memory and energy were not measured: no training step was timed, or the run ended before."
        return Section("resources", "Memory and energy", [Text(told)])
    blocks: list[Block] = [
        Heading("Memory of the host"),
        *_peaks(results, "Host memory of a training process", found, lambda record: record.host),
        Text(_HOW, "note"),
        *_capacities(results, _fits_into(results), memory_capacity.host(found, results.environment)),
        Heading("Memory of the device"),
        *_peaks(results, "Device memory of a training process", found, lambda record: record.device),
        *_capacities(results, "the GPU's memory", memory_capacity.device(found, results.environment)),
        Heading("Energy"),
        *_energy(results, found),
    ]
    return Section("resources", "Memory and energy", blocks)


def _peaks(
    results: Results, caption: str, found: Sequence[ResourceRecord], of: Callable[[ResourceRecord], Peak]
) -> list[Block]:
    rows, frameworks, counters = [], [], []
    for record in found:
        before, peak = of(record).before_bytes, of(record).peak_bytes
        if before is not None and peak is not None:
            shown = [wording.memory(max(peak - before, 0)), wording.memory(before), wording.memory(peak)]
            rows.append(_row(results, record, shown))
            frameworks.append(record.who.framework)
            counters.append((results.label(record.who), of(record).counter))
    columns = ("implementation", "size", "#peak above before", "#before", "#peak", "setting")
    return [
        *table(caption, rows, *columns, frameworks=frameworks),
        *_counted_by(counters),
        *_holes(results, [(record, of(record).reason) for record in found]),
    ]


def _fits_into(results: Results) -> str:
    amount = memory_capacity.machine_bytes(results.environment)
    return "the machine's memory" + (f" of {wording.memory(amount)}" if amount else "")


def _capacities(results: Results, memory: str, found: Sequence[Capacity]) -> list[Block]:
    """The largest batch that would fit, or why that cannot be said."""
    if all(len(one.measured) < 2 for one in found):
        told = "The largest batch that would fit cannot be estimated: every peak was measured at one batch only."
        return [Text(told)] if found else []
    rows = [
        [
            results.label(one.who),
            wording.size(one.axes) if one.axes else wording.NO_VALUE,
            _about(one),
            wording.memory(one.per_sample_bytes) if one.per_sample_bytes else wording.NO_VALUE,
            wording.listed(map(str, one.measured)),
            wording.setting(one.who),
        ]
        for one in found
    ]
    columns = (
        "implementation",
        "size",
        "largest batch (estimate)",
        "#memory per sample",
        "measured at batch",
        "setting",
    )
    caption = f"The largest batch that would fit into {memory}: extrapolated, not run"
    frameworks = [one.who.framework for one in found]
    return [*table(caption, rows, *columns, frameworks=frameworks), Text(_HOW_ESTIMATED, "note")]


def _about(one: Capacity) -> str:
    return f"cannot be said: {one.reason}" if one.batch is None else wording.Quantity(f"about {one.batch:,}", one.batch)


def _energy(results: Results, found: Sequence[ResourceRecord]) -> list[Block]:
    rows, frameworks, counters = [], [], []
    for record in found:
        energy = record.energy
        if energy.joules is not None and energy.samples and energy.elapsed_s is not None:
            shown = [wording.energy(energy.joules / energy.samples), f"{energy.samples:,}"]
            rows.append(_row(results, record, [*shown, wording.duration(energy.elapsed_s)]))
            frameworks.append(record.who.framework)
            counters.append((results.label(record.who), energy.counter))
    columns = ("implementation", "size", "#energy per sample", "#samples", "#counted over (once)", "setting")
    counted = table("Energy of training, idle included", rows, *columns, frameworks=frameworks)
    return [*counted, *_counted_by(counters), *_holes(results, [(record, record.energy.reason) for record in found])]


def _counted_by(counters: Iterable[tuple[str, str]]) -> list[Block]:
    """What counted, and for whom."""
    by_counter: dict[str, list[str]] = defaultdict(list)
    for label, counter in counters:
        if counter and label not in by_counter[counter]:
            by_counter[counter].append(label)
    told = "; ".join(f"{counter} ({wording.listed(labels)})" for counter, labels in by_counter.items())
    return [Text(f"Counted by: {told}.", "note")] if told else []


def _holes(results: Results, reasons: Sequence[tuple[ResourceRecord, str]]) -> list[Block]:
    """Each reason once, with whom it concerns."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for record, reason in reasons:
        if reason:
            by_reason[reason].append(f"{results.label(record.who)} ({wording.size(record.axes)})")
    if len(by_reason) == 1 and all(reason for _, reason in reasons):
        return [Text(f"There is no number for any implementation: {next(iter(by_reason))}.")]
    items = [f"{wording.listed(who)}: {reason}" for reason, who in by_reason.items()]
    return [Bullets(items)] if items else []


def _row(results: Results, record: ResourceRecord, figures: Sequence[str]) -> list[str]:
    """The setting comes last: it is the same for most, and a narrow screen shows the figures first."""
    return [results.label(record.who), wording.size(record.axes), *figures, wording.setting(record.who)]


def _reading_order(record: ResourceRecord) -> tuple[object, ...]:
    """By setting and size, then from little memory to much, the holes last."""
    who, host = record.who, record.host
    above = (host.peak_bytes or 0) - (host.before_bytes or 0)
    setting = (who.precision, who.mode, who.threads)
    return (*setting, sorted(record.axes.items()), host.peak_bytes is None, above, who.framework, who.variant)
