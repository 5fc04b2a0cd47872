"""Fairness: what is equal and what differs between the implementations, and what the comparison holds fixed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks import wording
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.plan.schedule import implementation_of
from benchmarks.records.record import Configuration, TimingRecord, WorkerRecord
from benchmarks.report.document import Block, Section, Text, table
from benchmarks.wording import NO_VALUE

ASKED = ("precision", "mode", "threads", "variant", "device")
"""What was asked for; a process may report the same again among its flags."""

_PROMISE = (
    "Same specification, weights, batches, optimizer equation, timed region and float policy for all; nothing is rerun to find the lowest. Whatever "
    "is not the same is a row here."
)
_KERAS = "Keras's train_on_batch (plain mode) returns the loss as a Python number and so waits for the device at each step; others may run ahead."


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """What the processes reported about themselves, then variants and conventions."""
    waits = any(e.cell.who.framework.startswith("keras") and e.cell.who.mode == "plain" for e in results.entries)
    note: list[Block] = [Text(_KERAS, "note")] if waits else []
    blocks = [*_differences(results), *note, *_variants(results)]
    return Section("fairness", "Is it fair?", blocks, _PROMISE)


def _differences(results: Results) -> list[Block]:
    whos: dict[str, list[Configuration]] = defaultdict(list)
    workers: dict[str, list[WorkerRecord]] = defaultdict(list)
    variants: dict[Configuration, list[Configuration]] = defaultdict(list)
    for who in dict.fromkeys(entry.cell.who for entry in results.entries):
        whos[wording.label(results, who)].append(who)
        variants[implementation_of(who)].append(who)
    for worker in results.workers:
        for who in variants[worker.who] or [worker.who]:
            workers[wording.label(results, who)].append(worker)
    labels = list(dict.fromkeys([*whos, *workers]))
    facts = [
        (name, said)
        for name, said in (*_facts(whos, workers), _cores_busy(results), *_kernels(results))
        if any(said.values())
    ]
    rows = [_compared(name, [by_label.get(label, "") for label in labels]) for name, by_label in facts]
    equal = [what for what, equality, *_ in rows if equality.startswith("equal")]
    differing = [[what, *values] for what, equality, *values in rows if not equality.startswith("equal")]
    told: list[Block] = [Text(f"Equal in all that say it: {wording.listed(equal)}.")] if equal and labels else []
    return [*told, *table("What differs", differing if labels else [], "what", *labels)]


def _facts(
    whos: Mapping[str, Sequence[Configuration]], workers: Mapping[str, Sequence[WorkerRecord]]
) -> Iterator[tuple[str, dict[str, str]]]:
    """(what, value by label) for everything that was asked for or measured."""
    for name in ASKED:
        yield name, _values(whos, lambda who, name=name: str(getattr(who, name)))
    yield "thread pools seen", _values(workers, _pools)
    yield "cores it may use", _values(workers, lambda worker: ", ".join(map(str, worker.affinity)))
    for title, attribute in (("", "flags"), ("measured precision of ", "effective_precision")):
        facts_of = {label: [getattr(worker, attribute) for worker in records] for label, records in workers.items()}
        for key in dict.fromkeys(key for facts in facts_of.values() for flags in facts for key in flags):
            reported = " as the framework says" if key in ASKED else ""
            yield f"{title}{key}{reported}", _values(facts_of, lambda flags, key=key: flags.get(key, ""))
    yield "versions", _values(workers, lambda worker: ", ".join(map(" ".join, worker.versions.items())))


def _cores_busy(results: Results) -> tuple[str, dict[str, str]]:
    """Processor seconds over seconds, from the least of an implementation's cells to the most."""
    busy: dict[str, list[float]] = defaultdict(list)
    for entry in results.entries:
        if entry.is_proved and entry.cpu_s is not None:
            busy[wording.label(results, entry.cell.who)].append(entry.cpu_s / entry.seconds)
    ends = {label: dict.fromkeys(f"{end:.1f}" for end in (min(ratios), max(ratios))) for label, ratios in busy.items()}
    return "cores busy while timed (processor time over time)", {label: " to ".join(two) for label, two in ends.items()}


def _kernels(results: Results) -> Iterator[tuple[str, dict[str, str]]]:
    """What each framework chose to compute a step with, of those that tell."""
    timings: dict[str, list[TimingRecord]] = defaultdict(list)
    for timing in results.timings:
        timings[wording.label(results, timing.cell.who)].append(timing)
    for step in dict.fromkeys(step for timing in results.timings for step in timing.kernels):
        yield f"kernel, {step}", _values(timings, lambda timing, step=step: timing.kernels.get(step, ""))


def _values(records_of: Mapping[str, Iterable[Any]], value_of: Callable[..., str]) -> dict[str, str]:
    """By label: the different values of its records."""
    return {
        label: " / ".join(dict.fromkeys(filter(None, map(value_of, records)))) for label, records in records_of.items()
    }


def _compared(name: str, values: Sequence[str]) -> list[str]:
    present = [value for value in values if value]
    if len(present) == 1 < len(values):
        equality = "one has it"
    elif len(set(present)) > 1:
        equality = "differs"
    else:
        equality = "equal" if len(present) == len(values) else "equal where there is one"
    return [name, equality, *(value or NO_VALUE for value in values)]


def _pools(worker: WorkerRecord) -> str:
    names = ((pool.internal_api or pool.user_api or "pool", pool.num_threads or "?") for pool in worker.thread_pools)
    return ", ".join(sorted({f"{name} {threads}" for name, threads in names}))


def _variants(results: Results) -> list[Block]:
    """Variants of the specification: whatever a variant says of itself, in the run's own words."""
    rows = [
        [variant.name, variant.explanation, wording.listed(map(wording.framework, variant.frameworks)) or NO_VALUE]
        for variant in results.network.variants
    ]
    return table(
        "Variants: shown as labelled rows, outside the rank", rows, "variant", "what is different", "frameworks"
    )
