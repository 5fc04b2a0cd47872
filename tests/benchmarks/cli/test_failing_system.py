"""Every kind of call to the system fails in turn, in every command: one sentence with path and reason, exit code 2, and nothing
that was measured is lost. Or the command does without, and does the same."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from unittest import mock

import pytest
from click.testing import Result

from benchmarks import gpus, system
from benchmarks.cli import run
from benchmarks.records import records_file
from benchmarks.records.record import BlockRecord
from benchmarks.records.run_record import FaultDetection
from benchmarks.report import charts
from benchmarks.runner import blocks, fault_detection
from implementations import data
from tests.support.command import SMALL, invoke, save_npz
from tests.support.failing_system import CALLS, Failing
from tests.support.instant_worker import InstantWorker

SYSTEM = (Path("/proc"), Path("/sys"), Path("/etc"))
NO_LOCKS = "this file system has no locks"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a whole run, a network and data; workers are instant, and nothing is drawn."""
    place = tmp_path_factory.mktemp("place")
    save_npz(place / "mine.npz")
    (place / "net.toml").write_text("batch = 16\nfeatures = 5\nclasses = 4\n", encoding="utf-8")
    (place / "temporary").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "WorkerProcess", InstantWorker)
        patch.setattr(charts, "draw", lambda *_: {})
        patch.setattr(gpus, "visible", list)
        patch.setattr(system, "code_version", dict)
        patch.setattr(run, "_code", lambda prepared: "0" * 64)  # files elsewhere, whose calls are not counted
        patch.setattr(fault_detection, "summary", lambda *_: FaultDetection())
        patch.setattr(data, "digits", cache(data.digits))
        patch.setattr(tempfile, "tempdir", str(place / "temporary"))
        assert invoke(*commands(place)["run"]).exit_code == 0
        (place / "run").rename(place / "whole")
        yield place


def commands(place: Path) -> dict[str, list[str | Path]]:
    whole: list[str | Path] = ["run", *SMALL, "--phase", "train_step", "--blocks", "2", "--into", place / "run"]
    return {
        "run": whole,
        "resume": whole,
        "report": ["report", place / "run"],
        "export": ["export", place / "run", "--as", "summary"],
        "compare": ["compare", place / "run", place / "whole"],
        "verify": ["verify", *SMALL, "--data", place / "mine.npz"],
        "list": ["list", "--framework", "numpy", "--spec", place / "net.toml", "--data", place / "mine.npz"],
        "doctor": ["doctor"],
    }


def begin(place: Path, command: str) -> None:
    """What a command finds: nothing, a run that was stopped in its second block, or a whole one."""
    shutil.rmtree(place / "run", ignore_errors=True)
    if command == "run":
        return
    shutil.copytree(place / "whole", place / "run")
    if command == "resume":
        records, _ = records_file.read(place / "whole")
        end = next(number for number, found in enumerate(records, start=1) if isinstance(found, BlockRecord))
        lines = (place / "whole" / records_file.RECORDS).read_bytes().splitlines(keepends=True)
        (place / "run" / records_file.RECORDS).write_bytes(b"".join(lines[: end + 1]) + lines[end + 1][:50])
        (place / "run" / "report.md").unlink()


def finished(folder: Path) -> list[int]:
    records, _ = records_file.read(folder)
    return [found.block for found in records if isinstance(found, BlockRecord)]


@cache
def undisturbed(place: Path, command: str) -> tuple[dict[str, int], Result]:
    """How many calls of each kind a command makes, and what it says."""
    begin(place, command)
    counting = [Failing(kind, 0, (place, *SYSTEM)) for kind in CALLS]
    with ExitStack() as installed:
        for each in counting:
            installed.enter_context(each.installed())
        done = invoke(*commands(place)[command])
    return {each.kind: each.seen for each in counting}, done


def refused_call(place: Path, command: str, kind: str, number: int) -> tuple[Failing, Result]:
    begin(place, command)
    failing = Failing(kind, number, (place, *SYSTEM))
    with failing.installed():
        return failing, invoke(*commands(place)[command])


@pytest.mark.parametrize("command", commands(Path()))
@pytest.mark.parametrize("kind", CALLS)
def test_a_call_that_fails_is_told_and_loses_nothing(place: Path, command: str, kind: str) -> None:
    calls, expected = undisturbed(place, command)
    assert expected.exit_code == (3 if command == "compare" else 0), expected.output  # two blocks are too few to tell
    for number in sorted({1, calls[kind] // 2, calls[kind]} - {0} if calls[kind] else ()):
        failing, done = refused_call(place, command, kind, number)
        assert failing.seen >= number
        assert isinstance(done.exception, SystemExit | None)
        assert "Traceback" not in done.output
        if done.exit_code == expected.exit_code:
            does_without(place, command, kind, done, expected)
        else:
            is_told(place, kind, done)
        assert not [path for path in (place / "temporary").iterdir() if kind != "unlink"]
        if command in ("run", "resume"):
            goes_on(place, command)


def is_told(place: Path, kind: str, done: Result) -> None:
    """In one line with the path and the reason; or the facts that could not be had are named."""
    line = done.stderr.splitlines()[-1]
    assert (done.exit_code, line[:7], done.stderr.count("Error: ")) == (2, "Error: ", 1), done.stderr
    assert str(place) in line
    reason = os.strerror(CALLS[kind][0])
    assert reason in line or "differ in machine, as far as environment.json tells" in line or "of other" in line


def does_without(place: Path, command: str, kind: str, done: Result, expected: Result) -> None:
    """The result is the same, or says what it lacks."""
    if command in ("run", "resume", "report"):
        report = (place / "run" / "report.md").read_text(encoding="utf-8")
        assert command == "report" or finished(place / "run") == [0, 1]
        assert report.startswith("# MLP benchmark\n") or "environment.json was set aside" in report
    elif command != "doctor" and "environment.json was set aside" not in done.stdout:
        assert done.stdout == expected.stdout


def goes_on(place: Path, command: str) -> None:
    """What was finished is there, and the same command makes a whole run of it."""
    before: list[int] = []
    if (place / "run" / records_file.RECORDS).exists() and records_file.first(place / "run"):
        before = finished(place / "run")
    assert command == "run" or before[:1] == [0]
    again = invoke(*commands(place)["run"])
    assert again.exit_code == 0, again.output
    assert finished(place / "run") == [0, 1]
    assert not list((place / "run").glob(".*"))


def test_without_its_report_a_run_says_which_command_makes_it(place: Path) -> None:
    calls, _ = undisturbed(place, "run")
    _, done = refused_call(place, "run", "rename", calls["rename"])
    run = place / "run"
    assert done.stderr.splitlines()[-1] == (
        f"Error: {run / 'report.md'}: cannot be written (Invalid cross-device link). "
        f"What was measured before is kept in {run}: `python -m benchmarks report {run}` makes its report."
    )
    assert (finished(run), (run / "report.md").exists()) == ([0, 1], False)
    assert invoke("report", run).exit_code == 0
    assert (run / "report.md").read_text(encoding="utf-8").startswith("# MLP benchmark\n")


def test_without_locks_a_run_is_made_all_the_same_and_says_so(place: Path) -> None:
    begin(place, "run")
    with Failing("flock", 1, ()).installed():
        done = invoke(*commands(place)["run"])
    assert (done.exit_code, NO_LOCKS in done.stderr) == (0, True)


def test_a_run_whose_folder_is_removed_while_it_is_at_work_says_that_it_is_gone(place: Path) -> None:
    begin(place, "run")
    whole = InstantWorker.listen

    def and_remove(worker: InstantWorker) -> None:
        if worker.job.block == 1:
            shutil.rmtree(place / "run")
        whole(worker)

    with mock.patch.object(InstantWorker, "listen", and_remove):
        done = invoke(*commands(place)["run"])
    assert done.exit_code == 2
    assert f"{place / 'run' / records_file.RECORDS}: is gone" in done.stderr
    assert "kept" not in done.stderr
