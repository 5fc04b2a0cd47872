"""The command line: run, list, verify, report, export, compare, sweep, check, doctor. Data goes to standard output, progress to standard error.

Nothing heavy is imported before a command needs it, and no framework ever: those live in the workers.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from benchmarks import VERSION
from benchmarks.cli import exit_codes
from benchmarks.cli.choices import chosen
from benchmarks.cli.errors import Command, exit_code_of, prepare_streams, put, say

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # searching for them takes longer than making a plan


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="samenet", message="%(prog)s %(version)s")
def main() -> None:
    """Samenet: the same networks in several frameworks, proved equal, then timed.

    Exit codes: 0 good, 1 equivalence failed, 2 wrong input or something outside the program stood in the way, 3 some cells
    failed, a training was lost, or a comparison could not tell, 4 nothing could run, 5 regression, 6 the machine itself changed, 70 a fault of samenet itself, 130 interrupted, 143 terminated.
    """


@main.command()
@chosen
@click.option("--blocks", type=click.IntRange(min=1), help="Fresh processes per framework; a verdict needs 6.")
@click.option("--budget", metavar="TIME", help="As many blocks as fit into 90s, 10m, 1h.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of the order in which everything is measured.",
)
@click.option("--results", default="results", show_default=True, help="Where the run's folder is made.")
@click.option("--into", help="The run's own folder: a new one, or one in which the same run was stopped.")
@click.option("--force", is_flag=True, help="Begin anew, even where the same run was stopped and could go on.")
@click.option("--retry-failed", is_flag=True, help="Measure the groups with failed cells of the same run again.")
@click.option("--json", "as_json", is_flag=True, help="Print the result's paths and counts as JSON.")
def run(
    blocks: int | None,
    budget: str | None,
    seed: int,
    results: str,
    into: str | None,
    force: bool,
    retry_failed: bool,
    as_json: bool,
    **choice: Any,
) -> None:
    """Prove the implementations equal, time them, write records and a report.

    A run that was stopped goes on by itself when the same command is given again.
    """
    from benchmarks import report as reports
    from benchmarks.cli import prepare, run
    from benchmarks.cli.progress import ProgressLine

    if blocks and budget:
        raise click.UsageError("--blocks and --budget: give one of them.")
    if into and force:
        raise click.UsageError("--into and --force: a folder is never written twice. Give --into a new one.")
    prepared = prepare.prepare(unnamed=True, **choice)
    if budget:
        prepared = prepare.fit(prepared, budget)
    tell = ProgressLine()
    try:
        outcome = run.run(
            prepared, blocks, seed, Path(results), tell, force, retry_failed, Path(into) if into else None
        )
    finally:
        tell.close()
    if as_json:
        put(json.dumps(outcome.summary()))
    elif outcome.reports:
        for line in reports.answer(outcome.folder):
            put(line)
        put(str(next(path for path in outcome.reports if path.name == "report.html")))
    sys.exit(outcome.exit_code)


@main.command("list")
@chosen
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def list_cells(as_json: bool, **choice: Any) -> None:
    """Show the cells that `run` would measure, and what is missing."""
    from benchmarks.cli import prepare
    from benchmarks.rough_time import rough

    prepared = prepare.prepare(load_data=False, unnamed=True, **choice)
    for cell in prepared.plan.cells:
        put(cell.model_dump_json() if as_json else cell.id)
    prepared.say_absent(say)
    whole_s = prepared.estimate.run_s(prepared.plan.cells, prepared.request.profile)
    say(f"{len(prepared.plan.cells)} cells; `run` would take about {rough(whole_s)}")


@main.command()
@chosen
@click.option("--json", "as_json", is_flag=True, help="One proof per line, as JSON; what has none, with its reason.")
def verify(as_json: bool, **choice: Any) -> None:
    """Prove the implementations equal, in float32 and float64, and time nothing.

    The whole proof: one step from many states, ordinary and extreme, long runs, dropout's generator, what must not be
    remembered or shared, determinism, effective precision. Exit code 1 where one is not equal by its own fault.
    """
    from benchmarks.cli import prepare, verify
    from benchmarks.cli.progress import ProgressLine
    from benchmarks.report import proof_table
    from implementations.errors import BadInput

    prepared, progress = prepare.prepare(**choice), ProgressLine()

    def tell(proof: Any) -> None:
        if as_json:
            put(proof.model_dump_json())

    def tell_unproved(reason: str, **who: Any) -> None:
        if as_json:
            put(json.dumps({"kind": "unproved", **who, "reason": reason}))

    try:
        proofs, lost = verify.verify(prepared, progress, tell)
    except BadInput as problem:
        tell_unproved(str(problem))
        raise
    finally:
        progress.close()
    if proofs and not as_json:
        put(proof_table.render(proofs))
    if proofs:
        say(proof_table.summary(proofs))
    for job, reason in lost:
        tell_unproved(reason, who=job.who.model_dump())
        say(f"{job.who.label} in {job.who.precision}: could not be proved: {reason}")
    if any(proof.is_ours for proof in proofs):
        sys.exit(exit_codes.UNEQUAL)
    sys.exit(exit_codes.NOTHING if not proofs else exit_codes.FAILED if lost else exit_codes.GOOD)


@main.command()
@click.argument("folders", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--runs", "together", is_flag=True, help="One page over several runs, the first of them the baseline.")
@click.option("--into", type=click.Path(path_type=Path), help="With --runs: where to.  [default: results/together]")
@click.option("--anonymous", is_flag=True, help="Hashes in place of the names of a cluster's nodes, and no folders.")
def report(folders: tuple[Path, ...], together: bool, into: Path | None, anonymous: bool) -> None:
    """Make the report of a results folder again from its records.

    With --runs: one page over several folders.
    """
    from benchmarks import report as reports

    if together and len(folders) < 2:
        raise click.UsageError("--runs puts several runs on one page: give at least two results folders.")
    if not together and (len(folders) > 1 or into):
        raise click.UsageError("Several folders, and --into, are for one page over several runs: add --runs.")
    where = into or Path("results/together")
    if together:
        paths = reports.write_together(folders, where, say, anonymous)
    else:
        paths = reports.write(folders[0], say, anonymous)
    for path in paths:
        put(str(path))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--as", "format_", type=click.Choice(["pytest-benchmark", "summary"]), required=True, help="For which reader."
)
def export(folder: Path, format_: str) -> None:
    """Print the results of a FOLDER for another tool.

    pytest-benchmark: the JSON that `pytest-benchmark compare` reads, every round of every cell that was proved equal.
    summary: Markdown for the summary of a CI job. Tables as CSV and JSON Lines stand beside every report.
    """
    from benchmarks import report as reports

    put(reports.export(folder, format_), newline=False)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("other", metavar="FOLDER | BEFORE")
@click.argument("after", required=False, metavar="[AFTER]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all numbers unrounded.")
@click.option("--anyway", is_flag=True, help="Compare two folders although specification, data or machine differ.")
@click.option("--margin", default="3%", show_default=True, help="Differences inside it are called a tie.")
@click.option("--need", metavar="PERCENT", help="Exit code 3 where so large a slowdown could have been missed: 10%.")
@click.option("--against", metavar="NAME", help="Hold each cell of two folders against this implementation's: numpy.")
def compare(folder: Path, other: str, as_json: bool, **choice: Any) -> None:
    """Compare two results folders, or two versions within one, cell by cell.

    \b
    compare results/old results/new           a new run with an older one
    compare results/turns torch torch@next    what comes after with what was before

    The second form is for versions that took turns in one run (`run --python torch@next=PATH`). docs/ci.md has jobs for CI.

    \b
    Exit codes, of which the first that applies is given:
    1  a cell of the new run or version is unequal
    5  one is slower beyond chance, or missing, or a run's null control failed
    6  the machine itself changed: everything moved together, matrix products too
    3  it could not tell: too few blocks, --need is not met, or a cell may be slower or failed more often
    0  no regression
    """
    from benchmarks.cli import compare as comparing

    runs = comparing.compare(folder, other, **choice)
    put(json.dumps(comparing.as_json(runs), allow_nan=False) if as_json else comparing.render(runs))
    sys.exit(comparing.exit_code(runs))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(path_type=Path), required=True, help="The sweep's folder, new or its own.")
@click.option("--dry-run", is_flag=True, help="Show what would be asked of Slurm, and write nothing.")
@click.option("--status", is_flag=True, help="Show how far every run came, and submit nothing.")
@click.option("--wait", is_flag=True, help="Wait until all runs have ended, then make their report.")
def sweep(file: Path, into: Path, dry_run: bool, status: bool, wait: bool) -> None:
    """Run the benchmark on every kind of machine of a Slurm cluster.

    FILE says which kinds, and what is asked of Slurm; one report comes of it. Given again, the command submits what is neither done
    nor in the queue: a run that was killed or lost goes on. The exit code is that of the runs that have ended. docs/cluster.md has
    the file.
    """
    from benchmarks.cli import sweep

    if dry_run + status + wait > 1:
        raise click.UsageError("--dry-run, --status and --wait: give one of them.")
    sweep.check(file, run)
    if dry_run:
        sweep.show(file, into)
    elif status:
        sys.exit(sweep.tell(file, into))
    else:
        sys.exit(sweep.submit(file, into, wait))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def check(folder: Path) -> None:
    """Say whether the run in a FOLDER may be sent in, and how to pack it.

    Exit code 3 where it may not.
    """
    from benchmarks import report as reports
    from benchmarks.cli import check

    run = reports.shared(folder)
    put(check.render(folder, run))
    sys.exit(exit_codes.FAILED if run.problems else exit_codes.GOOD)


@main.command()
@click.option("--deep", is_flag=True, help="Import every framework, and compile with those that need a compiler.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def doctor(deep: bool, as_json: bool) -> None:
    """Say what this machine has, what is missing, and how to get it."""
    from benchmarks.cli import doctor

    state = doctor.examine(deep)
    put(json.dumps(state, indent=2) if as_json else doctor.render(state))


def program() -> None:
    """What is started as a process of its own."""
    prepare_streams()
    exit_codes.end_as_interrupted()
    sys.exit(exit_code_of(main))
