"""Asks, before a run, whether workers could start: every interpreter and framework in a process of its own, all side by side.

Asked is what the user named: interpreters, frameworks, and plug-ins, which are in no profile. Where one of them cannot be imported
the run does not begin. What a profile brings along is not asked, for its workers import it in the first block, before anything
is timed, and importing it twice would cost `make bench` seconds: what a worker says at its end is then the reason of its cells in
Coverage, and the others go on. Nor is a framework asked that this process has imported, as it has NumPy.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from time import monotonic, sleep

from benchmarks import system
from benchmarks.plan.request import Request
from benchmarks.records.configuration import Cell, Configuration
from benchmarks.runner.progress import Say
from benchmarks.runner.scratch import scratch_folder
from benchmarks.runner.worker_process import TRACEBACK, command, ending, environment, last_error, last_stack
from benchmarks.worker.protocol import WHERE
from implementations import registry
from implementations.errors import BadInput, Unavailable

PROGRAM = "benchmarks.worker.probe"
TIMEOUT_S = 120.0
ANSWERS_WITHIN_S = 0.5
MEND = "Mend its installation, or leave it out."
ANOTHER = "Give another interpreter, or leave it out."

OF_THE_RUN = ("jinja2", "pandas", "rich")
OF_A_WORKER = ("numpy", "psutil", "pydantic", "pytest_benchmark", "threadpoolctl")
"""Import packages without which a run would not come to its report, and those that a worker needs beside its framework."""


def check(cells: Iterable[Cell], request: Request, say: Say) -> None:
    """Raises BadInput where something that these cells need cannot be imported, with everything that cannot, and the fix."""
    absent = [package for package in (*OF_THE_RUN, *OF_A_WORKER) if importlib.util.find_spec(package) is None]
    if absent:
        raise BadInput(f"{', '.join(absent)}: not installed. Install it: {_pip_install(sys.executable, absent)}")
    whos = [cell.who for cell in cells if _is_asked(cell.who.framework, request)]
    problems = broken(whos, request.pythons, say=say)
    if problems:
        raise BadInput("\n".join(_told(name, problem, request.pythons) for name, problem in problems.items()))


def broken(
    whos: Iterable[Configuration],
    pythons: Mapping[str, str],
    instead: Sequence[str] = (),
    say: Say = lambda text: None,
) -> dict[str, Unavailable]:
    """Why no worker of a framework could start, by framework; empty where all could.

    `instead` goes to each probe in place of these implementations' names; `say` hears where an interruption met them.
    """
    asked: dict[str, list[Configuration]] = {}
    for who in whos:
        asked.setdefault(who.framework, []).append(who)
    if not asked:
        return {}
    with scratch_folder() as folder, ExitStack() as ends:
        processes = {}
        for name, group in asked.items():
            words = instead or dict.fromkeys(f"{who.model}/{who.mode}" for who in group)
            python = pythons.get(name, sys.executable)
            process = subprocess.Popen(
                command(python, PROGRAM, name, *words),
                env=environment(group[0], folder), cwd=system.ROOT, text=True, errors="replace",
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
            processes[name] = ends.enter_context(process)
            ends.callback(process.kill)
        end_s = monotonic() + TIMEOUT_S
        try:
            return {name: problem for name, process in processes.items() if (problem := _answer(process, end_s))}
        except KeyboardInterrupt:
            for name, process in processes.items():
                if process.poll() is None:
                    say(f"stopped while importing {name}{_where(process)}")
            raise


def _answer(process: "subprocess.Popen[str]", end_s: float) -> Unavailable | None:
    try:
        _, written = process.communicate(timeout=max(end_s - monotonic(), ANSWERS_WITHIN_S))
    except subprocess.TimeoutExpired:
        return Unavailable(f"after {TIMEOUT_S:.0f} s it had not imported what it needs{_where(process)}.", ANOTHER)
    if process.returncode == 0:
        return None
    if TRACEBACK not in written:  # no Python, or an old one, or it was killed
        return Unavailable(f"it ended with {ending(process.returncode, written)}.", ANOTHER)
    error = last_error(written)
    told = error.removeprefix("implementations.errors.Unavailable: ")
    return Unavailable(f"{error}.", MEND) if told == error else Unavailable(told, "")


def _where(process: "subprocess.Popen[str]") -> str:
    """File and line of one that takes too long, which is ended."""
    process.send_signal(WHERE)
    sleep(ANSWERS_WITHIN_S)
    process.kill()
    return last_stack(process.communicate()[1])


def _is_asked(name: str, request: Request) -> bool:
    packages = registry.PACKAGES.get(registry.base(name), ())
    here = packages and all(package in sys.modules for package in packages)
    return name in request.pythons or (name in request.frameworks and not here)


def _told(name: str, problem: Unavailable, pythons: Mapping[str, str]) -> str:
    """For people, with the fix; where that is to install something, in the interpreter that lacks it."""
    if (python := pythons.get(name)) is None:
        return f"--framework {name}: {problem}".strip()
    if problem.fix == ANOTHER:
        return f"--python {name}={python}: {problem}"
    needs = registry.distributions(name) or registry.PACKAGES.get(registry.base(name), ())
    reason = problem.reason.partition(" Install it: ")[0]
    return f"--python {name}={python}: {reason} Install what it needs: {_pip_install(python, (*OF_A_WORKER, *needs))}"


def _pip_install(python: str, packages: Iterable[str]) -> str:
    return f"{python} -m pip install {' '.join(dict.fromkeys(packages)).replace('_', '-')}"
