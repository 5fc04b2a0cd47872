"""The command on a queue that is written here: what it submits, what it says of each run, what it refuses, what it ends with."""

import fcntl
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.records.record import BlockRecord, OutcomeRecord
from benchmarks.runner import resume
from benchmarks.sweep.sweep import Sweep
from tests.benchmarks.sweep.conftest import CELL, Typed
from tests.support import command, synthetic


def test_each_node_is_asked_for_with_what_the_file_says(typed: Typed) -> None:
    done = typed.sweep()
    assert done.exit_code == 0, done.output
    first, second, third = typed.slurm.scripts()
    for line in (
        "--account=net",
        "--constraint=a100",
        "--exclusive",
        "--gpus-per-node=1",
        "--nodes=1",
        "--requeue",
        "--ntasks=1",
        "--reservation=r",
        "--time=30",
    ):
        assert f"#SBATCH {line}\n" in first
    assert "\nmodule load cuda/12.6\n" in first
    assert ("--job-name=a100-1\n" in first, "--job-name=a100-2\n" in second) == (True, True)
    assert "--exclusive" not in third
    assert "apptainer exec image.sif python -u -m submitit" in third
    assert "srun --unbuffered" in third
    assert "#SBATCH --cpus-per-task=8\n" in third
    assert "export SRUN_CPUS_PER_TASK=" in third
    assert json.loads((typed.folder / "sweep.json").read_text())["jobs"] == {
        "a100-1": ["1"],
        "a100-2": ["2"],
        "cpu-1": ["3"],
    }
    assert "#SBATCH --mem=0\n" in first
    assert "--mem" not in third
    assert "#SBATCH --nice=7\n" in third
    assert "#SBATCH --reservation=r\n" in third


def test_a_run_is_told_by_its_records_then_by_the_queue_then_by_its_jobs_end(typed: Typed) -> None:
    assert set(typed.states().values()) == {"new"}
    typed.sweep()
    typed.slurm.hold("1|PENDING|(Priority)", "2|RUNNING|gpu017", "99|RUNNING|elsewhere")
    typed.measure("a100-2", 1)
    assert typed.states()["a100-1"] == "queued job 1: Priority"
    assert typed.states()["a100-2"] == "running 1 of 2 blocks job 2: gpu017"
    assert typed.states()["cpu-1"] == "lost job 3 is gone"
    typed.measure("a100-1", 2, whole=True)
    typed.slurm.hold()
    typed.end("cpu-1", 2, job=3)
    assert typed.states()["a100-1"] == "done 2 of 2 blocks"
    assert typed.states()["a100-2"] == "lost 1 of 2 blocks job 2 is gone"
    assert typed.states()["cpu-1"] == "failed job 3 ended with exit code 2"
    with resume.held(typed.folder / "a100-2"):
        assert typed.states()["a100-2"].startswith("running 1 of 2 blocks its job is gone, the run is not")


def test_given_again_it_submits_only_what_is_neither_done_nor_in_the_queue(typed: Typed) -> None:
    typed.sweep()
    typed.measure("a100-1", 2, whole=True)
    typed.slurm.hold("2|RUNNING|gpu017")
    again = typed.sweep()
    assert again.stderr.splitlines()[0] == "cpu-1: job 4"
    assert len(typed.slurm.scripts()) == 4
    assert json.loads((typed.folder / "sweep.json").read_text())["jobs"]["cpu-1"] == ["3", "4"]


def test_when_all_have_ended_there_is_one_report_and_no_second_job(typed: Typed) -> None:
    typed.sweep()
    typed.slurm.hold()
    for run in ("a100-1", "a100-2", "cpu-1"):
        typed.measure(run, 2, whole=True)
    done = typed.sweep("--wait")
    assert (done.exit_code, len(typed.slurm.scripts())) == (0, 3)
    assert done.stdout.splitlines()[-1] == f"{typed.folder}/report.html"
    text = (typed.folder / "report.md").read_text()
    assert "n1 (block 1), n2 (block 2)" in text
    assert "| a100-2 |" in text


@pytest.mark.parametrize(
    ("status", "code", "word"), [("unequal", 1, "done"), ("failed", 3, "done"), (None, 0, "done"), ("lost", 3, "lost")]
)
def test_it_ends_as_its_runs_ended(typed: Typed, status: str | None, code: int, word: str) -> None:
    typed.sweep()
    typed.slurm.hold()
    for run in ("a100-1", "cpu-1"):
        typed.measure(run, 2, whole=True)
    outcome = [OutcomeRecord(cell=CELL, block=1, status=status, reason="so")] if status in ("unequal", "failed") else []
    typed.measure("a100-2", 1 if status == "lost" else 2, *outcome, whole=status != "lost")
    assert typed.states()["a100-2"].split()[0] == word
    assert typed.sweep("--status").exit_code == code


@pytest.mark.parametrize(("status", "code"), [("unequal", 1), ("failed", 3)])
def test_a_run_without_any_time_counts_too(typed: Typed, status: str, code: int) -> None:
    typed.write("[kinds.cpu]\n")
    typed.sweep()
    typed.slurm.hold()
    outcome = OutcomeRecord.model_validate({"cell": CELL, "block": 1, "status": status, "reason": "so"})
    typed.measure("cpu-1", 2, outcome, whole=True, timed=False)
    typed.end("cpu-1", code, job=1)
    assert typed.states()["cpu-1"] == f"done 2 of 2 blocks exit code {code}"
    assert typed.sweep("--status").exit_code == code
    assert typed.sweep().exit_code == code


def test_a_first_record_that_was_cut_short_is_no_end(typed: Typed) -> None:
    typed.sweep()
    (typed.folder / "cpu-1").mkdir()
    (typed.folder / "cpu-1" / "records.jsonl").write_text('{"kind":"run","sch')
    done = typed.sweep("--status")
    assert (done.exit_code, done.stderr) == (0, "")
    typed.slurm.hold()
    assert typed.states()["cpu-1"].startswith("lost job 3 is gone")


def test_a_good_run_is_done_whatever_its_refused_copy_ended_with(typed: Typed) -> None:
    typed.sweep()
    typed.measure("cpu-1", 2, whole=True)
    typed.end("cpu-1", 2, job=3)
    assert typed.states()["cpu-1"] == "done 2 of 2 blocks"


def test_waiting_outlives_a_controller_that_is_away_and_believes_no_loss_at_once(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def pass_time(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 1:
            typed.slurm.hold()
            typed.slurm.go_down()
        elif len(waited) == 2:
            (typed.slurm.folder / "down").unlink()
            for run in ("a100-1", "a100-2"):
                typed.measure(run, 2, whole=True)
        elif len(waited) == 4:
            typed.measure("cpu-1", 2, whole=True)

    monkeypatch.setattr("benchmarks.cli.sweep.time.sleep", pass_time)
    done = typed.sweep("--wait")
    assert done.exit_code == 0, done.output
    assert "squeue does not answer" in done.stderr
    assert "cpu-1                lost" in done.stderr
    assert "lost" not in done.stdout
    assert len(waited) == 4


def test_what_another_command_submitted_meanwhile_is_kept(typed: Typed) -> None:
    typed.sweep()
    path = typed.folder / "sweep.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "jobs": {**told["jobs"], "b-1": ["77"]}}))
    typed.slurm.hold()
    typed.sweep()
    assert json.loads(path.read_text())["jobs"]["b-1"] == ["77"]
    for damaged, word in (('{"jobs": []}', "is damaged"), ("[]", "does not hold named facts"), ("{", "is not JSON")):
        path.write_text(damaged)
        done = typed.sweep()
        assert (done.exit_code, word in done.stderr) == (2, True)
        assert path.read_text() == damaged


def test_a_run_that_could_run_nothing_has_failed(typed: Typed) -> None:
    typed.write("[kinds.cpu]\n")
    typed.sweep()
    typed.slurm.hold()
    synthetic.save(
        typed.folder / "cpu-1",
        [
            synthetic.run([CELL], blocks=1),
            OutcomeRecord(cell=CELL, block=0, status="skipped", reason="not there"),
            BlockRecord(block=0, wall_s=1),
        ],
    )
    (typed.folder / "cpu-1" / "report.md").write_text("a report")
    typed.end("cpu-1", 4, job=1)
    assert typed.states()["cpu-1"] == "failed 1 of 1 blocks job 1 ended with exit code 4"
    assert typed.sweep("--status").exit_code == 3


def test_a_run_whose_folder_was_removed_is_measured_again(typed: Typed) -> None:
    typed.sweep()
    typed.slurm.hold()
    typed.end("cpu-1", 0, job=3)
    assert typed.states()["cpu-1"] == "lost job 3 ended with exit code 0"
    assert "cpu-1: job " in typed.sweep().stderr


def test_what_stands_around_the_command_changes_nothing_that_is_asked(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command may be given within a job, and users set defaults of sbatch and squeue."""
    told = typed.slurm.folder / "told"
    for name in ("sbatch", "squeue"):
        program = typed.slurm.folder / "bin" / name
        program.write_text(program.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\nenv >> {told}\n"))
    for name in ("SLURM_CPUS_PER_TASK", "SBATCH_TIMELIMIT", "SQUEUE_STATES", "SRUN_CPU_BIND", "SLURM_CONF"):
        monkeypatch.setenv(name, "1")
    assert typed.sweep().exit_code == 0
    names = {line.partition("=")[0] for line in told.read_text().splitlines()}
    assert {name for name in names if name.startswith(("SLURM_", "SBATCH_", "SQUEUE_", "SRUN_"))} == {"SLURM_CONF"}
    assert os.environ["SQUEUE_STATES"] == "1"


def test_two_commands_do_not_submit_at_once(typed: Typed) -> None:
    with (
        Sweep(typed.file, typed.folder).alone(),
        (typed.folder / "jobs" / "lock").open("wb") as second,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert typed.sweep().exit_code == 0


def test_an_interruption_while_slurm_answers_loses_no_job(typed: Typed) -> None:
    typed.slurm.interrupt()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may have it ignored
    try:
        done = typed.sweep()
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.exit_code == 130, done.output
    assert "a100-1: job 1\nThe jobs that were submitted go on." in done.output
    assert len(typed.slurm.scripts()) == 1
    assert json.loads((typed.folder / "sweep.json").read_text())["jobs"] == {"a100-1": ["1"]}
    if sys.platform == "linux":
        assert [number for number in (1, 2, 15) if typed.slurm.blocked() >> (number - 1) & 1] == [1, 2, 15]


def test_a_dry_run_says_what_would_be_submitted_with_what(typed: Typed) -> None:
    typed.sweep()
    typed.slurm.hold("2|RUNNING|gpu017")
    typed.measure("a100-1", 2, whole=True)
    lines = [line.strip() for line in typed.sweep("--dry-run").stdout.splitlines()]
    states = [line.split(maxsplit=1)[1] for line in lines if line.startswith(("a100", "cpu-1"))]
    assert states == ["done", "running", "would be submitted"]
    for line in ('setup = ["module load cuda/12.6"]', 'python = "apptainer exec image.sif python"', "timeout_min = 30"):
        assert line in lines


@pytest.mark.usefixtures("undrawn")
def test_names_of_nodes_are_hashed_where_that_is_asked(typed: Typed, tmp_path: Path) -> None:
    lost = OutcomeRecord(cell=CELL, block=2, status="failed", reason="/home/jane/net.py: no such module")
    lost = lost.model_copy(update={"last_lines": ['File "/home/jane/net.py", line 3']})
    typed.measure("a100-1", 2, lost, whole=True)
    folder = typed.folder / "a100-1"
    report.write(folder)
    assert "Blocks of several machines of one kind: n1 (block 1), n2 (block 2)." in (folder / "report.md").read_text()
    assert "/home/jane/" in (folder / "report.md").read_text()
    command.invoke("report", folder, "--anonymous")
    text = (folder / "report.md").read_text()
    assert "n1 (" not in text
    assert "jane" not in text
    assert "net.py: no such module" in text
    assert text.count(" (block 1), ") >= 1
    command.invoke("report", "--runs", folder, folder, "--anonymous", "--into", tmp_path / "both")
    assert "n2" not in (tmp_path / "both" / "report.md").read_text()
