"""The other timers, used as their own documentation says: one cell after the other, in one process, each by its rules.

A program per tool, started as `python -m benchmarks.selfcheck.peers.TOOL`; only how long it may measure is set.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import system
from benchmarks.selfcheck import units

HEADLINE = {"pytest_timer": "median", "pyperf_timer": "mean", "torch_timer": "median"}
"""Each program, and the statistic that its tool puts forward."""


@dataclass(frozen=True)
class Arguments:
    """What a program is to do. `seconds` are for one cell; None: the tool's default."""

    cells: Sequence[str]
    seconds: float | None
    out: Path

    def answer(self, samples: dict[str, list[float]]) -> None:
        """Seconds per call, by cell."""
        self.out.write_text(json.dumps(samples), encoding="utf-8")


def parse_arguments() -> Arguments:
    """From the command line; and only one core from here on, as in a worker of the harness."""
    system.pin(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=lambda text: text.split(","), required=True)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    return Arguments(given.cells, given.seconds, given.out)


def name(workload: str, extra: int, side: str) -> str:
    """What a cell is called."""
    return f"{workload}:{extra}:{side}"


def call(named: str) -> units.Call:
    """The cell's callable."""
    workload, extra, side = named.split(":")
    return units.call(workload, int(extra), side)
