"""A time belongs to the code that its run names: whether that is still there is asked at the end of every block and of the run."""

from collections.abc import Callable

from benchmarks.cli.outcome import Outcome
from benchmarks.records.record import BlockRecord, ChangedRecord, Record, RunRecord

CHANGED = (
    "the code was changed while the run went on: what was recorded since the last whole block does not count. "
    "With the code as it was the same command goes on; the new code is another run"
)


class CodeChanged(Exception):
    """While a run went on; the message says what becomes of it."""


class SameCode:
    """Keeps a run's records as long as its code is what the first of them names."""

    def __init__(self, outcome: Outcome, first: RunRecord, code_sha256: Callable[[], str]) -> None:
        self.outcome, self.first, self.code_sha256 = outcome, first, code_sha256

    def keep(self, record: Record) -> None:
        """A record on its way to the results. Raises CodeChanged where a block ends in other code than it began in."""
        if isinstance(record, BlockRecord):
            self.ask()
        self.outcome.keep(record)

    def ask(self) -> None:
        """Whether the code is the same. Raises CodeChanged, and says so in the records."""
        if (now := self.code_sha256()) != self.first.code.sha256:
            self.outcome.keep(ChangedRecord(code_sha256=now))
            raise CodeChanged(CHANGED)

    def after_an_interruption(self) -> str:
        """What becomes of what was measured."""
        try:
            self.ask()
        except CodeChanged as problem:
            return f"interrupted, and {problem}"
        return "interrupted: what was measured is kept, and the same command goes on with it"
