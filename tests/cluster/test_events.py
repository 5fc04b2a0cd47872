"""What happens to jobs on a cluster, and what becomes of their runs."""

import shlex
import sys
from pathlib import Path

import pytest

from tests.cluster.conftest import BLOCK, Sweeping, environment, kind
from tests.support import ROOT

pytestmark = pytest.mark.cluster

NVIDIA_SMI = """#!/bin/sh
case "$1" in
-L) echo "GPU 0: NVIDIA A100 (UUID: GPU-aaaa)"; echo "GPU 1: NVIDIA A100 (UUID: GPU-bbbb)" ;;
*) for gpu in aaaa bbbb; do echo "NVIDIA A100, 550.54, 40960 MiB, GPU-$gpu, 1410 MHz, 1215 MHz, 400.00 W, Enabled"; done ;;
esac
"""
"""Of a node with two."""


@pytest.mark.parametrize("cluster", ["", "preempt_send_user_signal"], indirect=True)
def test_a_preempted_run_goes_on(sweeping: Sweeping) -> None:
    """With a time of grace Slurm sends SIGTERM first, or what the job asked for."""
    sweeping.ask(4, kind("old", 'slurm_constraint = "old"'))
    assert sweeping.sweep().returncode == 0
    sweeping.until_blocks("old-1", 2)
    sweeping.slurm.ask("sbatch", "--partition=urgent", "--nodelist=n1", "--output=/dev/null", "--wrap=sleep 1")
    sweeping.until_gone()
    sweeping.check_each_block_once("old-1", 4)
    assert sweeping.state("old-1") == "done 4 of 4 blocks"
    assert (sweeping.folder / "jobs" / "1_0_log.err").read_text().count("going on with") == 1


def test_a_killed_job_is_lost_until_the_command_is_given_again(sweeping: Sweeping) -> None:
    sweeping.ask(3, kind("old", 'slurm_constraint = "old"'))
    sweeping.sweep()
    sweeping.until_blocks("old-1", 1)
    for program in ("submitit.core._submit", "benchmarks"):
        for process in sweeping.processes(program):
            process.kill()
    sweeping.until_gone()
    assert sweeping.state("old-1").startswith("lost")
    assert sweeping.sweep("--status").returncode == 3
    ended = sweeping.sweep("--wait")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    sweeping.check_each_block_once("old-1", 3)


def test_a_cancelled_job_is_lost_and_leaves_a_report(sweeping: Sweeping) -> None:
    sweeping.ask(3, kind("old", 'slurm_constraint = "old"'))
    sweeping.sweep()
    sweeping.until_blocks("old-1", 1)
    sweeping.slurm.ask("scancel", "1")
    sweeping.until_gone()
    assert sweeping.state("old-1").startswith("lost 1 of 3 blocks")
    assert (sweeping.folder / "old-1" / "report.md").exists()


def test_an_orphan_and_the_requeued_copy_never_write_into_one_folder(sweeping: Sweeping) -> None:
    """Slurm gives a node up after a while, and starts its job again elsewhere; the run there is at work all the same."""
    sweeping.ask(100, kind("any"))
    sweeping.sweep()
    sweeping.until_blocks("any-1", 1)
    (first,) = {record.node for record in sweeping.blocks("any-1")}
    sweeping.slurm.kill(first)
    ended = sweeping.folder / "jobs" / "any-1_1.exit_code"
    sweeping.slurm.until(lambda: (sweeping.hurry(), ended.exists())[1], 90)
    assert ended.read_text() == "2\n"
    assert "another process is at work" in (sweeping.folder / "jobs" / "1_0_log.err").read_text()
    assert "its job is gone, the run is not" in sweeping.state("any-1")
    so_far = len(sweeping.blocks("any-1"))
    sweeping.until_blocks("any-1", so_far + 1)
    for process in sweeping.processes("benchmarks"):
        process.terminate()
    sweeping.slurm.until(lambda: sweeping.state("any-1").startswith("failed"))
    sweeping.check_each_block_once("any-1", len(sweeping.blocks("any-1")))
    assert {record.node for record in sweeping.blocks("any-1")} == {first}


def test_a_run_whose_time_is_over_is_requeued_until_it_is_done(sweeping: Sweeping) -> None:
    slurm = "timeout_min = 1\nslurm_signal_delay_s = 45"
    sweeping.ask(32, kind("old", 'slurm_constraint = "old"'), slurm=slurm)
    sweeping.sweep()
    sweeping.until_gone()
    assert "timed-out" in (sweeping.folder / "jobs" / "1_0_log.err").read_text()
    sweeping.check_each_block_once("old-1", 32)
    assert sweeping.state("old-1") == "done 32 of 32 blocks"


def test_the_plain_line_of_the_page_works_without_submitit(sweeping: Sweeping) -> None:
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith("sbatch --array")]
    sweeping.folder.mkdir()
    for written, meant in (
        ("--profile full", f"{' '.join(BLOCK)} --blocks 1"),
        ("--time=240", "--time=30"),
        ("--constraint=a100 ", ""),
        ("results/", f"{sweeping.folder}/"),
        (".venv/bin/python", sys.executable),
    ):
        assert written in line
        line = line.replace(written, meant)
    assert sweeping.slurm.ask(*shlex.split(line)) == "Submitted batch job 1\n"
    sweeping.until_gone()
    folders = [f"sweep/a100-{number}" for number in (1, 2)]
    assert sorted(record.node for run in folders for record in sweeping.blocks(run)) == ["n1", "n2"]


def test_only_the_gpu_that_was_given_is_used(sweeping: Sweeping, tmp_path: Path) -> None:
    (program := tmp_path / "bin" / "nvidia-smi").parent.mkdir()
    program.write_text(NVIDIA_SMI)
    program.chmod(0o755)
    setup = f"setup = ['export PATH={program.parent}:$PATH']"
    sweeping.ask(1, kind("old", 'slurm_constraint = "old"', "gpus_per_node = 1", setup))
    ended = sweeping.sweep("--wait")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [gpu["uuid"] for gpu in environment(sweeping.folder / "old-1")["gpus"]] == ["GPU-aaaa"]
