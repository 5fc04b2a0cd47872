"""The machine, its threads and its GPUs, and which code ran. No framework is imported."""

import ctypes
import gc
import hashlib
import os
import platform
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks import gpus, processors, reading

ROOT = Path(__file__).parent.parent

NODE = "SLURMD_NODENAME"
"""Slurm's variable with the name of the machine that a job runs on."""

PR_SET_PDEATHSIG = 1
"""From Linux's sys/prctl.h."""

STEERING = (
    "ATEN_", "BLIS_", "CUBLAS_", "CUDA_", "CUPY_", "DNNL_", "GLIBC_", "GOMP_", "GOTO_", "JAX_", "KERAS_", "KMP_", "LD_PRELOAD",
    "MALLOC_", "MKL_", "NPY_", "NUMPY_", "NVIDIA_TF32_", "OMP_", "ONEDNN_", "OPENBLAS_", "PYTORCH_", "TF_CPU_", "TF_CUDNN_",
    "TF_DETERMINISTIC_", "TF_ENABLE_", "TF_FORCE_", "TF_GPU_", "TF_NUM_", "TF_ONEDNN_", "TF_USE_", "TF_XLA_", "TORCHDYNAMO_",
    "TORCHINDUCTOR_", "TORCH_", "XLA_",
)  # fmt: skip
"""How the names of environment variables begin by which libraries of arithmetic, memory and threads are steered. Not all that
begins with TF_: Terraform keeps its settings, and secrets, under such names."""

THREAD_CLOCK = 0b110
"""From Linux's posix-timers.h: the last bits of the number of a thread's own processor clock."""


def machine() -> dict[str, Any]:
    """What identifies the machine, and what may explain its numbers. Nothing in it changes with the clock rate."""
    import psutil

    return {
        "host": host(),
        "cpu": processors.model(),
        "cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "usable_cores": usable_cores(),
        "cgroup_cpu_quota": processors.quota(),
        "governor": reading.line(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")) or None,
        "memory_bytes": psutil.virtual_memory().total,
        "gpus": [{name: value for name, value in vars(gpu).items() if value} for gpu in gpus.visible()],
        "os": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "variables": variables(),
    }


def variables() -> dict[str, str]:
    """What steers libraries, by name; of paths the last part alone, for folders tell of people."""
    steering = {name: value for name, value in sorted(os.environ.items()) if name.startswith(STEERING)}
    return {name: without_folders(value) for name, value in steering.items()}


def without_folders(text: str) -> str:
    """The same with the last part alone of every path in it."""
    return re.sub(r"(?:[^\s:,;=]*/)+", "", text)


def host() -> str:
    """Which machine this is, without its name: a hash of its machine-id, or of its host name where it has none.

    Of Slurm's name for the node too, where there is one: nodes that start from one image have one machine-id.
    """
    identity = (reading.line(Path("/etc/machine-id")) or platform.node()) + os.environ.get(NODE, "")
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def node() -> str:
    """Slurm's name of this machine; elsewhere the same as `host`."""
    return os.environ.get(NODE) or host()


def usable_cores() -> int:
    """How many processors this process may use: by its affinity, by a quota, of which whole ones count, and by what Slurm granted."""
    quota, usable = processors.quota(), len(processors.usable())
    return min(usable, max(1, int(quota)) if quota else usable, processors.granted() or usable)


def shared_processors() -> str:
    """A sentence where Slurm granted this job some of the node's processors, but keeps neither it nor others to their own; else nothing."""
    granted, usable = processors.granted(), len(processors.usable())
    if granted is None or granted >= usable:
        return ""
    return (
        f"Slurm granted {granted} of {usable} processors and keeps no job to its own: unless the node is yours alone "
        "(--exclusive), others share them and are in the times."
    )


def code_version() -> dict[str, Any]:
    """Commit of the checkout and whether it was changed since; empty outside a checkout."""
    commit = _git("rev-parse", "HEAD")
    return {"commit": commit, "dirty": bool(_git("status", "--porcelain", "--untracked-files=no"))} if commit else {}


def thread_environment(threads: int) -> dict[str, str]:
    """Variables that thread pools read when they are first loaded."""
    blas = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    others = ("NUMEXPR_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return {name: str(threads) for name in (*blas, *others)}


def pin(threads: int) -> list[int]:
    """Keep this process on as many processors as it has threads; returns them (none where unknown).

    The only limit that every framework respects: JAX takes its thread count from it, and one thread then means one core.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    chosen = sorted(processors.in_order_of_use(processors.usable())[:threads])
    os.sched_setaffinity(0, chosen)
    return chosen


def _git(*arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def cpu_clock(pid: int) -> Callable[[], float]:
    """A clock of the processor time that all threads of a process have used, in seconds; it shows 0 once that is gone.

    The process's own clock where the system has one (POSIX clock_getcpuclockid), to the nanosecond: what psutil reads is
    counted in ticks of 10 ms.
    """
    import psutil

    clock_id = ctypes.c_int()
    if sys.platform == "linux" and ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock_id)) == 0:
        return lambda: _or_zero(lambda: time.clock_gettime(clock_id.value), OSError)
    return lambda: _or_zero(lambda: sum(psutil.Process(pid).cpu_times()[:2]), psutil.NoSuchProcess)


def own_cpu_s() -> float:
    """Processor time that all threads of this process have used, user and system, in seconds, to some microseconds.

    What a running thread has used, Linux adds to the clock of its process at ticks, which are milliseconds apart, and whenever
    the thread's own clock is read.
    """
    for thread in os.listdir("/proc/self/task") if sys.platform == "linux" else ():
        with suppress(OSError):  # it has just ended
            time.clock_gettime(~int(thread) << 3 | THREAD_CLOCK)
    return time.process_time()


@contextmanager
def without_collecting() -> Iterator[None]:
    """No looking for garbage meanwhile."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _or_zero(read: Callable[[], float], gone: type[Exception]) -> float:
    try:
        return read()
    except gone:
        return 0.0


def die_with_parent() -> None:
    """Have the kernel end this process when the one that started it is gone, even while it is stopped (Linux only).

    Where that one had ended before, its pipe to our standard input has hung up.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    poll = select.poll()
    poll.register(0, 0)  # a hang-up is always reported
    if poll.poll(0):
        os._exit(1)
