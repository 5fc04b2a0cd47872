"""Which machines measured a run's blocks: one, or several of a kind where it was stopped on one and went on on another; and records without names."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from benchmarks import system, wording
from benchmarks.analysis.results import Results
from benchmarks.records.record import BlockRecord, OutcomeRecord, Record, RunRecord, UntrainedRecord


def anonymous(records: Iterable[Record]) -> list[Record]:
    """The same records with hashes in place of the machines' names, and of paths the last part: folders tell of people."""
    return [_anonymous(record) for record in records]


def _anonymous(record: Record) -> Record:
    if isinstance(record, BlockRecord) and record.node:
        return record.model_copy(update={"node": hashlib.sha256(record.node.encode()).hexdigest()[:12]})
    if isinstance(record, RunRecord):
        pythons = {name: system.without_folders(path) for name, path in record.pythons.items()}
        command = [system.without_folders(word) for word in record.command]
        absent = [row.model_copy(update={"reason": system.without_folders(row.reason)}) for row in record.absent]
        return record.model_copy(update={"command": command, "pythons": pythons, "absent": absent})
    if isinstance(record, OutcomeRecord | UntrainedRecord):
        lines = [system.without_folders(line) for line in record.last_lines]
        return record.model_copy(update={"reason": system.without_folders(record.reason), "last_lines": lines})
    return record


def of(results: Results) -> str:
    """The machines, of several with the numbers of their blocks: "n1 (blocks 1 and 2), n2 (block 3)"; nothing where it is not told."""
    blocks: dict[str, list[int]] = defaultdict(list)
    for block in results.blocks:
        if block.node:
            blocks[wording.clean(block.node)].append(block.block + 1)
    return ", ".join(f"{node} ({_numbers(measured)})" if len(blocks) > 1 else node for node, measured in blocks.items())


def warning(results: Results) -> str:
    """A sentence where there were several; else nothing."""
    several = len({block.node for block in results.blocks if block.node}) > 1
    return (
        f"Blocks of several machines of one kind: {of(results)}. Ratios are taken within a block; a time is over all of them."
        if several
        else ""
    )


def _numbers(blocks: list[int]) -> str:
    return f"block{'s' * (len(blocks) > 1)} {wording.listed(map(str, sorted(blocks)))}"
