"""Memory and energy: the peak above what was held before, on the host and on the device; joules per sample."""

from collections import defaultdict
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import size_order
from benchmarks.records.record import Energy, Peak, ResourceRecord
from benchmarks.report.document import Block, Bullets, Section, Text, table

_HOW = (
    "Five training steps and a prediction in a process of its own; before is what it held just before. Once each, so without an interval: "
    "differences of a few percent say nothing."
)


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """Host, device, energy: a table of what was counted, and the reasons for what was not."""
    records = sorted(results.resources, key=_reading_order)
    if not records:
        return Section("resources", "Memory and energy", [])
    peaks = ("#peak above before", "#before")
    energy = ("#energy per sample", "#samples", "#counted over (once)")
    host = [(record, record.host, _peak_texts(record.host)) for record in records]
    device = [(record, record.device, _peak_texts(record.device)) for record in records]
    joules = [(record, record.energy, _energy_texts(record.energy)) for record in records]
    blocks: list[Block] = [
        *_readings(results, "Host memory of a training process", peaks, host),
        Text(_HOW, "note"),
        *_readings(results, "Device memory of a training process", peaks, device),
        *_readings(results, "Energy of training, idle included", energy, joules),
    ]
    return Section("resources", "Memory and energy", blocks, _summary(results, records))


def _summary(results: Results, records: Sequence[ResourceRecord]) -> str:
    """The least and the most memory, and whether energy was counted."""
    same_size = _most_at_one_size([record for record in records if record.host.peak_bytes is not None])
    above = {record.who: _above(record.host) for record in same_size}
    joules = (
        "was counted" if any(record.energy.joules is not None for record in records) else "could not be counted here"
    )
    if not above:
        return f"Memory was not counted; energy {joules}."
    least, most = min(above, key=above.__getitem__), max(above, key=above.__getitem__)
    texts = [f"{wording.label(results, who)} {wording.memory(above[who])}" for who in dict.fromkeys((least, most))]
    at = wording.size(same_size[0].axes)
    return f"Host memory that training takes at {at}, above what was held before: {wording.listed(texts, 'to')}. Energy {joules}."


def _most_at_one_size(records: Sequence[ResourceRecord]) -> Sequence[ResourceRecord]:
    """Of those of one precision, number of threads and size the most; the largest size where several have as many."""
    groups: dict[tuple[object, ...], list[ResourceRecord]] = defaultdict(list)
    for record in records:
        groups[record.who.precision, record.who.threads, size_order(record.axes)].append(record)
    return max(reversed(groups.values()), key=len, default=[])


def _above(peak: Peak) -> int:
    return max((peak.peak_bytes or 0) - (peak.before_bytes or 0), 0)


def _readings(
    results: Results,
    caption: str,
    columns: Sequence[str],
    readings: Sequence[tuple[ResourceRecord, Peak | Energy, list[str]]],
) -> list[Block]:
    """A row for each reading that has figures, what counted them, and the reasons where there are none."""
    with_figures = [record for record, _, texts in readings if texts]
    shown = _most_at_one_size(with_figures)
    counted = [(record, reading, texts) for record, reading, texts in readings if record in shown]
    # The setting comes last: it is the same for most, and a narrow screen shows the figures first.
    rows = [[wording.label(results, record.who), *texts, wording.setting(record.who)] for record, _, texts in counted]
    frameworks = [record.who.framework for record, _, _ in counted]
    at = f", {wording.size(shown[0].axes)}" if shown else ""
    by_counter: dict[str, dict[str, None]] = defaultdict(dict)
    for record, reading, _ in counted:
        if reading.counter:
            by_counter[reading.counter][wording.label(results, record.who)] = None
    note = "That of the other sizes is in results.csv." if len(shown) < len(with_figures) else ""
    counters = "; ".join(f"{counter} ({wording.listed(labels)})" for counter, labels in by_counter.items())
    names = ("implementation", *columns, "setting")
    return [
        *table(f"{caption}{at}", rows, *names, once=["setting"], note=note, frameworks=frameworks),
        *([Text(f"Counted by: {counters}.", "note")] if counters else []),
        *_holes(results, caption, [(record, reading.reason) for record, reading, _ in readings]),
    ]


def _peak_texts(peak: Peak) -> list[str]:
    if peak.before_bytes is None or peak.peak_bytes is None:
        return []
    return [wording.memory(count) for count in (_above(peak), peak.before_bytes)]


def _energy_texts(energy: Energy) -> list[str]:
    if energy.joules is None or not energy.samples or energy.elapsed_s is None:
        return []
    per_sample = wording.energy(energy.joules / energy.samples)
    return [per_sample, f"{energy.samples:,}", wording.duration(energy.elapsed_s)]


def _holes(results: Results, caption: str, reasons: Sequence[tuple[ResourceRecord, str]]) -> list[Block]:
    """Each reason once, with whom it concerns."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for record, reason in reasons:
        if reason:
            by_reason[reason].append(f"{wording.label(results, record.who)} ({wording.size(record.axes)})")
    if len(by_reason) == 1 and all(reason for _, reason in reasons):
        return [Text(f"{caption}: there is no number for any implementation, {next(iter(by_reason))}.")]
    items = [f"{wording.listed(who)}: {reason}" for reason, who in by_reason.items()]
    return [Bullets(items)] if items else []


def _reading_order(record: ResourceRecord) -> tuple[object, ...]:
    """By setting and size, then from little memory to much, the holes last."""
    who, host = record.who, record.host
    above = (host.peak_bytes or 0) - (host.before_bytes or 0)
    setting = (who.precision, who.mode, who.threads)
    return (*setting, size_order(record.axes), host.peak_bytes is None, above, who.framework, who.variant)
