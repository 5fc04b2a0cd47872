"""What a command says when it cannot go on, and its exit code: something outside the program, or a fault of its own."""

import io
import os
import sys
import traceback
from contextlib import suppress
from typing import Any, TextIO

import click

from benchmarks.cli import exit_codes
from benchmarks.writing import Unwritable

NO_THREAD = "can't start new thread"
"""What Python's threading says, in an error of no kind of its own."""


class Command(click.Group):
    """Ends every command with an exit code that says why, and never with a bare traceback."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Refuse words without a letter, as a variable that was never set leaves them: they would be taken for the default."""
        for name, word in zip(["", *args], args, strict=False):
            if not (word.strip() or name == "-k") or (word.startswith("--") and word.endswith("=")):
                raise click.UsageError(
                    f"{name} {word}".strip() + ": names nothing. Leave it out, or say what is meant."
                )
        return super().parse_args(context, args)

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except KeyboardInterrupt as stop:
            say("Interrupted.")
            sys.exit(exit_codes.of_interrupt(stop))
        except Exception as problem:
            sys.exit(_told(problem))


def exit_code_of(command: click.Command) -> int:
    """Run it on what was typed. What click itself writes, help and what was typed wrongly, may find no reader either."""
    try:
        return int(command.main(standalone_mode=False) or exit_codes.GOOD)
    except (click.ClickException, OSError) as problem:
        if isinstance(problem, click.ClickException):
            with suppress(OSError):
                problem.show()
        elif not isinstance(problem, BrokenPipeError):
            say(f"Error: standard output: cannot be written ({problem.strerror}).")
        return exit_codes.OUTSIDE
    finally:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            _flush(stream)


def _flush(stream: TextIO) -> None:
    """Write the rest; where that cannot be, let it go: Python would try it again when it ends, with an exit code of its own."""
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def put(text: str, newline: bool = True) -> None:
    """Write data to standard output. Raises Unwritable; ends the command where nobody reads it any more."""
    try:
        click.echo(text, nl=newline)
    except OSError as problem:
        sys.stdout = None  # or else Python tries to write the rest when it ends
        if isinstance(problem, BrokenPipeError):
            sys.exit(exit_codes.OUTSIDE)
        raise Unwritable("standard output", f"cannot be written ({problem.strerror})") from None


def say(text: str) -> None:
    """Write a line for people to standard error; without one, the command goes on all the same."""
    try:
        click.echo(text, err=True)
    except OSError:
        sys.stderr = None


def prepare_streams() -> None:
    """Of the standard streams, those that were closed lead nowhere, and what one cannot show is replaced.

    Otherwise files that are opened later would take their places.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _told(problem: Exception) -> int:
    """Say what went wrong, and what becomes of the work; returns the exit code."""
    notes = " ".join(getattr(problem, "__notes__", []))
    if sentence := _outside(problem):
        say(f"Error: {sentence} {notes}".rstrip())
        return exit_codes.OUTSIDE
    say(
        "This is a fault of samenet, not of yours: it met something that it does not know how to handle. Please report it as an "
        f"issue, with all that follows. {notes}\n\n{''.join(traceback.format_exception(problem)).rstrip()}"
    )
    return exit_codes.FAULT


def _outside(problem: Exception) -> str:
    """What of the world stood in the way, in a sentence; nothing where it was no more than this program."""
    from benchmarks.records.records_file import BadRecords
    from implementations.errors import BadInput, Unavailable

    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename or 'the system'}: {problem.strerror}."
    if isinstance(problem, MemoryError):
        return "there is not enough memory for this."
    if isinstance(problem, RuntimeError) and str(problem) == NO_THREAD:
        return "the system allows no more threads and processes (`ulimit -u`, or the limit of a container or job)."
    if isinstance(problem, ImportError) and not (problem.name or "").startswith(("benchmarks", "implementations")):
        return f"{problem.name or 'a package'} cannot be imported ({problem}). `make setup` installs what is needed."
    return str(problem) if isinstance(problem, OSError | BadInput | BadRecords | Unavailable) else ""
