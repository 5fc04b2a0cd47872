"""The other timers, used as their own documentation says: one cell after the other, in one process, each by its rules.

A program per tool, started as `python -m benchmarks.selfcheck.peers.TOOL`; only how long it may measure is set.
"""

import argparse
import json
from pathlib import Path

from benchmarks import system
from benchmarks.selfcheck import units

HEADLINE = {"pytest_timer": "median", "pyperf_timer": "mean", "torch_timer": "median"}
"""Each program, and the statistic that its tool puts forward."""


def answer(out: Path, samples: dict[str, list[float]]) -> None:
    """Seconds per call, by cell."""
    out.write_text(json.dumps(samples), encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """`cells`, `seconds` for one of them (None: the tool's default) and `out`, from the command line; and only one core from here on, as in a worker of the harness."""
    system.pin(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=lambda text: text.split(","), required=True)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def name(workload: str, extra: int, side: str) -> str:
    """What a cell is called."""
    return f"{workload}:{extra}:{side}"


def call(named: str) -> units.Call:
    """The cell's callable."""
    workload, extra, side = named.split(":")
    return units.call(workload, int(extra), side)
