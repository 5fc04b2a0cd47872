"""What `verify` does: asks everything of every implementation of a plan. Nothing is timed or written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cli.prepare import Prepared
from benchmarks.records.record import ProofRecord, Record
from benchmarks.runner.progress import Say
from implementations import precisions

if TYPE_CHECKING:
    from benchmarks.worker.protocol import Job


def verify(
    prepared: Prepared, say: Say, tell: Callable[[ProofRecord], None] = lambda proof: None
) -> tuple[list[ProofRecord], list[tuple[Any, str]]]:
    """Ask everything of every implementation of the plan at its sizes, in float32 and float64; nothing is timed or written.

    `tell` is called with each proof as it comes. Returns all of them, and the jobs that were lost with the reasons. Raises
    BadInput where nothing is planned, or something that was asked for by name cannot be imported.
    """
    from benchmarks.runner import proving
    from benchmarks.runner.blocks import Runner
    from benchmarks.runner.networks import Network, scratch

    proofs: list[ProofRecord] = []
    prepared.check_before_it_starts(say)
    prepared.say_absent(say)

    def keep(result: Record) -> None:
        if isinstance(result, ProofRecord):
            proofs.append(result)
            tell(result)

    networks = {m: Network(network.spec, network.arrays()) for m, network in prepared.networks.items()}
    work = Runner(networks, [], prepared.request.profile, 1, 0, keep, say, prepared.request.pythons)
    with scratch(networks) as folder:
        return proofs, proving.prove(work, list(_jobs(prepared, folder)), folder)


def _jobs(prepared: Prepared, folder: Path) -> Iterator["Job"]:
    """A worker for each implementation in each precision."""
    from benchmarks.plan import schedule
    from benchmarks.runner.networks import dataset_of
    from benchmarks.worker.protocol import Job, Task

    for who, cells in schedule.by_implementation(prepared.plan.cells).items():
        subjects = {(cell.who, tuple(cell.axes.items())): None for cell in cells}
        spec, dataset = prepared.networks[who.model].spec.model_dump(mode="json"), str(dataset_of(who.model, folder))
        asked = (who.precision,) if prepared.request.precisions else ("float32", "float64")
        for precision in (p for p in asked if not precisions.problem(who.model, who.framework, who.device, p)):
            prove = [(w.model_copy(update={"precision": precision}), dict(axes)) for w, axes in subjects]
            yield Job(
                tasks=[Task(who=who.model_copy(update={"precision": precision}), spec=spec, dataset=dataset)],
                block=0,
                seed=0,
                prove=prove,
                check_only=True,
            )
