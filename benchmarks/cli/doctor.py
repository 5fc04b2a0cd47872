"""What `doctor` says: the machine, every framework, what is missing and the command that gets it."""

import importlib.util
import os
import shutil
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import gpus, system
from implementations import catalogue, registry

OPTIONAL = {"vl_convert": ("charts in reports", "pip install vl-convert-python")}
COMPILER, COMPILES = "C++ compiler", "torch"
STATES = {True: "ready", None: "installed", False: "cannot run"}
QUIET_LOAD = 0.5
"""The load of a machine on which nobody else works is below this."""


def examine(deep: bool = False) -> dict[str, Any]:
    """Machine, frameworks and what else may be missing. `ready` is None of a framework that is there and was not imported.

    `deep` imports each in a process of its own, and compiles with those that need a compiler: about half a minute.
    """
    load, results = os.getloadavg()[0], Path("results").absolute()  # before its own work is in the load
    place = next(folder for folder in (results, *results.parents) if folder.is_dir())
    frameworks = {name: _framework(name) for name in registry.frameworks()}
    compiler: Exception | None = registry.mode_problem(COMPILES, "tuned")
    optional = {
        name: {"for": use, "installed": importlib.util.find_spec(name) is not None, "fix": fix}
        for name, (use, fix) in OPTIONAL.items()
    }
    if deep:
        compiler = _looked_into(frameworks) or compiler
    use = f"{catalogue.title(COMPILES)}'s tuned mode"
    return {
        "machine": system.machine(),
        "load_1min": load,
        "free_bytes": shutil.disk_usage(place).free,
        "frameworks": frameworks,
        "optional": optional
        | {COMPILER: {"for": use, "installed": compiler is None, "fix": str(compiler) if compiler else ""}},
        "next": "make gpu" if gpus.visible() else "python -m benchmarks run",
    }


def _looked_into(frameworks: dict[str, dict[str, Any]]) -> Exception | None:
    """Says of each framework that is there whether it can be imported; returns what is wrong with the compiler, or nothing."""
    from benchmarks.records.configuration import Configuration
    from benchmarks.runner import probes
    from benchmarks.worker.probe import ADAPTER, COMPILE

    there = [name for name, state in frameworks.items() if state["ready"] is None]
    whos = [Configuration(model=catalogue.MODEL, framework=name, threads=1) for name in there]
    broken = probes.broken(whos, {}, [ADAPTER])
    for name in there:
        frameworks[name] |= {"ready": name not in broken, "note": str(broken.get(name, "")).strip()}
    compiling = [who for who in whos if who.framework == COMPILES and COMPILES not in broken]
    return probes.broken(compiling, {}, [COMPILE]).get(COMPILES)


def render(report: dict[str, Any]) -> str:
    """The same for people."""
    machine, busy = report["machine"], report["load_1min"] > QUIET_LOAD
    lines = [
        f"{machine['cpu']}, {machine['usable_cores']} usable cores, {machine['memory_bytes'] / 2**30:.0f} GiB",
        *([f"a quota leaves it {quota:g} processors' time"] if (quota := machine["cgroup_cpu_quota"]) else []),
        *([shared] if (shared := system.shared_processors()) else []),
        f"load {report['load_1min']:.1f} in the last minute" + ("; other programs' work would be in the times" * busy),
        f"{report['free_bytes'] / 2**30:.0f} GiB free for results",
        f"{machine['os']}, Python {machine['python']}",
        *([_gpu(i, gpu) for i, gpu in enumerate(machine["gpus"])] or [f"GPU: none ({gpus.why_no_gpu()})"]),
        "",
    ]
    for name, state in report["frameworks"].items():
        word = STATES[state["ready"]] if state["version"] else "not here"
        lines.append(f"{name:18} {word:10} {state['version'] or '':12} {state['note']}")
    lines += [
        f"{name}: {'there' if o['installed'] else 'missing: ' + o['fix']} ({o['for']})"
        for name, o in report["optional"].items()
    ]
    if any(state["ready"] is None for state in report["frameworks"].values()):
        lines += [
            "",
            "Whether they can be imported and compile was not looked at: `doctor --deep` does so (half a minute).",
        ]
    lines += [f"Next: {report['next']}"]
    return "\n".join(line.rstrip() for line in lines)


def _gpu(index: int, gpu: dict[str, str]) -> str:
    settings = {
        "driver": "driver",
        "power_limit": "power limit",
        "sm_clock_max": "SM clock up to",
        "ecc": "ECC",
        "mig": "MIG",
    }
    words = [gpu["name"], gpu["memory"], *(f"{words} {gpu[name]}" for name, words in settings.items() if name in gpu)]
    return f"GPU cuda:{index}: {', '.join([*words, gpu['uuid']])}"


def _framework(name: str) -> dict[str, Any]:
    problem = registry.missing(name)
    if problem is None and name == "cupy" and not gpus.visible():
        note = f"installed, but CuPy sees no GPU ({gpus.why_no_gpu()})"
        return {"ready": False, "version": _version(name), "note": note}
    note = f"{problem.reason} {problem.fix}" if problem else ""
    return {"ready": False if problem else None, "version": None if problem else _version(name), "note": note}


def _version(name: str) -> str | None:
    """The version of the distribution that brings the framework's last package."""
    package = registry.PACKAGES.get(name, (name,))[-1]
    distributions = _distributions().get(package) or registry.distributions(name)
    return metadata.version(distributions[0]) if distributions else None


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()
