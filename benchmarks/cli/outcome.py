"""What a run came to: its records as they come, and its exit code."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import writing
from benchmarks.cli import exit_codes
from benchmarks.records import records_file
from benchmarks.records.configuration import size_order
from benchmarks.records.record import OutcomeRecord, ProofRecord, Record, TimingRecord, UntrainedRecord


@dataclass
class Outcome:
    """What a run came to."""

    folder: Path
    planned: int
    blocks: int
    reports: list[Path] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    more_until_s: float = 0.0
    """By the monotonic clock: until then further blocks are taken."""

    interrupted: int = 0
    """The exit code of what stopped it, or 0."""

    size: int | None = None
    """How long this process left the file of the records, in bytes."""

    @property
    def exit_code(self) -> int:
        """Interrupted before unequal, before some cells failed, before nothing was timed.

        What is unequal by a listed limit of its framework alone, as stock Keras with Adam, is no fault of the run's: it has no
        rank, and the report says why.
        """
        standing = records_file.standing(self.records)
        timed = any(isinstance(r, TimingRecord) for r in self.records)
        statuses = {r.status for r in standing if isinstance(r, OutcomeRecord)}
        untrained = any(isinstance(r, UntrainedRecord) for r in standing)
        if self.interrupted:
            return self.interrupted
        if self._is_unequal(standing):
            return exit_codes.UNEQUAL
        if "failed" in statuses or untrained:
            return exit_codes.FAILED
        return exit_codes.GOOD if timed else exit_codes.NOTHING

    def _is_unequal(self, standing: Sequence[Record]) -> bool:
        """Whether something is, and no limit of the framework's own explains it."""
        failed = [record for record in standing if isinstance(record, ProofRecord) and not record.passed]
        explained = {(proof.who, size_order(proof.axes)) for proof in failed}
        unequal = (r.cell for r in standing if isinstance(r, OutcomeRecord) and r.status == "unequal")
        return any(proof.is_ours for proof in failed) or any(
            (cell.who, size_order(cell.axes)) not in explained for cell in unequal
        )

    def keep(self, result: Record) -> None:
        """Append a record to the results. Raises Unwritable."""
        path = self.folder / records_file.RECORDS
        if not path.exists():  # it is there from the beginning, and locked
            raise writing.Unwritable(path, "is gone: somebody removed or moved it while the run was at work")
        self.size = records_file.append(path, result, self.size)
        self.records.append(result)

    @contextmanager
    def saying(self, note: str) -> Iterator[None]:
        """Whatever ends the run within tells what becomes of its results."""
        try:
            yield
        except Exception as problem:  # whatever it is, it goes on: only a note is added
            if (self.folder / records_file.RECORDS).exists():
                problem.add_note(f"What was measured before is kept in {self.folder}: {note}.")
            raise

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
