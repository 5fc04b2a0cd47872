"""Fairness: what is equal and what differs between the implementations, and what the comparison holds fixed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from benchmarks import wording
from benchmarks.analysis import machine_facts
from benchmarks.analysis.ranking import Heat
from benchmarks.analysis.results import Results
from benchmarks.plan.schedule import process_of
from benchmarks.records.record import Configuration, WorkerRecord
from benchmarks.report.document import Block, Bullets, Section, Text, table
from benchmarks.wording import NO_VALUE

ASKED = ("precision", "mode", "threads", "variant", "device")
"""What was asked for; a process may report the same again among its flags."""

_PROMISES = (
    "Closed comparison: same specification, same weights, same batches, same optimizer equation, same timed region, same "
    "float policy. Whatever is not the same is a row of this section, never a footnote.",
    "Every ranked time belongs to an implementation that was proved equal in the same process, on the same callable.",
    "Nothing is rerun to find the lowest, and no outlier is dropped.",
)


_KERAS = (
    "Keras's train_on_batch (plain mode) returns the loss as a Python number and so waits for the device each step; the other "
    "frameworks may run ahead until the end of the round."
)


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """The promises, then what the processes reported about themselves, then variants and conventions."""
    waits = any(e.cell.who.framework.startswith("keras") and e.cell.who.mode == "plain" for e in results.entries)
    promises = [*_PROMISES, *([_KERAS] if waits else [])]
    blocks: list[Block] = [Bullets(promises), *_differences(results), *_variants(results), *_conventions(results)]
    return Section("fairness", "Is it fair?", blocks)


def _differences(results: Results) -> list[Block]:
    workers: dict[str, list[WorkerRecord]] = defaultdict(list)
    whos: dict[str, list[Configuration]] = defaultdict(list)
    variants: dict[Configuration, list[Configuration]] = defaultdict(list)
    for who in dict.fromkeys(entry.cell.who for entry in results.entries):
        variants[process_of(who)].append(who)
    for worker in results.workers:
        for who in variants[worker.who] or [worker.who]:
            workers[results.label(who)].append(worker)
    for who in dict.fromkeys(entry.cell.who for entry in results.entries):
        whos[results.label(who)].append(who)
    labels = list(dict.fromkeys([*whos, *workers]))
    if not labels:
        return []
    rows = [_compared(name, [by_label.get(label, "") for label in labels]) for name, by_label in _facts(whos, workers)]
    note = "" if results.workers else "No process reported its versions and flags, so only what was asked for is shown."
    found = table("What is equal, and what differs", rows, "what", "equal?", *labels)
    return [*found, *([Text(note, "note")] if note else [])]


def _facts(
    whos: dict[str, list[Configuration]], workers: dict[str, list[WorkerRecord]]
) -> Iterable[tuple[str, dict[str, str]]]:
    """(what, value by label) for everything that was asked for or measured."""
    for name in ASKED:
        yield name, {label: _joined(str(getattr(who, name)) for who in found) for label, found in whos.items()}
    yield "thread pools seen", {label: _joined(_pools(w) for w in found) for label, found in workers.items()}
    yield "cores it may use", {label: _joined(_cores(w) for w in found) for label, found in workers.items()}
    for title, attribute in (("", "flags"), ("measured precision, ", "effective_precision")):
        keys = dict.fromkeys(key for found in workers.values() for w in found for key in getattr(w, attribute))
        for key in keys:
            values = {
                label: _joined(getattr(w, attribute).get(key, "") for w in found) for label, found in workers.items()
            }
            yield f"{title}{key}{', as the framework says' if key in ASKED else ''}", values
    yield "versions", {label: _joined(_versions(w) for w in found) for label, found in workers.items()}


def _compared(name: str, values: Sequence[str]) -> list[str]:
    present = [value for value in values if value]
    whole = len(present) == len(values)
    said = "differs" if len(set(present)) > 1 else "equal" if whole else "equal where there is one"
    if len(present) == 1 < len(values):
        said = "one has it"
    return [name, said, *(value or NO_VALUE for value in values)]


def _joined(values: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(value for value in values if value))


def _pools(worker: WorkerRecord) -> str:
    pools = (
        f"{pool.get('internal_api', pool.get('user_api', 'pool'))} {pool.get('num_threads', '?')}"
        for pool in worker.thread_pools
    )
    return ", ".join(sorted(set(pools)))


def _cores(worker: WorkerRecord) -> str:
    return ", ".join(map(str, worker.affinity))


def _versions(worker: WorkerRecord) -> str:
    return ", ".join(f"{name} {version}" for name, version in worker.versions.items())


def _variants(results: Results) -> list[Block]:
    """Variants of the specification: whatever a variant says of itself, in the run's own words."""
    rows = [
        [machine_facts.text(variant.get(name, "")) for name in ("name", "explanation")]
        + [wording.listed(wording.framework(str(name)) for name in variant.get("frameworks", ())) or NO_VALUE]
        for variant in results.run.variants
    ]
    return table(
        "Variants: shown as labelled rows, outside the rank", rows, "variant", "what is different", "frameworks"
    )


def _conventions(results: Results) -> list[Block]:
    names = ("item", "choice", "source")
    rows = [[convention.get(name, NO_VALUE) for name in names] for convention in results.run.conventions]
    return table("Conventions: where frameworks differ, and what the specification decided", rows, *names)
