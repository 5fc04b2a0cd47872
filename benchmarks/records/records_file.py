"""The file of a run's records, `records.jsonl`: one JSON object per line, appended to, read with every bad line set aside."""

import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from benchmarks.records.record import OutcomeRecord, Record, RunRecord, TimingRecord
from benchmarks.records.run_record import SCHEMA_VERSION

RECORDS = "records.jsonl"


class BadRecords(ValueError):
    """A folder or file that holds no readable results; the message says which and what to do."""


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def parse(line: str) -> Record:
    """One line of a records file, or of a worker's output. Raises pydantic's ValidationError."""
    return _adapter().validate_json(line)


def append(path: Path, record: Record) -> None:
    """Write one record at the end of the file. A line that was cut short before stays a line of its own."""
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            cut = file.read(1) != b"\n"
        else:
            cut = False
        file.write((b"\n" if cut else b"") + record.model_dump_json().encode() + b"\n")


def read(folder: Path) -> tuple[list[Record], list[str]]:
    """All good records of a results folder, and a sentence for each line that is not one.

    Raises BadRecords where there is no run to read.
    """
    path = folder / RECORDS
    if not path.is_file():
        raise BadRecords(f"{folder}: not a results folder (no records.jsonl). Give a folder that `run` made.")
    records, problems = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").rstrip("\n").split("\n"), start=1):
        try:
            records.append(parse(line))
        except ValidationError as error:
            problems.append(f"{path.name} line {number} was set aside: {_first_reason(error, line)}")
    run = next((record for record in records if record.kind == "run"), None)
    if run is None:
        raise BadRecords(f"{path}: holds no run record, so its results cannot be read. " + " ".join(problems[:1]))
    if run.schema_version != SCHEMA_VERSION:
        raise BadRecords(f"{path}: schema version {run.schema_version}; this samenet reads version {SCHEMA_VERSION}.")
    return records, problems


def standing(records: Iterable[Record]) -> list[Record]:
    """The records without those that a later record of the same cell and block replaces: an outcome before a timing, or
    a timing before an outcome (the block was stopped, and the cell failed when it was repeated)."""
    current: list[Record] = []
    later: dict[tuple[str, int], type] = {}
    for record in reversed(list(records)):
        if isinstance(record, OutcomeRecord) or (isinstance(record, TimingRecord) and not record.control):
            where = record.cell.id, record.block
            if later.setdefault(where, type(record)) is not type(record):
                continue
        current.append(record)
    return current[::-1]


def run_of(records: Iterable[Record]) -> RunRecord:
    """The run record among the records."""
    return next(record for record in records if isinstance(record, RunRecord))


def _first_reason(error: ValidationError, line: str) -> str:
    try:
        json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return "it is cut short or is not JSON"
    mistake = error.errors()[0]
    return f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg']}"
