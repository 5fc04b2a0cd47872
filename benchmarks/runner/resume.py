"""The folder that a run writes in: a new one, or that of the same run where it was stopped before its end.

A run is the same when everything that its first record says is the same, but when and how it was called: the cells, the
specification, the data, the seed, the number of blocks and the code; and when environment.json, which speaks of the
whole run, still says of this machine what is true (in a folder that was named, of its kind). Whole blocks are kept; the block that it was stopped in is measured
again, with rounds and calls per round by what the finished ones say of a call's time. What is measured after the blocks (by
`benchmarks.runner.resource_runs`) is measured where it is missing.
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import reading, writing
from benchmarks.plan import remaining, schedule
from benchmarks.records import records_file
from benchmarks.records.record import (
    BlockRecord,
    Cell,
    Configuration,
    OutcomeRecord,
    Record,
    RunRecord,
    TimingRecord,
    UntrainedRecord,
)
from benchmarks.records.records_file import RECORDS, BadRecords
from implementations.errors import BadInput

MEMORY_SHARE = 0.01
"""What a system reports as its memory varies by some MiB among equal machines."""


@dataclass(frozen=True)
class Progress:
    """What a run has measured so far; a new run has nothing."""

    folder: Path
    records: Sequence[Record] = ()
    finished: frozenset[int] = frozenset()
    failed: dict[int, set[tuple[str, ...]]] = field(default_factory=dict)
    """Groups with a failed cell, by finished block."""

    untrained: frozenset[Configuration] = frozenset()
    """Whose trainings were lost."""

    lacks_costs: bool = False
    """What is measured after the blocks was not, or not all of it."""

    bytes_read: int = 0
    """How long the file of the records was."""

    @property
    def planned(self) -> int:
        """How many blocks the run has."""
        return records_file.run_of(self.records).blocks

    @property
    def is_done(self) -> bool:
        """Whether nothing of the run is left, its report neither."""
        reported = any(reading.lines(self.folder / "report.md"))
        return len(self.finished) >= self.planned and not self.lacks_costs and reported

    @property
    def timings(self) -> list[TimingRecord]:
        """All timings so far, the null control's too."""
        return [r for r in records_file.standing(self.records) if isinstance(r, TimingRecord)]

    @property
    def call_s(self) -> dict[str, float]:
        """Seconds per call of each cell's fastest round in finished blocks: those that are repeated know no more than before."""
        return schedule.fastest_calls(timing for timing in self.timings if timing.block in self.finished)

    @property
    def restless(self) -> set[tuple[str, ...]]:
        """Groups in which whole workers take turns."""
        return {
            timing.cell.comparison_group
            for timing in self.timings
            if timing.schedule == "workers" or schedule.restless(timing)
        }

    def left(self, cells: Sequence[Cell], blocks: int, retry_failed: bool) -> dict[int, list[Cell]]:
        """What is to be measured, by block."""
        left = {}
        for block in sorted({*range(blocks), *self.finished}):
            if block not in self.finished:
                left[block] = list(cells)
            elif retry_failed and (block in self.failed or (block == 0 and self.untrained)):
                groups = self.failed.get(block, set())
                left[block] = [cell for cell in cells if cell.comparison_group in groups]
        return left


@contextmanager
def begun(
    results: Path, run: RunRecord, machine: dict[str, Any], force: bool, retry_failed: bool, into: Path | None = None
) -> Iterator[tuple[Progress, bool]]:
    """The latest run that can go on, or a new folder; with `into`, that folder. No other process takes it until this one leaves.

    The second value says whether it is locked: some file systems have no locks. Raises BadInput where there is no place.
    """
    with ExitStack() as lock:
        while True:
            progress = in_folder(into, run, machine) if into else begin(results, run, machine, force, retry_failed)
            with suppress(BlockingIOError):  # another process was quicker; it is at work on this run now
                locked = lock.enter_context(held(progress.folder))
                break
        yield (so_far(progress.folder) if progress.records else progress), locked


def in_folder(folder: Path, run: RunRecord, machine: dict[str, Any]) -> Progress:
    """This run in this folder: a new one, or what is there of it. Raises BadInput where something else is."""
    given = f"--into {folder}"
    with writing.telling(given):
        folder.mkdir(parents=True, exist_ok=True)
    if not reading.entries(folder):
        return Progress(folder)
    try:
        first = records_file.first(folder)
        with held(folder):
            if first is None:
                return Progress(folder, bytes_read=records_file.size(folder))
            differing = _differing(first, folder, run, machine, of_its_kind=True)
            progress = so_far(folder)
            if not (differing or progress.is_done):
                _remove_report(folder)
    except BlockingIOError:
        raise BadInput(f"{given}: another process is at work on the run there. Give another folder, or wait.") from None
    except BadRecords as problem:
        raise BadInput(f"{given}: holds something that is no run. Give another folder. ({problem})") from None
    if differing:
        raise BadInput(f"{given}: holds another run, of other {', '.join(differing)}. Give another folder.")
    return progress


def _differing(
    first: RunRecord, folder: Path, run: RunRecord, machine: dict[str, Any], of_its_kind: bool = False
) -> list[str]:
    """In which facts the run there, whose first record is given, is another one. Raises Unreadable.

    `of_its_kind`: another machine of the same kind may go on with it.
    """
    there = reading.facts(folder / "environment.json")
    if of_its_kind:
        machine, there = _kind(machine), _kind(there)
        memory, theirs = (facts.get("memory_bytes") or 0 for facts in (machine, there))
        if theirs and abs(memory - theirs) <= MEMORY_SHARE * theirs:
            machine["memory_bytes"] = theirs
    pairs = (machine, there), (_identity(run), _identity(first))
    return [name for a, b in pairs for name in {**a, **b} if a.get(name) != b.get(name)]


def _kind(machine: dict[str, Any]) -> dict[str, Any]:
    """What a machine has in common with others of its kind: neither its name nor which of its GPUs were given."""
    gpus = [{name: value for name, value in gpu.items() if name != "uuid"} for gpu in machine.get("gpus") or []]
    variables = {
        name: value for name, value in (machine.get("variables") or {}).items() if name != "CUDA_VISIBLE_DEVICES"
    }
    return {**machine, "host": "", "gpus": gpus, "variables": variables}


def begin(results: Path, run: RunRecord, machine: dict[str, Any], force: bool, retry_failed: bool) -> Progress:
    """The latest run that can go on, or a new folder. Raises BadInput where none can be made."""
    for folder in [] if force else reversed(reading.entries(results)):
        if not _is_of(folder, run, machine):
            continue
        progress = so_far(folder)
        if not progress.is_done or (retry_failed and (progress.failed or progress.untrained)):
            _remove_report(folder)
            return progress
    if retry_failed:
        raise BadInput(
            f"--retry-failed: no run of this plan under {results} has failed cells or lost trainings. Leave it out."
        )
    return Progress(_new_folder(results))


def _remove_report(folder: Path) -> None:
    """It will be out of date, and is made again at the end."""
    with writing.telling(report := folder / "report.md"):
        report.unlink(missing_ok=True)


@contextmanager
def held(folder: Path, kind: int = fcntl.LOCK_EX) -> Iterator[bool]:
    """Lock a run's records, so that no second process goes on with the same run; False where the file system has no locks.

    Raises BlockingIOError where another process holds them, and Unwritable. `LOCK_SH` is for those who only ask.
    """
    with writing.telling(path := folder / RECORDS):
        file = path.open("ab")
    with file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # NFS without its lock service: ENOLCK, ENOSYS
            yield False
        else:
            yield True


def is_held(folder: Path) -> bool:
    """Whether a process is at work on a run there, as far as the file system tells. Raises Unwritable."""
    if not (folder / RECORDS).exists():
        return False
    try:
        with held(folder, fcntl.LOCK_SH):
            return False
    except BlockingIOError:
        return True


def _is_of(folder: Path, run: RunRecord, machine: dict[str, Any]) -> bool:
    """Whether this folder holds that run, of this machine, and nobody is at work on it."""
    try:
        first = records_file.first(folder)
        if first is None or _differing(first, folder, run, machine):
            return False
        with held(folder):
            return True
    except (OSError, BadRecords):
        return False


def so_far(folder: Path) -> Progress:
    """How far its run came. Raises BadRecords and Unreadable."""
    size = records_file.size(folder)  # before it is read: what another process adds meanwhile is seen then
    records, _ = records_file.read(folder)
    finished = frozenset(r.block for r in records if isinstance(r, BlockRecord))
    failed: dict[int, set[tuple[str, ...]]] = {}
    standing = records_file.standing(records)
    for outcome in standing:
        if isinstance(outcome, OutcomeRecord) and outcome.status == "failed" and outcome.block in finished:
            failed.setdefault(outcome.block, set()).add(outcome.cell.comparison_group)
    untrained = frozenset(record.who for record in standing if isinstance(record, UntrainedRecord))
    run = records_file.run_of(records)
    lacks_costs = bool(remaining.costs(run.cells_with_costs, records))
    return Progress(folder, records, finished, failed, untrained, lacks_costs, size)


def _identity(run: RunRecord) -> dict[str, Any]:
    values = run.model_dump(mode="json", exclude={"started_at", "command", "absent", "fault_detection"})
    return values | {"code": run.code.sha256}


def _new_folder(results: Path) -> Path:
    """A folder of its own for every run; none is ever written twice."""
    stem = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    for suffix in ("", *(f"-{i}" for i in range(2, 100))):
        folder = results / f"{stem}{suffix}"
        with writing.telling(f"--results {results}"), suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
        if not results.is_dir():
            raise BadInput(f"--results {results}: is not a folder. Give one, or a name that is free.")
    raise BadInput(f"--results {results}: no free name for a new run.")
