"""What a command does between its options and its exit code: prepares a plan, keeps the results, sums up."""

import dataclasses
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import environment, exits, gpus, judged, options, plan
from benchmarks.estimate import Estimate, within
from benchmarks.plan import Plan, Request
from benchmarks.record import OutcomeRecord, ProofRecord, Record, RunRecord, SourceRecord, TimingRecord, standing
from implementations import limits, registry
from implementations.contract import BadInput

if TYPE_CHECKING:
    import numpy as np

MODEL = "mlp"
DIGITS = 1437
"""Training samples of the bundled data, for the estimate of a command that does not load them."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """A validated request: nothing has been written or started yet."""

    spec: Any
    request: Request
    plan: Plan
    dataset: Any
    samples: int = 0
    """There are to train on, as far as is known before they are loaded."""

    budget_s: float = math.inf

    def estimate_s(self) -> float:
        """Roughly how long `run` takes."""
        return self.estimate.run_s(self.plan.cells, self.request.profile)

    @property
    def estimate(self) -> Estimate:
        """What it depends on: the network, and how much there is to train on."""
        return Estimate(self.spec, self.samples)


@dataclass
class Outcome:
    """What a run came to."""

    folder: Path
    planned: int
    blocks: int
    reports: list[Path] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    interrupted: int = 0
    """The exit code of what stopped it, or 0."""

    @property
    def exit_code(self) -> int:
        """Interrupted before unequal, before some cells failed, before nothing was timed."""
        timed = any(isinstance(r, TimingRecord) for r in self.records)
        statuses = {r.status for r in standing(self.records) if isinstance(r, OutcomeRecord)}
        if self.interrupted:
            return self.interrupted
        if any(isinstance(r, ProofRecord) and not r.passed for r in self.records):
            return exits.UNEQUAL
        if "failed" in statuses:
            return exits.FAILED
        return exits.GOOD if timed else exits.NOTHING

    def summary(self) -> dict[str, Any]:
        """For `--json`."""
        timed = {r.cell.id for r in self.records if isinstance(r, TimingRecord)}
        return {
            "folder": str(self.folder),
            "reports": [str(path) for path in self.reports],
            "planned": self.planned,
            "timed": len(timed),
            "exit_code": self.exit_code,
        }


def prepare(load_data: bool = True, **choice: Any) -> Prepared:
    """Validate everything that was asked for. Raises BadInput and Unavailable, and writes nothing."""
    request = options.request(MODEL, choice)
    spec_module = registry.part(MODEL, "spec")
    own = Path(choice["spec"]).suffix == ".toml" or "/" in choice["spec"]
    spec = spec_module.Spec.load(Path(choice["spec"])) if own else spec_module.Spec.preset(choice["spec"])
    dataset = None
    if load_data or choice["data"]:
        from implementations import data

        dataset = data.load(choice["data"]) if choice["data"] else data.digits()
        if not own and choice["data"]:
            spec = spec.changed(features=dataset.features, classes=dataset.classes)
        if own or choice["data"] or choice["spec"] == "digits":
            data.check(dataset, spec.features, spec.classes)
        else:
            dataset = None
    samples = len(dataset.y_train) if dataset else 0 if load_data or choice["spec"] != "digits" else DIGITS
    return Prepared(spec, request, plan.plan(MODEL, spec, request, gpus.visible()), dataset, samples)


def run(
    prepared: Prepared,
    blocks: int | None,
    seed: int,
    results: Path,
    say: Say,
    force: bool = False,
    retry_failed: bool = False,
) -> Outcome:
    """Measure what is left of the plan, append every record as it comes, and write the report, a partial one if interrupted.

    Goes on with the same run where one was stopped, unless `force`; `retry_failed` measures failed heats again.
    """
    from benchmarks import costs, record, report, resume
    from benchmarks.runner import Run

    profile, cells = prepared.request.profile, prepared.plan.cells
    blocks = blocks or profile.blocks
    if not cells:
        raise BadInput(
            "nothing to measure: no framework can run here (see `doctor`), or every size is left out (see `list`)."
        )
    first, machine = run_record(prepared, blocks, seed), environment.machine()
    progress = resume.begin(results, first, machine, force, retry_failed)
    outcome = Outcome(progress.folder, len(cells), blocks, records=list(progress.records))

    def keep(result: Record) -> None:
        try:
            record.append(progress.folder / record.RECORDS, result)
        except OSError as problem:
            raise BadInput(
                f"{progress.folder}: cannot be written ({problem.strerror}). What was measured before is kept: "
                "make room, and the same command goes on with it."
            ) from None
        outcome.records.append(result)

    left = progress.left(cells, blocks, retry_failed)
    end_s = time.monotonic() + prepared.budget_s - prepared.estimate.costs_s(cells, profile)
    whole = prepared.estimate.run_s(cells, dataclasses.replace(profile, blocks=len(left)))
    estimate = f"{minutes(whole)} on a quiet machine"
    if progress.records:
        say(
            f"going on with {progress.folder}: {len(left)} of {blocks} blocks are left (--force begins anew), about {estimate}"
        )
    else:
        say(f"{len(cells)} cells, {blocks} blocks, about {estimate}")
        (progress.folder / "environment.json").write_text(json.dumps(machine, indent=2) + "\n", encoding="utf-8")
        keep(first)
    for source in _sources(prepared):
        if source not in progress.records:  # it may have been stopped before they were all written
            keep(source)
    for entry in prepared.plan.absent:
        say(f"not there: {entry['framework']}: {entry['reason']} {entry['fix']}")
    work = Run(
        prepared.spec, arrays(prepared), cells, profile, blocks, seed, keep, say, prepared.request.pythons,
        epochs=_epochs(prepared, say) if 0 not in progress.finished else 0,
        loops=progress.loops, rounds=progress.rounds, restless=progress.restless, left=left, end_s=end_s,
    )  # fmt: skip
    try:
        with resume.held(progress.folder):
            work.execute()
            costs.measure(work, outcome.records)
    except KeyboardInterrupt as stop:
        outcome.interrupted = exits.of_interrupt(stop)
        say("interrupted: what was measured is kept, and the same command goes on with it")
    try:
        outcome.reports = report.write(progress.folder)
    except KeyboardInterrupt as stop:
        outcome.interrupted = outcome.interrupted or exits.of_interrupt(stop)
        outcome.reports = report.write(progress.folder)
    if found := report.detectable(progress.folder):
        say(f"half of the comparisons would have found a true difference of {found:.1%} or less, 8 times out of 10")
    return outcome


def fit(prepared: Prepared, budget: str) -> Prepared:
    """The same request with as many blocks and rounds as fit into a time like 90s, 10m or 1h. Raises BadInput."""
    budget_s = options.seconds(budget)
    fitted, profile = within(budget_s, prepared.plan, prepared.request.profile, prepared.estimate)
    request = dataclasses.replace(prepared.request, profile=profile)
    return dataclasses.replace(prepared, plan=fitted, request=request, budget_s=budget_s)


def verify(
    prepared: Prepared, say: Say, tell: Callable[[ProofRecord], None] = lambda proof: None
) -> tuple[list[ProofRecord], list[tuple[Any, str]]]:
    """Ask everything of every implementation of the plan at its sizes, in float32 and float64; nothing is timed or written.

    `tell` is called with each proof as it comes. Returns all of them, and the jobs that were lost with the reasons.
    """
    from benchmarks import runner, turns
    from benchmarks.worker import Job

    proofs: list[ProofRecord] = []

    def keep(result: Record) -> None:
        if isinstance(result, ProofRecord):
            proofs.append(result)
            tell(result)

    work = runner.Run(
        prepared.spec, arrays(prepared), [], prepared.request.profile, 1, 0, keep, say, prepared.request.pythons
    )
    lost = []
    with runner.scratch(arrays(prepared)) as folder:
        for who, cells in turns.grouped(prepared.plan.cells).items():
            asked = {(cell.who, tuple(cell.axes.items())): None for cell in cells}
            for precision in (who.precision,) if prepared.request.precisions else ("float32", "float64"):
                prove = [(w.model_copy(update={"precision": precision}), dict(axes)) for w, axes in asked]
                job = Job(
                    who=who.model_copy(update={"precision": precision}), block=0, seed=0, prove=prove,
                    spec=prepared.spec.model_dump(mode="json"), dataset=str(folder / runner.DATASET),
                    check_only=True,
                )  # fmt: skip
                lost += runner.verify(work, [job], folder)
    return proofs, lost


def run_record(prepared: Prepared, blocks: int, seed: int) -> RunRecord:
    """The first line of the records."""
    from implementations import sources

    spec = prepared.spec.model_dump(mode="json")
    steps, conventions = registry.part(MODEL, "steps").STEPS, registry.part(MODEL, "conventions").CONVENTIONS
    frameworks = [cell.who.framework for cell in prepared.plan.cells]
    return RunRecord(
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=["python", "-m", "benchmarks", *sys.argv[1:]],
        profile=prepared.request.profile.name,
        seed=seed,
        blocks=blocks,
        model=MODEL,
        spec=spec,
        spec_sha256=hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest(),
        steps=[dataclasses.asdict(step) for step in steps],
        conventions=[dataclasses.asdict(convention) for convention in conventions],
        variants=[dataclasses.asdict(variant) for variant in registry.part(MODEL, "spec").VARIANTS],
        dataset=prepared.dataset.describe() if prepared.dataset else {"name": "synthetic"},
        code=environment.code_version() | {"sha256": sources.tree_sha256("implementations", "benchmarks")},
        pythons=dict(prepared.request.pythons),
        limits=[dataclasses.asdict(limit) for limit in limits.concerning(frameworks)],
        judged=judged.summary(frameworks),
        costs=prepared.request.profile.costs,
        cells=prepared.plan.cells,
        absent=prepared.plan.absent,
    )


def arrays(prepared: Prepared) -> "dict[str, np.ndarray]":
    """What the workers train on; nothing where the network does not fit the bundled data and none was given."""
    import numpy as np

    if prepared.dataset is None:
        return {"x_train": np.zeros((0, 1), np.float32), "y_train": np.zeros(0, np.int64)}
    return prepared.dataset.arrays()


def minutes(seconds: float) -> str:
    """A rough duration."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _epochs(prepared: Prepared, say: Say) -> int:
    """Epochs of the training on real data; none where there is no data for it."""
    if prepared.dataset is None:
        say("no learning curves: give data that fits this network with --data")
        return 0
    if len(prepared.dataset.y_train) < prepared.spec.batch:
        say(f"no learning curves: the data has fewer samples than one batch ({prepared.spec.batch})")
        return 0
    return prepared.request.profile.epochs


def _sources(prepared: Prepared) -> list[SourceRecord]:
    from implementations import sources

    names = dict.fromkeys(registry.base(cell.who.framework) for cell in prepared.plan.cells)
    return [
        SourceRecord(framework=name, **dataclasses.asdict(section))
        for name in names
        if not registry.is_peer(name)
        for section in sources.sections(MODEL, name)
    ]
