"""Two runs side by side: reading them, what must be the same in both, and what may differ and is told.

The work and the machine must be the same. Software may differ: that is what one compares.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from benchmarks import wording
from benchmarks.analysis import machine_facts, null_control
from benchmarks.analysis.results import Results, gather
from benchmarks.records import records_file
from benchmarks.records.record import Cell, Configuration

Subject = tuple[Configuration, tuple[tuple[str, int], ...]]
"""What a proof speaks of: an implementation at a size."""

MEMORY_SHARE = 0.1
"""What a system reports as its memory varies by some percent with its kernel; more is another machine."""

SYSTEM = ("os", "python", "implementation", "governor", "cgroup_cpu_quota")
"""Facts of a machine that may differ, because they are software or settings."""


class Refused(ValueError):
    """Something that must not be compared; the message names what differs, or is wrong, and the way out."""


@dataclass(frozen=True)
class Side:
    """One of the two runs, with what its proofs found unequal in any block."""

    name: Literal["A", "B"]
    folder: Path
    results: Results
    unequal: frozenset[Subject]

    @cached_property
    def nulls(self) -> list[null_control.Null]:
        """The null controls that this run had."""
        return null_control.nulls(self.results)

    def is_unequal(self, cell: Cell) -> bool:
        """Whether the proof of this cell failed in any block."""
        return _subject(cell.who, cell.axes) in self.unequal

    def is_proved(self, cell: Cell) -> bool:
        """Whether this cell was proved in some block and failed its proof in none, timed or not."""
        subjects = {_subject(proof.who, proof.axes) for proof in self.results.proofs}
        return _subject(cell.who, cell.axes) in subjects - self.unequal


def load(a: Path, b: Path, anyway: bool = False) -> tuple[Side, Side, list[str]]:
    """The results folders as baseline A and new run B, and the differences that `anyway` lets pass.

    Raises records_file.BadRecords where a folder holds no run, and Refused where the two may not be compared.
    """
    old, new = _side("A", a), _side("B", b)
    found = differences(old.results, new.results)
    if found and not anyway:
        raise Refused(f"{a} (A) and {b} (B) differ in {'; '.join(found)}. --anyway compares them all the same.")
    return old, new, found


def differences(a: Results, b: Results) -> list[str]:
    """What would make a ratio of times meaningless, each with both values; nothing where the two may be compared."""
    told = _unlike("", {"model": a.run.model}, {"model": b.run.model})
    if a.run.spec_sha256 != b.run.spec_sha256:
        told += _unlike("specification, ", dict(machine_facts.rows(a.run.spec)), dict(machine_facts.rows(b.run.spec)))
        hashes = {"spec_sha256": a.run.spec_sha256}, {"spec_sha256": b.run.spec_sha256}
        told += _unlike("specification, ", *hashes)
    told += _unlike("data, ", a.run.dataset, b.run.dataset)
    if a.environment and b.environment:
        return told + _unlike("machine, ", machine(a.environment), machine(b.environment)) + _memory(a, b)
    unknown = wording.listed(name for name, side in (("A", a), ("B", b)) if not side.environment)
    return [*told, f"machine, as far as is known: environment.json tells nothing in {unknown}"]


def versions(a: Results, b: Results) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """What differs in software, by (framework, package): what A and what B had, None where it was not there.

    Frameworks that both ran; under "system" the operating system and its settings, under "samenet" the code itself.
    """
    old, new = software(a), software(b)
    both = {name for name, _ in old} & {name for name, _ in new}
    keys = [key for key in sorted(old.keys() | new.keys()) if key[0] in both]
    return {key: (old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)}


def machine(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What identifies a machine: neither its kernel or driver version, which may be updated, nor its governor."""
    return {
        "cpu": facts.get("cpu"),
        "cores": facts.get("cores"),
        "usable cores": facts.get("usable_cores"),
        "GPUs": [", ".join([*gpu[:1], *gpu[2:]]) for gpu in machine_facts.gpus(facts)],
        "operating system": str(facts.get("os") or "").partition(" ")[0],
    }


def _memory(a: Results, b: Results) -> list[str]:
    ours, theirs = a.environment.get("memory_bytes"), b.environment.get("memory_bytes")
    if isinstance(ours, int) and isinstance(theirs, int):
        if abs(ours - theirs) <= MEMORY_SHARE * max(ours, theirs):
            return []
        ours, theirs = f"{ours / 2**30:.1f} GiB", f"{theirs / 2**30:.1f} GiB"
    return _unlike("machine, ", {"memory": ours}, {"memory": theirs})


def _unlike(prefix: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    return [
        wording.clean(f"{prefix}{key}: {machine_facts.text(a.get(key))} in A, {machine_facts.text(b.get(key))} in B")
        for key in {**a, **b}
        if a.get(key) != b.get(key)
    ]


def software(results: Results) -> dict[tuple[str, str], str]:
    """Versions by (framework, package), with commas where a run had several."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for worker in results.workers:
        for package, version in worker.versions.items():
            found[worker.who.framework, package].add(version)
    for name in SYSTEM:
        found["system", name].add(machine_facts.text(results.environment.get(name)))
    for gpu in machine_facts.gpus(results.environment):
        found["system", "GPU driver"].add(", ".join(gpu[1:2]))
    for name, value in machine_facts.gpu_settings(results.environment):
        found["system", name].add(value)
    code = results.run.code
    version = machine_facts.text(code.get("commit") or code.get("sha256"))
    found["samenet", "code"].add(version + (" (changed)" if code.get("dirty") else ""))
    return {key: ", ".join(sorted(values)) for key, values in found.items()}


def _side(name: Literal["A", "B"], folder: Path) -> Side:
    records, problems = records_file.read(folder)
    facts, fact_problems = machine_facts.read(folder)
    failed = {_subject(r.who, r.axes) for r in records if r.kind == "proof" and not r.passed}
    failed |= {_subject(r.cell.who, r.cell.axes) for r in records if r.kind == "outcome" and r.status == "unequal"}
    return Side(name, folder, gather(records, problems + fact_problems, facts), frozenset(failed))


def _subject(who: Configuration, axes: Mapping[str, int]) -> Subject:
    return who, tuple(sorted(axes.items()))
