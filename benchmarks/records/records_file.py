"""The file of a run's records, `records.jsonl`: one JSON object per line, appended to, read with every bad line set aside."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from pydantic import TypeAdapter, ValidationError

from benchmarks import reading, writing
from benchmarks.records.record import (
    BlockRecord,
    ChangedRecord,
    Configuration,
    LearningRecord,
    OutcomeRecord,
    Record,
    RunRecord,
    SourceRecord,
    TimingRecord,
    UntrainedRecord,
)
from benchmarks.records.run_record import SCHEMA_VERSION

RECORDS = "records.jsonl"
NO_TEXT = "\ufffd"
"""What a damaged byte is read as. We write it escaped alone: in a name it may stand there, and what a worker said may hold it."""

_BEGIN = '{"kind":"run",'
"""How the first record of a run is written."""


class BadRecords(ValueError):
    """A folder or file that holds no readable results; the message says which and what to do."""


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def parse(line: str) -> Record:
    """One line of a records file, or of a worker's output. Raises pydantic's ValidationError."""
    return _adapter().validate_json(line)


def append(path: Path, record: Record, size: int | None = None) -> int:
    """Write one record at the end of the file, which was left `size` bytes long; returns its new length. Raises Unwritable."""
    return writing.line(path, record.model_dump_json().replace(NO_TEXT, r"\ufffd").encode(), size)


def size(folder: Path) -> int:
    """How long the file of a run's records is, in bytes; 0 where there is none."""
    path = folder / RECORDS
    return path.stat().st_size if path.exists() else 0


def read(folder: Path) -> tuple[list[Record], list[str]]:
    """All good records of a results folder, and a sentence for each line that is not one, and for a second run's.

    Raises BadRecords where there is no run to read, Unreadable where the file cannot be read.
    """
    records: list[Record] = []
    problems = []
    run, path = None, folder / RECORDS
    with _opened(folder) as file:
        for number, line in enumerate(file, start=1):
            if NO_TEXT in line:
                problems.append(f"{RECORDS} line {number} was set aside: it holds bytes that are no UTF-8")
                continue
            try:
                record = parse(line)
            except ValidationError as error:
                problems.append(f"{RECORDS} line {number} was set aside: {_reason(path, line, error)}")
                continue
            if isinstance(record, RunRecord):
                if run:
                    problems.append(f"{RECORDS} from line {number} on was set aside: another run begins there")
                    break
                run = record
            records.append(record)
    if run is None:
        raise BadRecords(f"{path}: holds no run record, so its results cannot be read. " + " ".join(problems[:1]))
    _check_version(path, run.schema_version)
    return records, problems


def first(folder: Path) -> RunRecord | None:
    """The first record of a run; None where the run was stopped before it was there.

    Raises BadRecords where something else comes first, and Unreadable.
    """
    path = folder / RECORDS
    with _opened(folder) as file:
        for line in file:
            try:
                record = parse(line)
            except ValidationError as error:
                reason = _reason(path, line, error)
                if _json(line) is None and _BEGIN.startswith(line.rstrip("\n")[: len(_BEGIN)]):
                    continue  # it was being written, and the next begins on a line of its own
                raise BadRecords(f"{path}: {reason}") from None
            if isinstance(record, RunRecord):
                return record
            raise BadRecords(f"{path}: does not begin with a run record")
    return None


@contextmanager
def _opened(folder: Path) -> Iterator[TextIO]:
    try:
        with reading.opened(folder / RECORDS) as file:
            yield file
    except reading.Unreadable as problem:
        if problem.missing:
            raise BadRecords(f"{folder}: not a results folder (no {RECORDS}). Give a folder that `run` made.") from None
        raise


def _json(line: str) -> Any:
    """What stands in a line, or None where it is no JSON that can be read."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _reason(path: Path, line: str, error: ValidationError) -> str:
    """What is wrong with a line. Raises BadRecords where it begins a run of another version, which may have other fields."""
    held = _json(line)
    if isinstance(held, dict) and held.get("kind") == "run" and "schema_version" in held:
        _check_version(path, held["schema_version"])
    if held is None:
        return "it is cut short or is not JSON"
    mistake = error.errors()[0]
    return f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg']}"


def _check_version(path: Path, version: object) -> None:
    if version != SCHEMA_VERSION:
        raise BadRecords(
            f"{path}: schema version {version}; this samenet reads version {SCHEMA_VERSION}. "
            "Measure again, or read it with the samenet that wrote it."
        )


def standing(records: Iterable[Record]) -> list[Record]:
    """The records without those that a later record of the same cell and block replaces: an outcome before a timing, or
    a timing before an outcome (the block was stopped, and the cell failed when it was repeated). And without lost
    trainings that were made later, and what was recorded while the code changed."""
    current: list[Record] = []
    later: dict[tuple[str, int], type] = {}
    trained: set[tuple[Configuration, int]] = set()
    for record in reversed(_of_the_same_code(records)):
        if isinstance(record, LearningRecord):
            trained.add((record.who, record.seed))
        if isinstance(record, UntrainedRecord) and (record.who, record.seed) in trained:
            continue
        if isinstance(record, OutcomeRecord) or (isinstance(record, TimingRecord) and not record.control):
            where = record.cell.id, record.block
            if later.setdefault(where, type(record)) is not type(record):
                continue
        current.append(record)
    return current[::-1]


def _of_the_same_code(records: Iterable[Record]) -> list[Record]:
    """Without what was recorded between the last whole block and a change of the code."""
    kept: list[Record] = []
    whole = 0
    for record in records:
        if isinstance(record, ChangedRecord):
            kept[whole:] = [since for since in kept[whole:] if isinstance(since, RunRecord | SourceRecord)]
        kept.append(record)
        whole = len(kept) if isinstance(record, BlockRecord) else whole
    return kept


def run_of(records: Iterable[Record]) -> RunRecord:
    """The run record among the records."""
    return next(record for record in records if isinstance(record, RunRecord))
