"""pyperf: `Runner.bench_func`, which starts this program again for each of its processes."""

from argparse import Namespace
from pathlib import Path

import pyperf

from benchmarks import system
from benchmarks.selfcheck import peers, units

VALUES, VALUE_S = 3, 0.15
"""A process's values and its one warm-up take 0.1 s or a little more each: their calls are a power of two."""


def processes(seconds: float) -> int:
    """How many processes fit into a time, at least the two that a spread takes."""
    return max(2, round(seconds / ((VALUES + 1) * VALUE_S)))


def main() -> None:
    """Measure what the command line asks for; the options before `--cells` are pyperf's own."""
    system.pin(1)
    runner = pyperf.Runner(
        values=VALUES, show_name=False, add_cmdline_args=_pass_on,
        program_args=("-m", "benchmarks.selfcheck.peers.pyperf_timer"),
    )  # fmt: skip
    for option in ("--cells", "--seconds", "--out"):
        runner.argparser.add_argument(option)
    given = runner.parse_args()
    if given.seconds:
        runner.args.processes = processes(float(given.seconds))
    samples = {}
    for cell in given.cells.split(","):
        benchmark = runner.bench_func(cell, Lazily(cell))
        if benchmark and not given.worker:
            samples[cell] = list(benchmark.get_values())
    if not given.worker:
        peers.answer(Path(given.out), samples)


class Lazily:
    """A cell's callable, made by its first call: every process of pyperf's names all cells and calls one."""

    def __init__(self, cell: str) -> None:
        self.cell = cell
        self.made: units.Call | None = None

    def __call__(self) -> None:
        """One call."""
        if self.made is None:
            self.made = peers.call(self.cell)
        self.made()


def _pass_on(command: list[str], given: Namespace) -> None:
    command += ["--cells", given.cells, "--out", given.out]


if __name__ == "__main__":
    main()
