"""What `sweep` says, does and ends with."""

import json
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import click

from benchmarks import report
from benchmarks.cli import exit_codes, options, prepare
from benchmarks.cli.errors import put, say
from benchmarks.cli.outcome import Outcome
from benchmarks.records import records_file
from benchmarks.records.record import Record, TimingRecord
from benchmarks.sweep import slurm
from benchmarks.sweep.sweep import ALIVE, State, Sweep
from benchmarks.sweep.sweep_file import SweepFile
from implementations.errors import BadInput, Unavailable

ASKS_AGAIN_S = 10.0
"""How often Slurm is asked while somebody waits."""

LOST_AFTER_S = 60.0
"""A file that a node has just written may be seen elsewhere only so much later (NFS keeps what it knows of a folder)."""

OF_ONE_RUN = {"into": "--into", "results": "--results", "force": "--force", "retry_failed": "--retry-failed"}
"""Options of `run` that a sweep gives itself, or that would begin anew whenever a run goes on."""

NOT_OF_CELLS = {*OF_ONE_RUN, "blocks", "budget", "seed", "as_json"}
OF_THE_NODE = {"threads": None, "pythons": ()}
"""Options of which only the node can say whether it has what they name."""


def check(path: Path, run: click.Command) -> None:
    """Whether `run` takes the options, as far as this machine can tell, before a cluster is asked. Raises BadInput."""
    file = SweepFile.load(path)
    try:
        context = run.make_context("run", list(file.run), parent=click.get_current_context())
    except click.ClickException as problem:
        raise BadInput(f"{path}: run = {file.run}: {problem.format_message()}") from None
    except click.exceptions.Exit:
        raise BadInput(f"{path}: run: --help measures nothing. Leave it out.") from None
    told = [name for name in OF_ONE_RUN if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT]
    if told:
        given = ", ".join(OF_ONE_RUN[name] for name in told)
        raise BadInput(f"{path}: run: {given}: a sweep has a folder for each run, and goes on by itself. Leave it out.")
    options.profile(context.params["profile"])
    if budget := context.params["budget"]:
        options.seconds(budget)
    if not any(kind.python for kind in file.kinds.values()):  # another interpreter may know other frameworks
        choice = {name: value for name, value in context.params.items() if name not in NOT_OF_CELLS}
        with suppress(Unavailable):  # the nodes may have what this machine has not
            prepare.prepare(load_data=False, **choice | OF_THE_NODE)


def show(path: Path, into: Path) -> None:
    """Print what would be asked of Slurm; write nothing."""
    sweep = Sweep(path, into)
    sweep.executors()
    states = {state.run: state.word for state in sweep.states()}
    for run, kind in sweep.asked.runs().items():
        ours = {"python": kind.python or sys.executable, "setup": kind.setup}
        put(f"{run:20} {states[run] if states[run] in ('done', *ALIVE) else 'would be submitted'}")
        for name, value in (ours | slurm.parameters(sweep.asked.slurm, kind)).items():
            put(f"    {name} = {json.dumps(value)}")
    put(f"each: PYTHON -m benchmarks run {shlex.join(['--into', f'{sweep.folder}/NAME', *sweep.asked.run])}")


def tell(path: Path, into: Path) -> int:
    """Print how far every run came; returns the exit code of what has ended."""
    sweep = Sweep(path, into)
    if not sweep.submitted():
        say(f"--into {into}: nothing was submitted there yet.")
    states = sweep.states()
    _put(states)
    return _exit_code(sweep, states)


def submit(path: Path, into: Path, wait: bool) -> int:
    """Submit what is neither done nor in the queue; make the report where nothing is left there, after a wait if asked to."""
    sweep = Sweep(path, into)
    executors = sweep.executors()
    slurm.queue()  # raises where there is none, before a folder is made
    try:
        with sweep.alone():
            left = [state.run for state in sweep.states() if state.word not in ("done", *ALIVE)]
            sweep.submit({run: executors[run] for run in left}, say)
        states = _waited_for(sweep) if wait else sweep.states()
    except KeyboardInterrupt:
        say("The jobs that were submitted go on.")
        raise
    if not any(state.word in ALIVE for state in states):
        answer = _report(sweep)  # first of all: nobody may be reading what is printed
        _put(states)
        for line in answer:
            put(line)
    else:
        _put(states)
        say(
            "The jobs go on by themselves. --status says how far they are; --wait, or the same command later, makes the report."
        )
    return _exit_code(sweep, states)


def _waited_for(sweep: Sweep) -> list[State]:
    """The states when nothing is in the queue any more; says what changed on the way."""
    before: list[State] = []
    quiet_s = 0.0
    while True:
        try:
            states = sweep.states()
        except Unavailable as problem:  # a controller may be away for a while; the jobs go on
            say(str(problem))
        else:
            for state in states:
                if state not in before:
                    say(_line(state))
            words, before = {state.word for state in states}, states
            quiet_s = 0.0 if words & {*ALIVE} else quiet_s + ASKS_AGAIN_S
            if quiet_s > (LOST_AFTER_S if "lost" in words else 0.0):
                return states
        time.sleep(ASKS_AGAIN_S)


def _put(states: Sequence[State]) -> None:
    for state in states:
        put(_line(state))


def _line(state: State) -> str:
    return f"{state.run:20} {state.word:8} {state.blocks:15} {state.note}".rstrip()


def _report(sweep: Sweep) -> list[str]:
    """One page over all runs that timed something, or that of the only one; returns what it answers, and where it is."""
    timed = (run for run, records in _records(sweep) if any(isinstance(record, TimingRecord) for record in records))
    folders = [sweep.folder / run for run in timed]
    if not folders:
        return ["Nothing was timed, so there is no report."]
    if len(folders) == 1:
        paths, answer = report.write(folders[0], say), report.answer(folders[0])
    else:
        paths, answer = report.write_together(folders, sweep.folder, say), report.answer_together(folders)
    return [*answer, *(str(path) for path in paths if path.name == "report.html")]


def _exit_code(sweep: Sweep, states: Sequence[State]) -> int:
    """Unequal before failed or lost. What has not ended says nothing yet."""
    done = {state.run for state in states if state.word == "done"}
    ended = (Outcome(sweep.folder / run, 0, 0, records=records) for run, records in _records(sweep) if run in done)
    codes = {outcome.exit_code for outcome in ended}
    if exit_codes.UNEQUAL in codes:
        return exit_codes.UNEQUAL
    failed = bool(codes & {exit_codes.FAILED, exit_codes.NOTHING}) or any(
        state.word in ("failed", "lost") for state in states
    )
    return exit_codes.FAILED if failed else exit_codes.GOOD


def _records(sweep: Sweep) -> Iterator[tuple[str, list[Record]]]:
    """The runs that have records, with them."""
    for run in sweep.asked.runs():
        with suppress(records_file.BadRecords):  # it was stopped before, or while its first was written
            records, _ = records_file.read(sweep.folder / run)
            yield run, records
