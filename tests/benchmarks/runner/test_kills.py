"""A run that is killed eight times, at random moments, and gone on with: it ends with the results of a run that nobody
disturbed, because on the virtual clock both measure the same."""

import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.analysis import ranking, results, run_quality
from benchmarks.records import records_file
from benchmarks.records.record import BlockRecord, Record, TimingRecord
from benchmarks.records.records_file import BadRecords
from tests.support import virtual_run
from tests.support.virtual_run import BLOCKS, CELLS, PHASES

KILLS = 8
PATIENCE_S = 20.0

FIRST_WORD, STARTING = -1, 0
"""Stages: from the first line of progress on; while the workers of a block start. Parts are stages from 1."""

DELAY_S = {FIRST_WORD: 0.05, STARTING: 0.8} | dict.fromkeys(range(1, len(PHASES) + 1), 0.15)
"""A kill comes at most so long after the line that announces its stage."""

STAGES = [FIRST_WORD, STARTING, STARTING, *DELAY_S]
"""To choose from: most of a block's time goes into starting."""


@dataclass(frozen=True, order=True)
class Moment:
    """When to kill: so long after a stage of a block has begun, or as soon as the run has come further than that."""

    block: int
    stage: int
    delay_s: float


def moments(rng: random.Random) -> list[Moment]:
    """All, in the order of the run, two of them at least before any block is finished.

    In the last block there is time for a kill only while its workers start: after that the run might be faster.
    """
    blocks = [0, 0, *(rng.randrange(BLOCKS) for _ in range(KILLS - 2))]
    stages = [rng.choice([FIRST_WORD, STARTING] if block == BLOCKS - 1 else STAGES) for block in blocks]
    found = [Moment(*at, rng.uniform(0, DELAY_S[at[1]])) for at in zip(blocks, stages, strict=True)]
    return sorted(
        replace(moment, delay_s=moment.delay_s / 10) if moment.block == BLOCKS - 1 else moment for moment in found
    )


def killed(results: Path, moment: Moment) -> virtual_run.Process:
    """One more call of the same run, killed at that moment."""
    run = virtual_run.Process(results)
    for line in run.lines():
        said = re.match(r"block (\d+)/\d+  (?:starting|part (\d+))", line)
        reached = (int(said[1]) - 1, int(said[2] or STARTING)) if said else (moment.block, FIRST_WORD)
        if reached >= (moment.block, moment.stage):
            break
    time.sleep(moment.delay_s)
    run.kill()
    assert run.end() == -signal.SIGKILL, "it came to its end before it was killed"
    return run


def has_left_nobody(run: virtual_run.Process) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while run.survivors() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not run.survivors()


def stored(folder: Path) -> list[Record]:
    """The records of the run, if it came as far as that."""
    for path in sorted(folder.glob(f"*/{records_file.RECORDS}"), reverse=True):
        with suppress(BadRecords):
            return records_file.read(path.parent)[0]
    return []


def finished(records: Iterable[Record]) -> list[int]:
    return [found.block for found in records if isinstance(found, BlockRecord)]


def measured(records: Iterable[Record]) -> Counter[tuple[int, str]]:
    """How often each cell was measured in each block."""
    return Counter((r.block, r.cell.id) for r in records if isinstance(r, TimingRecord))


def check_what_a_process_added(before: list[Record], after: list[Record]) -> None:
    """It kept what was there, began with the first block that was not finished, and measured nothing twice."""
    assert after[: len(before)] == before
    added = after[len(before) :]
    assert finished(after) == list(range(len(finished(after))))
    blocks = list(dict.fromkeys(block for block, _ in measured(added)))
    assert blocks == list(range(len(finished(before)), len(finished(before)) + len(blocks)))
    assert set(measured(added).values()) <= {1}


def findings(folder: Path) -> list[Any]:
    """All that the report can say of times: every estimate, interval, verdict and rank, and what taking turns cost."""
    found = results.gather(stored(folder), [], {})
    shifts = [(turns.who, turns.shift) for turns in run_quality.turn_quality(found)]
    return [ranking.comparison_groups(found), shifts]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a stopped process whose parent was killed")
def test_a_run_that_is_killed_many_times_ends_with_the_results_of_one_that_was_not(tmp_path: Path) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    before: list[Record] = []
    progress = []
    for moment in moments(random.Random(1)):
        run = killed(disturbed, moment)
        assert has_left_nobody(run)
        after = stored(disturbed)
        check_what_a_process_added(before, after)
        before = after
        progress.append(len(finished(after)))
    to_the_end = [virtual_run.Process(folder) for folder in (disturbed, undisturbed)]
    assert [run.end() for run in to_the_end] == [0, 0]
    after = stored(disturbed)
    check_what_a_process_added(before, after)
    assert finished(after) == list(range(BLOCKS))
    assert progress.count(0) >= 2
    assert sum(measured(after).values()) > BLOCKS * len(CELLS)  # some parts were repeated
    groups, shifts = findings(disturbed)
    assert [groups, shifts] == findings(undisturbed)
    assert [[ranking.verdict(place) for place in group.rivals] for group in groups] == [["slower"], ["tied"]]
