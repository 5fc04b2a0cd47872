"""Memory and energy: the peak above what was held before, on the host and on the device; joules per sample."""

from collections import defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import memory_capacity
from benchmarks.analysis.memory_capacity import Capacity
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.records.record import Energy, Peak, ResourceRecord
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


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """Host, device, energy: a table of what was counted, and the reasons for what was not."""
    records, facts = sorted(results.resources, key=_reading_order), results.environment
    if not records:
        why = "Memory and energy were not measured: no training step was timed, or the run ended before."
        return Section("resources", "Memory and energy", [Text(why)])
    peaks = ("#peak above before", "#before", "#peak")
    energy = ("#energy per sample", "#samples", "#counted over (once)")
    host = [(record, record.host, _peak_texts(record.host)) for record in records]
    device = [(record, record.device, _peak_texts(record.device)) for record in records]
    joules = [(record, record.energy, _energy_texts(record.energy)) for record in records]
    amount = memory_capacity.machine_bytes(facts)
    machine = "the machine's memory" + (f" of {wording.memory(amount)}" if amount else "")
    blocks: list[Block] = [
        Heading("Memory of the host"),
        *_readings(results, "Host memory of a training process", peaks, host),
        Text(_HOW, "note"),
        *_capacities(results, machine, memory_capacity.host(records, facts)),
        Heading("Memory of the device"),
        *_readings(results, "Device memory of a training process", peaks, device),
        *_capacities(results, "the GPU's memory", memory_capacity.device(records, facts)),
        Heading("Energy"),
        *_readings(results, "Energy of training, idle included", energy, joules),
    ]
    return Section("resources", "Memory and energy", blocks)


def _readings(
    results: Results,
    caption: str,
    columns: Sequence[str],
    readings: Sequence[tuple[ResourceRecord, Peak | Energy, list[str]]],
) -> list[Block]:
    """A row for each reading that has figures, what counted them, and the reasons where there are none."""
    counted = [(record, reading, texts) for record, reading, texts in readings if texts]
    # The setting comes last: it is the same for most, and a narrow screen shows the figures first.
    rows = [
        [wording.label(results, record.who), wording.size(record.axes), *texts, wording.setting(record.who)]
        for record, _, texts in counted
    ]
    frameworks = [record.who.framework for record, _, _ in counted]
    by_counter: dict[str, dict[str, None]] = defaultdict(dict)
    for record, reading, _ in counted:
        if reading.counter:
            by_counter[reading.counter][wording.label(results, record.who)] = None
    counters = "; ".join(f"{counter} ({wording.listed(labels)})" for counter, labels in by_counter.items())
    return [
        *table(caption, rows, "implementation", "size", *columns, "setting", frameworks=frameworks),
        *([Text(f"Counted by: {counters}.", "note")] if counters else []),
        *_holes(results, [(record, reading.reason) for record, reading, _ in readings]),
    ]


def _peak_texts(peak: Peak) -> list[str]:
    if peak.before_bytes is None or peak.peak_bytes is None:
        return []
    above = max(peak.peak_bytes - peak.before_bytes, 0)
    return [wording.memory(count) for count in (above, peak.before_bytes, peak.peak_bytes)]


def _energy_texts(energy: Energy) -> list[str]:
    if energy.joules is None or not energy.samples or energy.elapsed_s is None:
        return []
    per_sample = wording.energy(energy.joules / energy.samples)
    return [per_sample, f"{energy.samples:,}", wording.duration(energy.elapsed_s)]


def _capacities(results: Results, memory: str, capacities: Sequence[Capacity]) -> list[Block]:
    """The largest batch that would fit, or why that cannot be said."""
    if all(len(capacity.measured) < 2 for capacity in capacities):
        why = "The largest batch that would fit cannot be estimated: every peak was measured at one batch only."
        return [Text(why)] if capacities else []
    rows = [
        [
            wording.label(results, capacity.who),
            wording.size(capacity.axes) if capacity.axes else wording.NO_VALUE,
            wording.Quantity(f"about {capacity.batch:,}", capacity.batch)
            if capacity.batch is not None
            else f"cannot be said: {capacity.reason}",
            wording.memory(capacity.per_sample_bytes) if capacity.per_sample_bytes else wording.NO_VALUE,
            wording.listed(map(str, capacity.measured)),
            wording.setting(capacity.who),
        ]
        for capacity in capacities
    ]
    columns = [
        "implementation",
        "size",
        "largest batch (estimate)",
        "#memory per sample",
        "measured at batch",
        "setting",
    ]
    caption = f"The largest batch that would fit into {memory}: extrapolated, not run"
    frameworks = [capacity.who.framework for capacity in capacities]
    return table(caption, rows, *columns, frameworks=frameworks, note=_HOW_ESTIMATED)


def _holes(results: Results, reasons: Sequence[tuple[ResourceRecord, str]]) -> list[Block]:
    """Each reason once, with whom it concerns."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for record, reason in reasons:
        if reason:
            by_reason[reason].append(f"{wording.label(results, record.who)} ({wording.size(record.axes)})")
    if len(by_reason) == 1 and all(reason for _, reason in reasons):
        return [Text(f"There is no number for any implementation: {next(iter(by_reason))}.")]
    items = [f"{wording.listed(who)}: {reason}" for reason, who in by_reason.items()]
    return [Bullets(items)] if items else []


def _reading_order(record: ResourceRecord) -> tuple[object, ...]:
    """By setting and size, then from little memory to much, the holes last."""
    who, host = record.who, record.host
    above = (host.peak_bytes or 0) - (host.before_bytes or 0)
    setting = (who.precision, who.mode, who.threads)
    return (*setting, sorted(record.axes.items()), host.peak_bytes is None, above, who.framework, who.variant)
