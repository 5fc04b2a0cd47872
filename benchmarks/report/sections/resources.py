"""Memory and energy: the peak above what was held before, on the host and on the device; joules per sample."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from benchmarks.record import Peak, ResourceRecord
from benchmarks.report import wording
from benchmarks.report.document import Block, Bullets, Heading, Section, Text, table
from benchmarks.report.ranking import Heat
from benchmarks.report.results import Results

_HOW = (
    "In a process of its own, in which nothing is timed, each model was built, took five training steps and predicted once. "
    "Before is what the process held just before, when it had trained another model already: the framework itself, whatever "
    "it loads for its first model, and what earlier models left. One process each, so there is no interval, and differences "
    "of a few percent say nothing."
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
        Heading("Memory of the device"),
        *_peaks(results, "Device memory of a training process", found, lambda record: record.device),
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


def _energy(results: Results, found: Sequence[ResourceRecord]) -> list[Block]:
    rows, frameworks, counters = [], [], []
    for record in found:
        energy = record.energy
        if energy.joules is not None and energy.samples and energy.elapsed_s is not None:
            shown = [wording.energy(energy.joules / energy.samples), f"{energy.samples:,}"]
            rows.append(_row(results, record, [*shown, wording.duration(energy.elapsed_s)]))
            frameworks.append(record.who.framework)
            counters.append((results.label(record.who), energy.counter))
    columns = ("implementation", "size", "#energy per sample", "#samples", "#over", "setting")
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
        return [Text(f"There is no number: {next(iter(by_reason))}.")]
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
