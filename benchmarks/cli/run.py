"""What `run` does between its options and its exit code: keeps the records, measures, reports, sums up."""

import dataclasses
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from benchmarks import system, writing
from benchmarks.cli import exit_codes
from benchmarks.cli.outcome import Outcome
from benchmarks.cli.prepare import Prepared, PreparedNetwork
from benchmarks.cli.same_code import CodeChanged, SameCode
from benchmarks.records.configuration import Strict
from benchmarks.records.record import Record, RunRecord, SourceRecord
from benchmarks.records.run_record import (
    CodeFacts,
    ConventionText,
    DatasetFacts,
    LimitText,
    MetricText,
    NetworkRecord,
    StepText,
    VariantText,
)
from benchmarks.rough_time import rough
from benchmarks.runner import fault_detection
from benchmarks.runner.progress import Say
from implementations import limits, registry
from implementations.declarations import Limit

if TYPE_CHECKING:
    from benchmarks.records.record import Cell
    from benchmarks.runner.resume import Progress


Text = TypeVar("Text", bound=Strict)


REPORT_S = 8
"""What a report takes, at most: it belongs to the time of a run."""


def run(
    prepared: Prepared,
    blocks: int | None,
    seed: int,
    results: Path,
    say: Say,
    force: bool = False,
    retry_failed: bool = False,
    into: Path | None = None,
) -> Outcome:
    """Measure what is left of the plan, append every record as it comes, and write the report, a partial one if interrupted.

    Goes on with the same run where one was stopped, unless `force`; `retry_failed` measures failed groups again; `into` is the
    folder itself, instead of a new one in `results`.
    """
    from benchmarks.runner import resume

    prepared.check_before_it_starts(say)
    profile, begin_s = prepared.request.profile, time.monotonic()
    more_until_s = 0.0 if blocks or prepared.budget_s < math.inf else begin_s + profile.budget_s - REPORT_S
    blocks = blocks or profile.blocks
    first, machine = run_record(prepared, blocks, seed), system.machine()
    with resume.begun(results, first, machine, force, retry_failed, into) as (progress, locked):
        more_until_s = 0.0 if progress.records else more_until_s  # of a run that goes on what is left, and no more
        outcome = Outcome(
            progress.folder, len(prepared.plan.cells), blocks, records=list(progress.records), more_until_s=more_until_s,
            size=progress.bytes_read,
        )  # fmt: skip
        left = progress.left(prepared.plan.cells, blocks, retry_failed)
        _announce(prepared, progress, blocks, len(left), locked, say)
        with outcome.saying("the same command goes on with it"):
            _begin_records(prepared, progress, first, machine, outcome.keep)
            _measure(prepared, progress, outcome, first, left, say)
        with outcome.saying(f"`python -m benchmarks report {outcome.folder}` makes its report"):
            _report(outcome, say)
    return outcome


def _announce(prepared: Prepared, progress: "Progress", blocks: int, left: int, locked: bool, say: Say) -> None:
    """What is to be measured, about how long that takes, and what is not there."""
    profile = dataclasses.replace(prepared.request.profile, blocks=left)
    whole = rough(prepared.estimate.run_s(prepared.plan.cells, profile))
    extent = f"{len(prepared.plan.cells)} cells, {blocks} blocks"
    if progress.records:
        extent = f"going on with {progress.folder}: {left} of {blocks} blocks are left (--force begins anew)"
    say(f"{extent}, about {whole} on a quiet machine")
    if shared := system.shared_processors():
        say(shared)
    if not locked:
        say(f"{progress.folder}: this file system has no locks, so do not start the same run there twice")
    prepared.say_absent(say)


def _begin_records(
    prepared: Prepared, progress: "Progress", first: RunRecord, machine: dict[str, Any], keep: Callable[[Record], None]
) -> None:
    """The machine, the first record and the code, as far as they are not there yet."""
    if not progress.records:
        text = json.dumps(machine, indent=2) + "\n"
        writing.text(progress.folder / "environment.json", text)
        keep(first)
    for source in _sources(prepared):
        if source not in progress.records:  # it may have been stopped before they were all written
            keep(source)


def _measure(
    prepared: Prepared,
    progress: "Progress",
    outcome: Outcome,
    first: RunRecord,
    left: "Mapping[int, list[Cell]]",
    say: Say,
) -> None:
    """Blocks, within the budget, then memory and energy."""
    from benchmarks.runner import blocks, resource_runs
    from benchmarks.runner.networks import Network

    cells, profile = prepared.plan.cells, prepared.request.profile
    untrained = progress.untrained if 0 in progress.finished else None
    trains = 0 in left and (untrained is None or bool(untrained))
    networks = {}
    for model, network in prepared.networks.items():
        unnamed = model in prepared.request.unnamed
        epochs = _epochs(network, profile.epochs, say) if trains and not unnamed else 0
        networks[model] = Network(network.spec, network.arrays(), epochs, unnamed)
    code = SameCode(outcome, first, partial(_code, prepared))
    work = blocks.Runner(
        networks, cells, profile, outcome.blocks, first.seed, code.keep, say, prepared.request.pythons,
        call_s=progress.call_s, restless=progress.restless, left=left, untrained=untrained,
        end_s=time.monotonic() + prepared.budget_s - prepared.estimate.costs_s(cells, profile),
        more_until_s=outcome.more_until_s - prepared.estimate.costs_s(cells, profile),
    )  # fmt: skip
    try:
        work.execute()
        resource_runs.measure(work, outcome.records)
        code.ask()
    except CodeChanged as problem:
        outcome.interrupted = exit_codes.OUTSIDE
        say(str(problem))
    except KeyboardInterrupt as stop:
        outcome.interrupted = exit_codes.of_interrupt(stop)
        say(code.after_an_interruption())


def _report(outcome: Outcome, say: Say) -> None:
    """Write the report, from the beginning again where that is interrupted."""
    from benchmarks import report

    try:
        outcome.reports = report.write(outcome.folder, say)
    except KeyboardInterrupt as stop:
        outcome.interrupted = outcome.interrupted or exit_codes.of_interrupt(stop)
        outcome.reports = report.write(outcome.folder, say)


def run_record(prepared: Prepared, blocks: int, seed: int) -> RunRecord:
    """The first line of the records."""
    from implementations import sources

    frameworks = [cell.who.framework for cell in prepared.plan.cells]
    return RunRecord(
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=["python", "-m", "benchmarks", *map(_printable, sys.argv[1:])],
        profile=prepared.request.profile.name,
        seed=seed,
        blocks=blocks,
        networks=[
            _network_record(model, network, prepared.request.unnamed) for model, network in prepared.networks.items()
        ],
        code=CodeFacts(**system.code_version(), sha256=_code(prepared)),
        pythons={name: _printable(path) for name, path in prepared.request.pythons.items()},
        limits=_texts(LimitText, _limits(prepared.plan.cells)),
        fault_detection=fault_detection.summary(prepared.networks, frameworks, sources.judged_sha256),
        costs=prepared.request.profile.costs,
        cells=prepared.plan.cells,
        absent=prepared.plan.absent,
    )


def _code(prepared: Prepared) -> str:
    """The hash of all code that is run: ours, and that of plug-ins which are in the plan."""
    from implementations import sources

    frameworks = [cell.who.framework for cell in prepared.plan.cells]
    elsewhere = [package for model in prepared.networks for package in registry.from_elsewhere(model, frameworks)]
    return sources.tree_sha256("implementations", "benchmarks", *dict.fromkeys(elsewhere))


def _limits(cells: Iterable["Cell"]) -> list[Limit]:
    """What the frameworks of each network compute otherwise than they should, in its layers."""
    frameworks_of: dict[str, list[str]] = {}
    for cell in cells:
        frameworks_of.setdefault(cell.who.model, []).append(cell.who.framework)
    found = set()
    for model, frameworks in frameworks_of.items():
        found |= set(limits.concerning(frameworks, [step.layer for step in registry.part(model, "steps").STEPS]))
    return [limit for limit in limits.LIMITS if limit in found]


def _printable(path: str) -> str:
    """A path as a record can hold it: what in it is no UTF-8 is replaced."""
    return path.encode(errors="replace").decode()


def _network_record(model: str, network: PreparedNetwork, unnamed: Sequence[str]) -> NetworkRecord:
    spec, metric = network.spec.model_dump(mode="json"), network.spec.metric
    return NetworkRecord(
        model=model,
        unnamed=model in unnamed,
        title=network.spec.TITLE,
        summary=network.spec.summary(),
        metric=MetricText(name=metric.name, target=metric.target, share=metric.share),
        spec=spec,
        spec_sha256=hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest(),
        size=network.spec.axes(),
        parameters=sum(
            math.prod(tensor.shape) for tensor in network.spec.tensors().values() if tensor.role == "parameter"
        ),
        has_tuned=bool(getattr(registry.part(model, "spec"), "TUNED", ())),
        steps=_texts(StepText, registry.part(model, "steps").STEPS),
        conventions=_texts(ConventionText, registry.part(model, "conventions").CONVENTIONS),
        variants=_texts(VariantText, registry.part(model, "spec").VARIANTS),
        dataset=DatasetFacts(**network.dataset.describe()) if network.dataset else DatasetFacts(name="synthetic"),
    )


def _texts(kind: type[Text], entries: Iterable[Any]) -> list[Text]:
    """What a dataclass of the implementations says, as the record has it."""
    return [kind.model_validate(dataclasses.asdict(entry)) for entry in entries]


def _epochs(network: PreparedNetwork, epochs: int, say: Say) -> int:
    """Epochs of the training on real data; none where there is no data for it."""
    if network.dataset is None:
        say(
            f"no epochs and no learning curves of the {network.spec.TITLE}: give data that fits this network with --data"
        )
        return 0
    if network.samples < network.spec.batch:
        say(f"no learning curves: the data has fewer samples than one batch ({network.spec.batch})")
        return 0
    return epochs


def _sources(prepared: Prepared) -> list[SourceRecord]:
    from implementations import sources

    whos = dict.fromkeys((cell.who.model, registry.base(cell.who.framework)) for cell in prepared.plan.cells)
    return [
        SourceRecord(model=model, framework=name, **dataclasses.asdict(section))
        for model, name in whos
        if not registry.is_peer(name)
        for section in sources.sections(model, name)
    ]
