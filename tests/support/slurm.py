"""A real Slurm for a test, in a folder: munge, a controller and two virtual nodes of two kinds, each on a processor of its own.

Debian: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge. It needs root, as slurmd does; no cgroups,
no accounting, no file of the system's.
"""

import getpass
import os
import secrets
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=10
KillWait=3
GresTypes=gpu
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
{parameters}
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port1} CPUs=1 RealMemory=4000 Feature=old Gres=gpu:a100:2
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={port2} CPUs=1 RealMemory=4000 Feature=new Gres=gpu:h100:1
PartitionName=all Nodes=ALL Default=YES MaxTime=60 OverSubscribe=EXCLUSIVE PriorityTier=1 PreemptMode=REQUEUE GraceTime=10
PartitionName=urgent Nodes=ALL MaxTime=60 PriorityTier=10 PreemptMode=OFF
"""
GPUS = {"n1": ("a100", 2), "n2": ("h100", 1)}


def missing() -> str:
    """Why there can be no Slurm here, or nothing."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if lacking:
        return f"no Slurm here ({', '.join(lacking)}): apt-get install slurmctld slurmd slurm-client munge"
    if len(os.sched_getaffinity(0)) < 2:
        return "two virtual nodes need two processors"
    return "" if os.geteuid() == 0 else "slurmd must be started by root"


class Slurm:
    """The cluster while it runs."""

    def __init__(self, folder: Path, parameters: str) -> None:
        self.folder, self.parameters = folder, parameters
        self.environment = {**os.environ, "PATH": PATH, "SLURM_CONF": str(folder / "slurm.conf")}
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Everything, until both nodes are idle."""
        (self.folder / "state").mkdir()
        ports = dict(zip(("port", "port1", "port2"), _free_ports(3), strict=True))
        text = CONFIGURATION.format(
            host=socket.gethostname(),
            folder=self.folder,
            parameters=f"SlurmctldParameters={self.parameters}" if self.parameters else "",
            **ports,
        )
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "gres.conf").write_text("".join(self._gpus()))
        self._start_munge()
        self._daemon("slurmctld", "slurmctld", "-D", "-c")
        for node in GPUS:
            self.start_node(node)
        self.until(self._is_up)

    def start_node(self, node: str) -> None:
        """One of the nodes, on a processor of its own."""
        processor = sorted(os.sched_getaffinity(0))[list(GPUS).index(node)]
        self._daemon(node, "taskset", "-c", str(processor), "slurmd", "-D", "-N", node)

    def kill(self, name: str) -> None:
        """Kill a daemon and nothing that it started."""
        self.daemons[name].kill()
        self.daemons.pop(name).wait()

    def ask(self, *command: str) -> str:
        """What a command of Slurm's prints. Raises CalledProcessError."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=30, check=True
        ).stdout

    def until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Wait for something. Raises TimeoutError with what the queue and the nodes are like."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{self.ask('squeue')}{self.ask('sinfo', '-N', '-l')}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the jobs and the daemons, and whatever one of them left."""
        with suppress(subprocess.SubprocessError):
            for job in self.ask("squeue", "--noheader", "--format=%A").split():
                self.ask("scancel", "--signal=KILL", "--full", job)
            self.ask("scancel", f"--user={getpass.getuser()}")
        for name in reversed(list(self.daemons)):
            self.daemons[name].terminate()
        for daemon in self.daemons.values():
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(5)
            daemon.kill()
            daemon.wait()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if self._is_of(process):
                    process.kill()

    def _is_of(self, process: psutil.Process) -> bool:
        """Whether it was started here: by its environment or, of Slurm's own, which have none left, by their sockets."""
        if process.environ().get("SLURM_CONF") == self.environment["SLURM_CONF"]:
            return True
        own = process.name().startswith("slurmstepd")
        return own and any(str(held.laddr).startswith(f"{self.folder}/") for held in process.net_connections("unix"))

    def _is_up(self) -> bool:
        """Whether all nodes are idle."""
        with suppress(subprocess.CalledProcessError):  # the controller does not answer yet
            return self.ask("sinfo", "--noheader", "--Node", "--format=%T").split().count("idle") >= len(GPUS)
        return False

    def _gpus(self) -> Iterator[str]:
        """Lines of gres.conf. A GPU must be a character device: /dev/null's number, under another name."""
        for node, (kind, count) in GPUS.items():
            for number in range(count):
                path = self.folder / f"{node}-nvidia{number}"
                os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
                yield f"NodeName={node} Name=gpu Type={kind} File={path}\n"

    def _start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        names = {"key-file": "key", "socket": "sock", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={self.folder}/munge.{name}" for option, name in names.items()]
        self._daemon("munged", "munged", "-F", "--force", *options)
        self.until((self.folder / "munge.sock").exists)

    def _daemon(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.daemons[name] = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def running(folder: Path, parameters: str = "") -> Iterator[Slurm]:
    """A cluster that runs while this is open, with these SlurmctldParameters."""
    slurm = Slurm(folder, parameters)
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()
