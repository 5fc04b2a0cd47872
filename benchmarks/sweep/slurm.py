"""Slurm, through submitit: what is asked of it, a job on its way, the queue. What submitit stores of a job is never read."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.sweep.sweep_file import Kind
from implementations.errors import BadInput, Unavailable

MAX_TIMEOUTS, MORE = "slurm_max_num_timeout", "slurm_additional_parameters"
DEFAULTS = {"timeout_min": 120, "slurm_exclusive": True, MAX_TIMEOUTS: 20}
"""submitit's own would be five minutes, a shared node, and three requeues of a job whose time is over."""

GENERAL = {"cpus_per_task", "gpus_per_node", "mem_gb", "timeout_min"}
"""Its names that do not begin with slurm_."""

MEMORY = {"mem_gb", "slurm_mem", "slurm_mem_per_cpu", "slurm_mem_per_gpu"}

OF_THE_SWEEP = {
    "array_parallelism", "job_name", "name", "nodes", "ntasks_per_node", "python", "setup", "srun_args", "stderr_to_stdout",
    "tasks_per_node", "use_srun",
}  # fmt: skip
"""submitit's names, without slurm_ before them, for what a sweep says itself."""

STEERING, ACCESS = ("SBATCH_", "SLURM_", "SQUEUE_", "SRUN_"), ("SLURM_CONF", "SLURM_JWT")
"""How the names of variables begin that change what Slurm does, and those by which it is reached."""

TELL_SRUN = "${SLURM_CPUS_PER_TASK:+export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK}"
"""A line of the shell: from 22.05 on, srun does not ask its job how many processors a task has."""


def parameters(shared: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """What is asked of Slurm for a kind, under submitit's names. Raises BadInput for what a sweep says itself."""
    own = kind.model_extra or {}
    wanted = {**DEFAULTS, **shared, **own}
    if theirs := [name for name in wanted if name.removeprefix("slurm_") in OF_THE_SWEEP]:
        raise BadInput(f"{', '.join(theirs)}: the sweep says that to submitit itself. Leave it out.")
    if plain := [name for name in wanted if not name.startswith("slurm_") and name not in GENERAL]:
        raise BadInput(
            f"{', '.join(plain)}: no such field. What is asked of Slurm begins with slurm_: slurm_{plain[0]}."
        )
    if wanted["slurm_exclusive"] and not wanted.keys() & MEMORY:
        wanted["slurm_mem"] = "0"  # all of the node's
    try:
        wanted[MORE] = _given({"requeue": True, "ntasks": 1, **shared.get(MORE, {}), **own.get(MORE, {})})
    except TypeError:
        raise BadInput(f"{MORE}: is a table of sbatch's options, as in {{nice = 100}}.") from None
    return _given(wanted)


def _given(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Without flags that are not given."""
    return {name: value for name, value in wanted.items() if value is not False}


def executor(run: str, kind: Kind, shared: Mapping[str, Any], folder: Path) -> Any:
    """submitit's, which keeps its files in `folder`; nothing is written yet.

    Raises BadInput where what is asked has no such name or type, Unavailable where submitit or Slurm is not here.
    """
    try:
        import submitit
    except ImportError:
        raise Unavailable("submitit is not installed.", "pip install submitit, or see docs/cluster.md.") from None
    _check_slurm("srun")
    wanted = parameters(shared, kind)
    try:
        timeouts = {MAX_TIMEOUTS: int(wanted.pop(MAX_TIMEOUTS))}
        made = submitit.AutoExecutor(folder, cluster="slurm", slurm_python=kind.python or None, **timeouts)
        made.update_parameters(name=run, slurm_setup=["set -e", TELL_SRUN, *kind.setup], **wanted)
    except (NameError, AssertionError, TypeError, ValueError) as problem:
        reason = str(problem).splitlines()[0].partition(" Valid arguments")[0]
        raise BadInput(f"{run}: submitit refuses what is asked of Slurm: {reason} docs/cluster.md has names.") from None
    return made


def submit(run: str, executor: Any, job: Any) -> str:
    """Put a run's job into the queue; returns its number. Raises BadInput where Slurm refuses it."""
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    try:
        with _as_asked():
            return str(executor.submit(job).job_id)
    except (FailedJobError, FailedSubmissionError) as problem:
        raise BadInput(f"{run}: Slurm refuses it: {problem}") from None


def queue() -> dict[str, tuple[str, str]]:
    """Of each of the user's jobs that wait or run, by number: its state, and its node or why it waits. Raises Unavailable."""
    _check_slurm("squeue")
    command = ["squeue", "--all", "--noheader", f"--user={os.getuid()}", "--format=%A|%T|%R"]
    with _as_asked():
        answer = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if answer.returncode:
        raise Unavailable(f"squeue does not answer ({answer.stderr.strip()}).", "Is Slurm's controller up?")
    rows = (line.split("|", 2) for line in answer.stdout.splitlines() if line.count("|") >= 2)
    return {number: (state, "" if where == "(None)" else where.strip("()")) for number, state, where in rows}


@contextmanager
def _as_asked() -> Iterator[None]:
    """Without variables by which an outer job, or a habit of the user's, changes what is asked of Slurm, or what it tells."""
    hidden = {
        name: os.environ.pop(name) for name in list(os.environ) if name.startswith(STEERING) and name not in ACCESS
    }
    try:
        yield
    finally:
        os.environ.update(hidden)


def _check_slurm(program: str) -> None:
    """Raises Unavailable where there is none."""
    if shutil.which(program) is None:
        raise Unavailable(f"There is no Slurm here (no {program}).", "Go to a login node, or see docs/cluster.md.")
