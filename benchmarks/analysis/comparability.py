"""Two runs side by side: reading them, what must be the same in both, and what may differ and is listed.

The work and the machine must be the same. Software may differ: that is what one compares.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from benchmarks.analysis import machine_facts, run_quality
from benchmarks.analysis.cell_results import CellResult, Subject, subject_of
from benchmarks.analysis.results import Results, gather
from benchmarks.records import records_file
from benchmarks.records.record import Cell
from benchmarks.records.run_record import NetworkRecord

MEMORY_SHARE = 0.1
"""What a system reports as its memory varies by some percent with its kernel; more is another machine."""

SYSTEM = ("host", "os", "python", "implementation", "governor", "cgroup_cpu_quota")
"""Facts of a machine that may differ: which of several equal ones it is, software, settings."""


@dataclass(frozen=True)
class Difference:
    """A fact in which the two runs differ; None where a run says nothing of it."""

    fact: str
    a: object
    b: object


@dataclass(frozen=True)
class Side:
    """One of the two runs, or one of two implementations of one run, with what was proved unequal in any block."""

    name: Literal["A", "B"]
    folder: Path
    results: Results
    unequal: frozenset[Subject]
    implementation: str = ""
    """Whose cells these are, where both sides are of one run; else all of the run's."""

    @cached_property
    def null_controls(self) -> list[run_quality.NullControl]:
        """The null controls that this run had."""
        return run_quality.null_controls(self.results)

    @cached_property
    def entries(self) -> dict[str, CellResult]:
        """Its cells by what they have in common with the other side's."""
        if not self.implementation:
            return {entry.id: entry for entry in self.results.entries}
        own = [entry for entry in self.results.entries if entry.cell.who.framework == self.implementation]
        return {_of_framework(entry.cell, "").id: entry for entry in own}

    def is_unequal(self, cell: Cell) -> bool:
        """Whether the proof of this cell failed in any block."""
        return subject_of(self._own(cell)) in self.unequal

    def is_proved(self, cell: Cell) -> bool:
        """Whether this cell was proved in some block and failed its proof in none, timed or not."""
        return subject_of(self._own(cell)) in set(map(subject_of, self.results.proofs)) - self.unequal

    def _own(self, cell: Cell) -> Cell:
        return _of_framework(cell, self.implementation) if self.implementation else cell


def _of_framework(cell: Cell, name: str) -> Cell:
    return cell.model_copy(update={"who": cell.who.model_copy(update={"framework": name})})


def side(name: Literal["A", "B"], folder: Path) -> Side:
    """A results folder as one of the two runs. Raises records_file.BadRecords where it holds none."""
    records, problems = records_file.read(folder)
    facts, fact_problems = machine_facts.read(folder)
    standing = records_file.standing(records)
    failed = {subject_of(r) for r in standing if r.kind == "proof" and not r.passed}
    failed |= {subject_of(r.cell) for r in standing if r.kind == "outcome" and r.status == "unequal"}
    return Side(name, folder, gather(records, problems + fact_problems, facts), frozenset(failed))


def differences(a: Results, b: Results) -> list[Difference]:
    """What would make a ratio of times meaningless; nothing where the two may be compared."""
    models = ([network.model for network in results.run.named] for results in (a, b))
    unlike = _unlike("", *({"model": ", ".join(names)} for names in models))
    both = {network.model for network in b.run.networks}
    for network in (of for of in a.run.networks if of.model in both and not unlike):
        unlike += _of_network(network, b.run.network(network.model))
    if a.environment and b.environment:
        return unlike + _unlike("machine, ", machine(a.environment), machine(b.environment)) + _memory(a, b)
    recorded = [("there" if results.environment else None) for results in (a, b)]
    return [*unlike, Difference("machine, as far as environment.json tells", *recorded)]


def _of_network(a: NetworkRecord, b: NetworkRecord) -> list[Difference]:
    unlike = []
    if a.spec_sha256 != b.spec_sha256:
        specs = ({**machine_facts.flat(of.spec), "spec_sha256": of.spec_sha256} for of in (a, b))
        unlike += _unlike("specification, ", *specs)
    return unlike + _unlike("data, ", a.dataset.model_dump(), b.dataset.model_dump())


def versions(a: Results, b: Results) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """What differs in software, by (framework, package): what A and what B had, None where it was not there.

    Frameworks that both ran; under "system" the operating system and its settings, under "samenet" the code itself.
    """
    old, new = software(a), software(b)
    both = {name for name, _ in old} & {name for name, _ in new}
    keys = [key for key in sorted(old.keys() | new.keys()) if key[0] in both]
    return {key: (old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)}


def versions_within(results: Results, before: str, after: str) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """The same of two implementations of one run, under the second one's name."""
    old, new = (
        {package: version for (framework, package), version in software(results).items() if framework == name}
        for name in (before, after)
    )
    differing = [package for package in sorted(old | new) if old.get(package) != new.get(package)]
    return {(after, package): (old.get(package), new.get(package)) for package in differing}


def unchanged(a: Results, b: Results) -> set[str]:
    """The frameworks of both runs that have the same versions, and the same routines of their libraries, in both."""
    old, new = ({framework for framework, _ in software(results)} for results in (a, b))
    return old & new - {framework for framework, _ in versions(a, b)}


def same_code(a: Results, b: Results) -> bool:
    """Whether the implementations and the harness are known to be the same in both runs."""
    old, new = (of.run.code.sha256 or (None if of.run.code.dirty else of.run.code.commit) for of in (a, b))
    return old is not None and old == new


def machine(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What identifies a machine: neither its kernel or driver version, which may be updated, nor its governor."""
    return {
        "cpu": facts.get("cpu"),
        "cores": facts.get("cores"),
        "usable cores": facts.get("usable_cores"),
        "GPUs": [", ".join([*gpu[:1], *gpu[2:]]) for gpu in machine_facts.gpus(facts)],
        "operating system": str(facts.get("os") or "").partition(" ")[0],
    }


def _memory(a: Results, b: Results) -> list[Difference]:
    ours, theirs = a.environment.get("memory_bytes"), b.environment.get("memory_bytes")
    if isinstance(ours, int) and isinstance(theirs, int):
        if abs(ours - theirs) <= MEMORY_SHARE * max(ours, theirs):
            return []
        ours, theirs = f"{ours / 2**30:.1f} GiB", f"{theirs / 2**30:.1f} GiB"
    return _unlike("machine, ", {"memory": ours}, {"memory": theirs})


def _unlike(prefix: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    keys = [key for key in {**a, **b} if a.get(key) != b.get(key)]
    return [Difference(f"{prefix}{key}", a.get(key), b.get(key)) for key in keys]


def software(results: Results) -> dict[tuple[str, str], str]:
    """Versions by (framework, package), with commas where a run had several."""
    versions_of: dict[tuple[str, str], set[str]] = defaultdict(set)
    for worker in results.workers:
        for package, version in worker.versions.items():
            versions_of[worker.who.framework, package].add(version)
    for name in SYSTEM:
        versions_of["system", name].add(str(results.environment.get(name) or "none"))
    for name, value in machine_facts.variables(results.environment).items():
        versions_of["system", name].add(value)
    for worker in results.workers:
        for name, kernels in machine_facts.kernels(worker.thread_pools):
            versions_of[worker.who.framework, name].add(kernels)
    for gpu in machine_facts.gpus(results.environment):
        versions_of["system", "GPU driver"].add(", ".join(gpu[1:2]))
    for name, value in machine_facts.gpu_settings(results.environment):
        versions_of["system", name].add(value)
    code = results.run.code
    version = code.commit or code.sha256 or "none"
    versions_of["samenet", "code"].add(version + (" (changed)" if code.dirty else ""))
    return {key: ", ".join(sorted(values)) for key, values in versions_of.items()}
