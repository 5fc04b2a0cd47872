"""What `doctor` says: the machine, every framework, what is missing and the command that gets it."""

import importlib.util
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from benchmarks import gpus, system
from implementations import registry

OPTIONAL = {"vl_convert": ("charts in reports", "pip install vl-convert-python")}


def examine() -> dict[str, Any]:
    """Machine, frameworks and optional packages; no framework is imported."""
    return {
        "machine": system.machine(),
        "frameworks": {name: _framework(name) for name in registry.frameworks()},
        "optional": {
            name: {"for": use, "installed": importlib.util.find_spec(name) is not None, "fix": fix}
            for name, (use, fix) in OPTIONAL.items()
        },
    }


def render(report: dict[str, Any]) -> str:
    """The same for people."""
    machine = report["machine"]
    lines = [
        f"{machine['cpu']}, {machine['usable_cores']} usable cores, {machine['memory_bytes'] / 2**30:.0f} GiB",
        *([f"a quota leaves it {quota:g} processors' time"] if (quota := machine["cgroup_cpu_quota"]) else []),
        f"{machine['os']}, Python {machine['python']}",
        *([_gpu(i, gpu) for i, gpu in enumerate(machine["gpus"])] or [f"GPU: none ({gpus.why_no_gpu()})"]),
        "",
    ]
    for name, state in report["frameworks"].items():
        lines.append(
            f"{name:18} {'ready' if state['ready'] else 'not here':9} {state['version'] or '':10} {state['note']}"
        )
    lines += [
        f"{name}: {'there' if o['installed'] else 'missing: ' + o['fix']} ({o['for']})"
        for name, o in report["optional"].items()
    ]
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
    return {"ready": problem is None, "version": None if problem else _version(name), "note": note}


def _version(name: str) -> str | None:
    """The version of the distribution that brings the framework's last package."""
    package = registry.PACKAGES.get(name, (name,))[-1]
    distributions = _distributions().get(package, [])
    return metadata.version(distributions[0]) if distributions else None


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()
