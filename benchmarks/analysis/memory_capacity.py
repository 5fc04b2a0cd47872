"""The largest batch that would fit into a device's memory: an estimate from measured peaks, not a measurement.

A line through the peaks, fixed + per sample * batch, is followed to where it reaches the memory that is there. That is
far beyond what was run, so where the peaks do not lie on a line there is a reason, and no number.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import linear_regression
from typing import Any

from benchmarks.analysis import machine_facts
from benchmarks.records.configuration import Axes, numbers
from benchmarks.records.record import Configuration, Peak, ResourceRecord

AXIS = "batch"
RISE = 0.2
"""Of the largest peak: what the peaks must rise by more than. Less may be noise, for each was measured once."""

BEND = 2.0
"""How many times as steep as another a stretch between two batches may be."""

PeakOf = Callable[[ResourceRecord], Peak]


@dataclass(frozen=True)
class Capacity:
    """Of one implementation at a size without its batch; either `batch` or a `reason`."""

    who: Configuration
    axes: Axes
    batch: int | None = None
    """Rounded down to one digit, but not below what was measured."""

    reason: str = ""


def host(records: Iterable[ResourceRecord], facts: Mapping[str, Any]) -> list[Capacity]:
    """Of what runs on the CPU, in the machine's memory."""
    on_cpu = [record for record in records if not _on_gpu(record)]
    return _capacities(on_cpu, lambda record: record.host, lambda who: machine_bytes(facts))


def device(records: Iterable[ResourceRecord], facts: Mapping[str, Any]) -> list[Capacity]:
    """Of what runs on a GPU, in that GPU's memory."""
    on_gpu = [record for record in records if _on_gpu(record)]
    return _capacities(on_gpu, lambda record: record.device, lambda who: gpu_bytes(facts, who.device))


def machine_bytes(facts: Mapping[str, Any]) -> int | None:
    """The machine's memory, if the run wrote it down."""
    memory_bytes = facts.get("memory_bytes")
    return memory_bytes if isinstance(memory_bytes, int) and memory_bytes > 0 else None


def gpu_bytes(facts: Mapping[str, Any], name: str) -> int | None:
    """The memory of `cuda:1`, if the run wrote it down: "81559 MiB"."""
    index, gpus = name.partition(":")[2] or "0", machine_facts.gpus(facts)
    facts_of_gpu = gpus[int(index)] if index.isdigit() and int(index) < len(gpus) else []
    amount, _, unit = facts_of_gpu[2].partition(" ") if len(facts_of_gpu) > 2 else ("", "", "")
    return int(amount) * 2**20 if amount.isdigit() and unit == "MiB" else None


def _on_gpu(record: ResourceRecord) -> bool:
    return record.who.device.startswith("cuda")


def _capacities(
    records: Iterable[ResourceRecord], peak_of: PeakOf, memory_bytes: Callable[[Configuration], int | None]
) -> list[Capacity]:
    """One for each implementation and size without its batch, in the order of the records."""
    groups: dict[tuple[Configuration, tuple[tuple[str, int | str], ...]], dict[int, Peak]] = defaultdict(dict)
    for record in records:
        other_axes = tuple(sorted((name, value) for name, value in record.axes.items() if name != AXIS))
        if AXIS in numbers(record.axes) and peak_of(record).peak_bytes is not None:
            groups[record.who, other_axes][numbers(record.axes)[AXIS]] = peak_of(record)
    return [_capacity(who, dict(other_axes), peaks, memory_bytes(who)) for (who, other_axes), peaks in groups.items()]


def _capacity(who: Configuration, axes: Axes, peaks: Mapping[int, Peak], memory_bytes: int | None) -> Capacity:
    batches = tuple(sorted(peaks))
    before = [peaks[batch].before_bytes or 0 for batch in batches]
    above = [max((peaks[batch].peak_bytes or 0) - held, 0) for batch, held in zip(batches, before, strict=True)]
    if reason := _reason(batches, above, memory_bytes):
        return Capacity(who, axes, reason=reason)
    per_sample, fixed = linear_regression(batches, above)
    fits = ((memory_bytes or 0) - max(before) - fixed) / per_sample
    return Capacity(who, axes, max(_one_digit(fits), batches[-1]))


def _reason(batches: tuple[int, ...], above: list[int], memory_bytes: int | None) -> str:
    """Why there is no estimate, or nothing."""
    if len(batches) < 2:
        return "measured at one batch only"
    if memory_bytes is None:
        return "how much memory there is was not written down"
    if above[-1] - above[0] <= RISE * max(above):
        return "the peak does not grow with the batch beyond noise"
    steps = [
        (high - low) / (larger - smaller)
        for (smaller, larger), (low, high) in zip(itertools.pairwise(batches), itertools.pairwise(above), strict=True)
    ]
    if min(steps) <= 0 or max(steps) > BEND * min(steps):
        return "the peaks do not lie on a line"
    return ""


def _one_digit(value: float) -> int:
    """Rounded down: 4,886,000 to 4,000,000."""
    whole = int(value)
    unit: int = 10 ** (len(str(whole)) - 1)
    return whole // unit * unit
