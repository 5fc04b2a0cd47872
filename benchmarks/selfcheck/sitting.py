"""One sitting: the harness and the other timers on the same comparisons, in the same minutes, for the same time."""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import cast

from pydantic import BaseModel

from benchmarks import statistics, system
from benchmarks.plan.profiles import PROFILES, Profile
from benchmarks.records.record import OutcomeRecord, Record, TimingRecord
from benchmarks.runner import worker_process
from benchmarks.runner.blocks import Runner
from benchmarks.runner.networks import Network
from benchmarks.selfcheck import peers, trials, units
from benchmarks.selfcheck.trials import Trial
from implementations.contract import Spec

BLOCKS = 16
"""Of one comparison. With 8, in 4 s, a machine that others use too left up to 4%, and fewer than 60% of the equals were called tied."""

ROUNDS, ROUND_S = PROFILES["full"].rounds, PROFILES["full"].round_s

Comparison = tuple[str, int]
"""A workload, and how many units more the candidate does."""


class Nothing(BaseModel):
    """The specification of units: there is none, so it has no fields to be stored."""


def hold(number: int, compared_with: Sequence[Comparison], by_default: bool = False) -> list[Trial]:
    """Measure all comparisons with the harness and some with each other tool, in an order drawn for this sitting.

    The tools get as many seconds for a comparison as the harness took, without their starting, and the same core;
    `by_default`: once more, as long as they choose.
    """
    order, measured = random.Random(number), harness(number)
    tools = order.sample(list(peers.HEADLINE), len(peers.HEADLINE)) if compared_with else []
    for tool in tools:
        measured += peer(number, tool, compared_with, measured[0].seconds, order)
        measured += peer(number, tool, compared_with, None, order) if by_default else []
    return measured


def harness(number: int) -> list[Trial]:
    """Every comparison in one run, as `run` does it. Raises RuntimeError where a cell could not be timed."""
    records: list[Record] = []
    profile = Profile("selfcheck", (), BLOCKS, ROUNDS, ROUND_S, (), 0)
    cells = units.cells()
    begin = monotonic()
    Runner(
        {"units": Network(cast(Spec, Nothing()), {})}, cells, profile, BLOCKS, number, records.append,
        program="benchmarks.selfcheck.bench", null_control=False,
    ).execute()  # fmt: skip
    comparisons = list(dict.fromkeys((cell.phase, int(cell.axes["extra"])) for cell in cells))
    seconds = (monotonic() - begin) / len(comparisons)
    if lost := [r.reason for r in records if isinstance(r, OutcomeRecord)]:
        raise RuntimeError(f"selfcheck: a cell was not timed: {lost[0]}")
    return [trials.ours(number, w, extra, seconds, _logs(records, w, extra)) for w, extra in comparisons]


def peer(
    number: int, tool: str, comparisons: Sequence[Comparison], seconds: float | None, order: random.Random
) -> list[Trial]:
    """Some comparisons by another tool, `seconds` for both sides of one together (None: its default).

    Raises RuntimeError where the tool fails.
    """
    names = {c: [peers.name(*c, side) for side in order.sample(units.SIDES, 2)] for c in comparisons}
    with tempfile.TemporaryDirectory(prefix="samenet-") as folder:
        out = Path(folder) / "samples.json"
        command = [sys.executable, "-m", f"{peers.__name__}.{tool}", "--out", str(out)]
        command += ["--cells", ",".join(name for pair in names.values() for name in pair)]
        command += ["--seconds", str(seconds / 2)] if seconds else []
        begin = monotonic()
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=system.ROOT, env=_environment(), check=False
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace")
            raise RuntimeError(f"selfcheck: {tool}: it ended with {worker_process.ending(done.returncode, said)}")
        took = (monotonic() - begin) / len(comparisons)
        samples = json.loads(out.read_text(encoding="utf-8"))
    measured = []
    for workload, extra in comparisons:
        sides = {side: samples[peers.name(workload, extra, side)] for side in units.SIDES}
        trial = trials.peers(number, tool, workload, extra, seconds or took, sides)
        measured.append(replace(trial, by_default=seconds is None))
    return measured


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(system.ROOT), os.environ.get("PYTHONPATH", "")]))
    return os.environ | system.thread_environment(1) | {"PYTHONPATH": path}


def _logs(records: Sequence[Record], workload: str, extra: int) -> list[float]:
    """The log ratio of each block, candidate over reference."""
    timed = {
        (r.block, r.cell.who.framework): r.per_call
        for r in records
        if isinstance(r, TimingRecord) and (r.cell.phase, r.cell.axes["extra"]) == (workload, extra)
    }
    return [
        statistics.log_ratio(timed[block, units.CANDIDATE], timed[block, units.REFERENCE]) for block in range(BLOCKS)
    ]
