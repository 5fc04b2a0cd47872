"""What is recorded while the code changes does not count, whatever ends the run."""

from pathlib import Path

import pytest

from benchmarks.cli.outcome import Outcome
from benchmarks.cli.same_code import CodeChanged, SameCode
from benchmarks.records import records_file
from benchmarks.records.record import BlockRecord, Record, StartRecord
from benchmarks.records.run_record import CodeFacts
from tests.support import synthetic

NUMPY = synthetic.cell("numpy")
FIRST = synthetic.run([NUMPY]).model_copy(update={"code": CodeFacts(sha256="a")})
START = StartRecord(who=NUMPY.who, import_s=1.0)


def begun(folder: Path, *codes: str) -> SameCode:
    """A run of code "a" in which one block was measured whole."""
    outcome, found = Outcome(folder, planned=1, blocks=2), iter(["a", *codes])
    (folder / records_file.RECORDS).touch()
    code = SameCode(outcome, FIRST, lambda: next(found))
    for record in (FIRST, synthetic.timing(NUMPY, 0, 1e-3), BlockRecord(block=0, wall_s=1.0)):
        code.keep(record)
    return code


def standing(code: SameCode) -> list[str]:
    return [record.kind for record in records_file.standing(code.outcome.records)]


LATER: list[Record] = [synthetic.timing(NUMPY, 1, 1e-3), synthetic.proof(NUMPY, 1), START]


def test_of_the_same_code_everything_counts(tmp_path: Path) -> None:
    code = begun(tmp_path, "a", "a")
    for record in LATER:
        code.keep(record)
    assert code.after_an_interruption().startswith("interrupted: what was measured is kept")
    assert standing(code) == ["run", "timing", "block", "timing", "proof", "start"]


def test_at_the_end_and_after_an_interruption_it_is_asked_too(tmp_path: Path) -> None:
    code = begun(tmp_path, "b", "b")
    for record in LATER:
        code.keep(record)
    with pytest.raises(CodeChanged, match="the new code is another run"):
        code.ask()
    assert code.after_an_interruption().startswith("interrupted, and the code was changed")
    assert standing(code) == ["run", "timing", "block", "changed"]
