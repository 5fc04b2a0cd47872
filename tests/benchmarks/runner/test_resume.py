"""A run that was stopped goes on: whole blocks are kept, the block it was stopped in is measured again."""

import errno
import json
import os
import time
from collections import Counter
from pathlib import Path
from unittest import mock

import pytest
from click.testing import Result

from benchmarks.cli.outcome import Outcome
from benchmarks.reading import Unreadable
from benchmarks.records import records_file
from benchmarks.records.record import (
    BlockRecord,
    OutcomeRecord,
    Record,
    RunRecord,
    SourceRecord,
    TimingRecord,
    UntrainedRecord,
)
from benchmarks.records.run_record import CodeFacts
from benchmarks.runner import blocks, resume
from benchmarks.runner.blocks import Runner
from benchmarks.runner.resume import Progress
from benchmarks.writing import Unwritable
from implementations.errors import BadInput
from tests.support import command, synthetic
from tests.support.instant_worker import InstantWorker
from tests.support.tiny_runs import TINY, cells_of, networks

CHOICE = [*command.SMALL, "--phase", "train_step,products"]
NUMPY, TORCH = synthetic.cell("numpy"), synthetic.cell("torch")
RUN = synthetic.run([NUMPY, TORCH], blocks=3)
MACHINE = {"cpu": "a", "usable_cores": 2}


def written(results: Path, *records: Record, name: str = "2026-01-01-000000") -> Path:
    folder = results / name
    folder.mkdir(parents=True)
    for found in records:
        records_file.append(folder / records_file.RECORDS, found)
    (folder / "environment.json").write_text(json.dumps(MACHINE), encoding="utf-8")
    return folder


def reported(folder: Path) -> Path:
    (folder / "report.md").write_text("a report", encoding="utf-8")
    return folder


def block(number: int) -> BlockRecord:
    return BlockRecord(block=number, wall_s=1.0)


def failure(number: int) -> OutcomeRecord:
    return OutcomeRecord(cell=TORCH, block=number, status="failed", reason="lost")


def begin(results: Path, run: RunRecord = RUN, force: bool = False, retry_failed: bool = False) -> Progress:
    return resume.begin(results, run, MACHINE, force, retry_failed)


def test_whole_blocks_are_kept_and_what_they_say_of_a_calls_time_too(tmp_path: Path) -> None:
    early = synthetic.timing(NUMPY, 0, 1e-3, rounds=9)
    control, late = synthetic.timing(NUMPY, 0, 9e-4, control=True), synthetic.timing(NUMPY, 1, 5e-4)
    folder = written(tmp_path, RUN, early, control, block(0), late)
    progress = begin(tmp_path)
    assert progress.folder == folder
    assert progress.finished == {0}
    assert list(progress.left([NUMPY, TORCH], 3, retry_failed=False)) == [1, 2]
    assert progress.call_s == {NUMPY.id: min(control.per_call)}


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 2},
        {"blocks": 4},
        {"networks": [RUN.networks[0].model_copy(update={"spec_sha256": "1" * 64})]},
        {"cells": [NUMPY]},
        {"code": CodeFacts(sha256="other")},
    ],
    ids=["seed", "blocks", "network", "cells", "code"],
)
def test_another_run_begins_anew(tmp_path: Path, changed: dict[str, object]) -> None:
    folder = written(tmp_path, RUN, block(0))
    assert begin(tmp_path).folder == folder
    assert begin(tmp_path, RUN.model_copy(update=changed)).folder != folder


def test_when_and_how_it_was_called_and_the_commits_name_do_not_matter(tmp_path: Path) -> None:
    folder = written(tmp_path, RUN, block(0))
    called = RUN.model_copy(
        update={"started_at": "later", "command": ["x"], "code": CodeFacts(commit="def", dirty=True)}
    )
    assert begin(tmp_path, called).folder == folder


def test_force_a_finished_run_another_machine_and_a_broken_folder_begin_anew(tmp_path: Path) -> None:
    unfinished = written(tmp_path, RUN, block(0), name="1")
    assert begin(tmp_path, force=True).folder != unfinished
    (tmp_path / "1" / "environment.json").write_text('{"cpu": "b"}', encoding="utf-8")
    reported(written(tmp_path, RUN, *map(block, range(3)), name="2"))
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / records_file.RECORDS).write_text("{", encoding="utf-8")
    assert begin(tmp_path).folder.name not in {"1", "2", "3"}


def test_a_finished_run_without_a_report_only_lacks_that(tmp_path: Path) -> None:
    folder = written(tmp_path, RUN, *map(block, range(3)))
    progress = begin(tmp_path)
    assert progress.folder == folder
    assert progress.left([NUMPY, TORCH], 3, retry_failed=False) == {}


def test_a_run_that_was_interrupted_after_its_blocks_only_lacks_its_costs(tmp_path: Path) -> None:
    timed: list[Record] = [RUN, synthetic.timing(NUMPY, 0, 1e-3), *map(block, range(3))]
    folder = reported(written(tmp_path, *timed, synthetic.start("numpy"), synthetic.installed("numpy")))
    progress = begin(tmp_path)
    assert (progress.folder, progress.lacks_costs) == (folder, True)
    assert progress.left([NUMPY, TORCH], 3, retry_failed=False) == {}
    records_file.append(reported(folder) / records_file.RECORDS, synthetic.resources(NUMPY))
    assert begin(tmp_path).folder != folder


def test_an_empty_report_is_none(tmp_path: Path) -> None:
    folder = written(tmp_path, RUN, *map(block, range(3)))
    (folder / "report.md").touch()
    assert begin(tmp_path).folder == folder


def test_what_is_no_run_is_passed_by_and_no_pipe_is_waited_for(tmp_path: Path) -> None:
    folder = written(tmp_path, RUN, block(0), name="1")
    (tmp_path / "2").mkdir()
    os.mkfifo(tmp_path / "2" / records_file.RECORDS)
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / records_file.RECORDS).mkdir()
    (tmp_path / "4").touch()
    assert begin(tmp_path).folder == folder
    with pytest.raises(Unreadable, match="is not a file"):
        resume.in_folder(tmp_path / "2", RUN, MACHINE)


def test_a_lost_training_is_taken_up_when_asked_without_a_cell(tmp_path: Path) -> None:
    lost = UntrainedRecord(who=NUMPY.who, block=0, seed=4, reason="lost")
    trained: list[Record] = [synthetic.learning("numpy", seed=seed) for seed in range(5)]
    costs: list[Record] = [synthetic.start("numpy"), synthetic.installed("numpy"), synthetic.resources(NUMPY)]
    folder = reported(written(tmp_path, RUN, *trained[:2], lost, *map(block, range(3)), *costs))
    assert begin(tmp_path).folder != folder
    progress = begin(tmp_path, retry_failed=True)
    assert (progress.folder, progress.untrained) == (folder, {NUMPY.who})
    assert progress.left(RUN.cells, 3, retry_failed=True) == {0: []}
    assert progress.left(RUN.cells, 3, retry_failed=False) == {}
    for again, stands in ((trained[3], True), (trained[4], False)):
        records_file.append(folder / records_file.RECORDS, again)
        assert (lost in records_file.standing(records_file.read(folder)[0])) == stands


def test_a_run_that_is_still_at_work_is_left_alone(tmp_path: Path) -> None:
    folder = written(tmp_path, RUN, block(0))
    with resume.held(folder):
        assert begin(tmp_path).folder != folder
    assert begin(tmp_path).folder == folder


def test_no_two_processes_get_one_folder(tmp_path: Path) -> None:
    """The second asks between the first one's choice and its lock."""
    folder = written(tmp_path, RUN, block(0))
    chosen = iter([Progress(folder, (RUN,)), Progress(folder, (RUN,)), Progress(tmp_path / "new")])
    (tmp_path / "new").mkdir()
    with (
        mock.patch.object(resume, "begin", side_effect=lambda *_: next(chosen)),
        resume.begun(tmp_path, RUN, MACHINE, False, False) as (first, locked),
        resume.begun(tmp_path, RUN, MACHINE, False, False) as (second, _),
    ):
        assert (first.folder, second.folder, locked) == (folder, tmp_path / "new", True)


def test_a_new_run_is_held_before_its_first_record(tmp_path: Path) -> None:
    with resume.begun(tmp_path, RUN, MACHINE, False, False) as (progress, _):
        with pytest.raises(BlockingIOError), resume.held(progress.folder):
            pass
        assert (progress.folder / records_file.RECORDS).read_bytes() == b""


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS])
def test_a_file_system_without_locks_is_said_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder = written(tmp_path, RUN, block(0))
    monkeypatch.setattr("benchmarks.runner.resume.fcntl.flock", mock.Mock(side_effect=OSError(number, "No locks")))
    with resume.begun(tmp_path, RUN, MACHINE, False, False) as (progress, locked):
        assert (progress.folder, progress.finished, locked) == (folder, {0}, False)


def test_an_equal_machine_does_not_go_on_with_anothers_run(tmp_path: Path) -> None:
    folder = written(tmp_path, RUN, block(0))
    (folder / "environment.json").write_text(json.dumps(MACHINE | {"host": "a"}), encoding="utf-8")
    assert resume.begin(tmp_path, RUN, MACHINE | {"host": "a"}, False, False).folder == folder
    assert resume.begin(tmp_path, RUN, MACHINE | {"host": "b"}, False, False).folder != folder


def test_a_folder_of_ones_own_is_made_and_gone_on_with(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "here"
    for finished in (frozenset(), frozenset({0})):
        with resume.begun(tmp_path, RUN, MACHINE, False, False, folder) as (progress, _):
            assert (progress.folder, progress.finished) == (folder, finished)
            if not finished:
                (folder / "environment.json").write_text(json.dumps(MACHINE), encoding="utf-8")
                for found in (RUN, block(0)):
                    records_file.append(folder / records_file.RECORDS, found)


def test_a_folder_of_ones_own_with_something_else_in_it_is_refused_by_what_differs(tmp_path: Path) -> None:
    folder = written(tmp_path, RUN, block(0))
    for run, machine, words in (
        (RUN.model_copy(update={"seed": 2}), MACHINE, "of other seed"),
        (RUN, MACHINE | {"cpu": "b"}, "of other cpu"),
    ):
        with pytest.raises(BadInput, match=words):
            resume.in_folder(folder, run, machine)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="something that is no run"):
        resume.in_folder(tmp_path / "notes", RUN, MACHINE)
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["a.txt"]
    with pytest.raises(Unwritable, match="cannot be written"):
        resume.in_folder(tmp_path / "notes" / "a.txt", RUN, MACHINE)
    (tmp_path / "stopped").mkdir()
    (tmp_path / "stopped" / records_file.RECORDS).touch()
    assert resume.in_folder(tmp_path / "stopped", RUN, MACHINE).records == ()
    with resume.held(folder), pytest.raises(BadInput, match="another process is at work"):
        resume.in_folder(folder, RUN, MACHINE)


def test_in_a_folder_of_ones_own_another_machine_of_the_same_kind_goes_on(tmp_path: Path) -> None:
    def machine(host: str, uuid: str, **facts: object) -> dict[str, object]:
        gpus, variables = [{"name": "A100", "uuid": uuid}], {"CUDA_VISIBLE_DEVICES": uuid[-1], "OMP_PROC_BIND": "close"}
        return {**MACHINE, "host": host, "gpus": gpus, "variables": variables, "memory_bytes": 2**35} | facts

    folder = written(tmp_path, RUN, block(0))
    (folder / "environment.json").write_text(json.dumps(machine("n1", "GPU-1")), encoding="utf-8")
    reported(folder)  # of what there was when it was stopped
    assert resume.in_folder(folder, RUN, machine("n2", "GPU-2", memory_bytes=2**35 - 2**26)).finished == {0}
    assert not (folder / "report.md").exists()
    assert resume.in_folder(folder, RUN, machine("n1", "GPU-2")).finished == {0}  # the same machine with another GPU
    for other, word in (
        (machine("n2", "GPU-2", gpus=[{"name": "H100", "uuid": "GPU-2"}]), "gpus"),
        (machine("n2", "GPU-2", memory_bytes=2**34), "memory_bytes"),
        (machine("n2", "GPU-2", variables={}), "variables"),
    ):
        with pytest.raises(BadInput, match=f"of other .*{word}"):
            resume.in_folder(folder, RUN, other)


@pytest.mark.parametrize("quicker", ["first", "second"])
def test_of_two_copies_without_locks_the_one_that_finds_another_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quicker: str
) -> None:
    folder = written(tmp_path, RUN, block(0))
    monkeypatch.setattr(
        "benchmarks.runner.resume.fcntl.flock", mock.Mock(side_effect=OSError(errno.ENOLCK, "No locks"))
    )
    copies = []
    for _ in range(2):
        with resume.begun(tmp_path, RUN, MACHINE, False, False, folder) as (progress, _):
            copies.append(Outcome(folder, 1, 3, size=progress.bytes_read))
    first, second = copies if quicker == "first" else reversed(copies)
    first.keep(block(1))
    with pytest.raises(Unwritable, match="another process writes there too; this one gives way"):
        second.keep(block(1))
    first.keep(block(2))
    assert resume.so_far(folder).finished == {0, 1, 2}
    assert records_file.read(folder)[1] == []


def test_only_failed_heats_are_measured_again_and_only_when_asked(tmp_path: Path) -> None:
    other = synthetic.cell("numpy", batch=32)
    run = RUN.model_copy(update={"cells": [NUMPY, TORCH, other]})
    costs: list[Record] = [synthetic.start("torch"), synthetic.installed("torch"), synthetic.resources(TORCH)]
    folder = reported(written(tmp_path, run, failure(1), *map(block, range(3)), *costs))
    assert begin(tmp_path, run).folder != folder
    progress = begin(tmp_path, run, retry_failed=True)
    assert progress.left(run.cells, 3, retry_failed=True) == {1: [NUMPY, TORCH]}
    records_file.append(reported(folder) / records_file.RECORDS, synthetic.timing(TORCH, 1, 1e-3))
    with pytest.raises(BadInput, match="no run of this plan"):
        begin(tmp_path, run, retry_failed=True)


def test_a_failure_that_was_measured_later_is_no_hole() -> None:
    filled: list[Record] = [RUN, failure(1), synthetic.timing(TORCH, 1, 1e-3), failure(2)]
    assert [r for r in records_file.standing(filled) if isinstance(r, OutcomeRecord)] == [failure(2)]


def test_a_time_from_a_block_that_was_stopped_does_not_hide_that_the_cell_failed_when_it_was_repeated() -> None:
    first, again = synthetic.timing(TORCH, 1, 1e-3), synthetic.timing(NUMPY, 1, 1e-3)
    assert records_file.standing([RUN, first, again, failure(1)]) == [RUN, again, failure(1)]


def test_heats_by_whole_workers_stay_so() -> None:
    restless = synthetic.timing(NUMPY, 0, 1e-3, waiting_s=1.0, waiting_cpu_s=0.02)
    still = synthetic.timing(synthetic.cell("numpy", batch=32), 0, 1e-3, waiting_s=1.0, waiting_cpu_s=0.001)
    later = synthetic.timing(synthetic.cell("numpy", batch=64), 1, 1e-3, schedule="workers")
    assert Progress(Path(), [restless, still, later]).restless == {NUMPY.comparison_group, later.cell.comparison_group}


def test_a_line_that_was_cut_short_is_set_aside_and_spoils_no_other(tmp_path: Path) -> None:
    folder = written(tmp_path, RUN)
    with (folder / records_file.RECORDS).open("a", encoding="utf-8") as file:
        file.write('{"kind":"timing","cell":')
    records_file.append(folder / records_file.RECORDS, block(0))
    records, problems = records_file.read(folder)
    assert [r.kind for r in records] == ["run", "block"]
    assert len(problems) == 1


def test_a_run_that_goes_on_has_all_its_sources_and_knows_its_restless_heats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restless = []
    monkeypatch.setattr(Runner, "execute", lambda run: restless.append(run.restless))
    folder = Path(json.loads(invoke(tmp_path).stdout)["folder"])
    whole = records_file.read(folder)[0]
    (folder / records_file.RECORDS).write_text("", encoding="utf-8")
    cell = records_file.run_of(whole).cells[0]
    for found in (*whole[:3], synthetic.timing(cell, 0, 1e-3, schedule="workers")):
        records_file.append(folder / records_file.RECORDS, found)
    assert json.loads(invoke(tmp_path).stdout)["folder"] == str(folder)
    sources = [r for r in records_file.read(folder)[0] if isinstance(r, SourceRecord)]
    assert sources == [r for r in whole if isinstance(r, SourceRecord)]
    assert len(sources) > 3
    assert restless == [set(), {cell.comparison_group}]


# By the command


def invoke(results: Path, *more: str) -> Result:
    return command.invoke("run", *CHOICE, "--blocks", "2", "--results", results, "--json", *more)


@pytest.mark.usefixtures("undrawn")
def test_a_finished_run_is_not_touched_and_one_that_lost_its_end_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "WorkerProcess", InstantWorker)
    first = json.loads(invoke(tmp_path).stdout)
    folder = Path(first["folder"])
    lines = (folder / records_file.RECORDS).read_text(encoding="utf-8").splitlines(keepends=True)
    ends = [i for i, line in enumerate(lines) if '"kind":"block"' in line]
    (folder / records_file.RECORDS).write_text("".join(lines[: ends[0] + 4])[:-20], encoding="utf-8")
    done = invoke(tmp_path)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["folder"] == str(folder)
    assert "going on" in done.stderr
    assert "1 of 2 blocks are left" in done.stderr
    records, _ = records_file.read(folder)
    timings = Counter((r.cell.id, r.block) for r in records if isinstance(r, TimingRecord) and not r.control)
    assert len(timings) == 4
    assert [r.block for r in records if isinstance(r, BlockRecord)] == [0, 1]


def test_what_is_left_is_all_that_is_measured() -> None:
    cells = cells_of("numpy")
    found: list[Record] = []
    Runner(networks(), cells, TINY, 3, 0, found.append, left={2: cells[:1]}).execute()
    timed = {(r.cell.id, r.block) for r in found if isinstance(r, TimingRecord) and not r.control}
    assert timed == {(cells[0].id, 2)}
    assert time.monotonic() > next(r.wall_s for r in found if isinstance(r, BlockRecord)) > 0
