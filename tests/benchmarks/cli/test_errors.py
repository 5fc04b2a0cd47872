"""How a command ends: exit code 2 for the world, 70 for a fault of ours, and 1 for neither."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import doctor, prepare
from benchmarks.cli.progress import ProgressLine
from tests.support import LIGHT, ROOT, synthetic
from tests.support.command import SMALL, invoke
from tests.support.synthetic import cell, measured


def raising(problem: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise problem

    return fail


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (OSError(28, "No space left on device", "/a/b"), "/a/b: No space left on device."),
        (MemoryError(), "there is not enough memory"),
        (RuntimeError("can't start new thread"), "the system allows no more threads and processes (`ulimit -u`"),
        (ModuleNotFoundError("No module named 'pandas'", name="pandas"), "pandas cannot be imported"),
        (
            ImportError("libgomp.so.1: cannot open shared object file"),
            "a package cannot be imported (libgomp.so.1: cannot",
        ),
    ],
)
@pytest.mark.parametrize("command", ["list", "doctor"])
def test_what_stands_in_the_way_is_one_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, command: str, problem: Exception, words: str
) -> None:
    monkeypatch.setattr(prepare, "prepare", raising(problem))
    monkeypatch.setattr(doctor, "examine", raising(problem))
    done = invoke(command)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith(f"Error: {words}")


@pytest.mark.parametrize(
    "problem", [KeyError("x"), AssertionError(), RecursionError("deep"), ModuleNotFoundError("no", name="benchmarks.x")]
)
def test_a_fault_of_ours_says_so_and_is_not_taken_for_an_unequal_result(
    monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    monkeypatch.setattr(prepare, "prepare", raising(problem))
    done = invoke("list")
    assert (done.exit_code, done.stdout) == (70, "")
    first, *rest = done.stderr.splitlines()
    assert first.startswith("This is a fault of samenet, not of yours: ")
    assert rest[0] == ""
    assert rest[1] == "Traceback (most recent call last):"
    assert rest[-1].startswith(type(problem).__name__)


@pytest.mark.parametrize("option", ["--data", "--spec", "--results", "--into", "--framework", "--set", "--python"])
def test_an_option_without_a_word_is_refused_and_not_taken_for_the_default(tmp_path: Path, option: str) -> None:
    for words in ([option, ""], [option, " "], [f"{option}="]):
        done = invoke("run", *SMALL, *words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"{option}" in done.stderr
        assert "names nothing" in done.stderr


def test_an_empty_argument_is_not_the_folder_that_one_is_in() -> None:
    done = invoke("report", "")
    assert (done.exit_code, "report: names nothing" in done.stderr) == (2, True)
    assert invoke("list", "--framework", "numpy", "-k", "").exit_code == 0


# Standard streams


def shell(text: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    command = f"set -o pipefail; samenet() {{ '{sys.executable}' -m benchmarks \"$@\"; }}; {text}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": ""} | environment,
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_a_full_disk_behind_an_output_is_told_and_one_behind_the_progress_ends_nothing() -> None:
    done = shell("samenet list --framework numpy >/dev/full")
    assert done.returncode == 2
    assert b"Error: standard output: cannot be written (No space left on device)." in done.stderr
    assert b"Traceback" not in done.stderr
    assert shell("samenet list --framework numpy 2>/dev/full").returncode == 0


def test_where_nobody_reads_any_more_nothing_is_told() -> None:
    done = shell("{ sleep 1; samenet list --framework numpy; } | true")
    assert (done.returncode, done.stdout, b"Error" in done.stderr) == (2, b"", False)


def test_closed_streams_do_not_take_the_charts_away(tmp_path: Path) -> None:
    """A file that is opened later would be their standard input."""
    folder = synthetic.save(tmp_path, measured([(cell("numpy"), 1e-4), (cell("torch"), 2e-4)]))
    done = shell(f"samenet report '{folder}' <&- 2>&1")
    assert done.returncode == 0, done.stdout
    assert b"no charts" not in done.stdout
    assert list((folder / "figures").glob("*.svg"))
    assert shell(f"samenet report '{folder}' >&- 2>&-").returncode == 0


def test_a_terminal_that_cannot_show_a_letter_is_shown_another(tmp_path: Path) -> None:
    summary = shell("samenet export results/example --as summary", PYTHONIOENCODING="latin-1")
    assert (summary.returncode, summary.stderr) == (0, b"")
    assert summary.stdout.decode("latin-1").startswith("# MLP benchmark")


def test_names_that_are_no_text_are_no_reason_to_end(tmp_path: Path) -> None:
    done = shell(
        f"samenet run {' '.join(SMALL)} --phase predict --blocks 1 --results '{tmp_path}/caf'$'\\xe9'",
        PYTHONPATH=str(LIGHT),
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("compare", "--help"), ("list", "--profile", "smoke")])
def test_what_cannot_be_shown_is_not_called_unequal(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "benchmarks", *words]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert done.stderr.startswith("Error: ")
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("words", [("nosuch",), ("compare", "results/example"), ("run", "--blocks", "0")])
def test_what_was_typed_wrongly_is_2_though_nobody_can_be_told(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=full
        )
    assert done.returncode == 2


def test_without_standard_error_progress_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    line = ProgressLine()
    line("a sentence")
    line.close()
    assert not line.in_terminal
