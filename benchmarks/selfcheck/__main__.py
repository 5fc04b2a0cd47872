"""`python -m benchmarks.selfcheck`: measure known truths under load with the harness and other timers, write a page."""

import importlib.metadata
import importlib.util
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import click

from benchmarks import system, writing
from benchmarks.report import markdown
from benchmarks.selfcheck import load, page, sitting, summary, trials, units
from benchmarks.selfcheck.sitting import Comparison
from benchmarks.selfcheck.trials import Trial

SITTINGS, SITTINGS_OF_A_NIGHT = 7, 200
DEFAULTS_EVERY = 10


@click.command()
@click.option("--full", is_flag=True, help="A night instead of minutes, and the other timers at their defaults too.")
@click.option("--sittings", type=click.IntRange(min=1), help="How many rounds of all comparisons.")
@click.option("--out", default="results/selfcheck", show_default=True, type=click.Path(path_type=Path))
def main(full: bool, sittings: int | None, out: Path) -> None:
    """Measure, and write the trials and a page about them to a folder. Exit code 1 where a claim does not hold."""
    if missing := _missing():
        click.echo(f"Error: {missing} is not installed. Run: pip install {missing}", err=True)
        sys.exit(2)
    out.mkdir(parents=True, exist_ok=True)
    measured: list[Trial] = []
    facts, begin = _facts(), monotonic()
    with load.running(0, len(os.sched_getaffinity(0))):
        for number in range(sittings or (SITTINGS_OF_A_NIGHT if full else SITTINGS)):
            click.echo(f"sitting {number + 1}  {(monotonic() - begin) / 60:.1f} min", err=True)
            measured += sitting.hold(number, _compared(number, full), by_default=full and number % DEFAULTS_EVERY == 0)
            trials.write(out, measured)
    facts["took"] = f"{(monotonic() - begin) / 60:.1f} min"
    text = markdown.render(page.page(measured, system.machine(), facts), {})
    writing.text(out / "README.md", text)
    click.echo(out / "README.md")
    sys.exit(0 if all(claim.holds for claim in summary.claims(measured)) else 1)


def _compared(number: int, full: bool) -> list[Comparison]:
    """What the other timers are given: one comparison of each workload, every third time where time is short."""
    if number % 3 and not full:
        return []
    turn = number if full else number // 3
    return [(w, units.EXTRAS[(turn + i) % len(units.EXTRAS)]) for i, w in enumerate(units.WORKLOADS)]


def _missing() -> str | None:
    return next((name for name in ("pyperf", "torch") if importlib.util.find_spec(name) is None), None)


def _facts() -> dict[str, str]:
    """When, and with what; read before measuring, because the code may be changed meanwhile."""
    code = system.code_version()
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "pytest-benchmark", "pyperf", "torch")}
    return {
        "measured": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": f"{code.get('commit', 'unknown')}{' (changed since)' if code.get('dirty') else ''}",
        **versions,
    }


if __name__ == "__main__":
    main()
