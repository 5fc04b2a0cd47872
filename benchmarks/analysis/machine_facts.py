"""The machine's facts as the run wrote them down beside its records."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import reading
from benchmarks.records.record import ThreadPool

OF_RUN = (
    "CUDA_BIN", "CUDA_DEVICE_ORDER", "CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDA_VERSION", "CUDA_VISIBLE_DEVICES", "JAX_PLATFORM",
    "KERAS_BACKEND", "KERAS_HOME", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK",
)  # fmt: skip
THREADS = ("_NUM_THREADS", "_NUM_INTRAOP_THREADS", "_NUM_INTEROP_THREADS")
"""How variables begin, and end, that say where something lies, or that a run sets itself (by importing scikit-learn, too)."""


def read(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The facts in environment.json, and a sentence about what is wrong with that file, if anything is."""
    try:
        return reading.facts(folder / "environment.json"), []
    except reading.Unreadable as problem:
        return {}, [] if problem.missing else [f"environment.json was set aside: it {problem.reason}."]


def gpus(facts: Mapping[str, Any]) -> list[list[str]]:
    """Name, driver and memory of each, as nvidia-smi tells them."""
    return [[str(gpu.get(name, "")) for name in ("name", "driver", "memory")] for gpu in _gpus(facts)]


def gpu_settings(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What of its GPUs somebody may have set otherwise: how much power they may take, error correction."""
    names = {"power_limit": "GPU power limit", "ecc": "GPU ECC"}
    return [(words, str(gpu[name])) for gpu in _gpus(facts) for name, words in names.items() if name in gpu]


def _gpus(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is told of each; nothing where the file holds something else."""
    entries = facts.get("gpus")
    return [gpu for gpu in (entries if isinstance(entries, list) else []) if isinstance(gpu, dict)]


def variables(facts: Mapping[str, Any]) -> dict[str, str]:
    """Variables of the environment that steer libraries."""
    values = facts.get("variables")
    return {name: str(value) for name, value in values.items()} if isinstance(values, dict) else {}


def choices(facts: Mapping[str, Any]) -> dict[str, str]:
    """Those of them by which libraries compute otherwise than they would by themselves."""
    named = variables(facts).items()
    return {name: value for name, value in named if not (name.startswith(OF_RUN) or name.endswith(THREADS))}


def kernels(pools: Iterable[ThreadPool]) -> list[tuple[str, str]]:
    """Of each library of thread pools, for which processors it chose its routines and what its threads are, where it says so."""
    told = [
        (
            f"{pool.internal_api or pool.user_api}'s routines",
            " on ".join(filter(None, [pool.architecture, pool.threading_layer])),
        )
        for pool in pools
    ]
    return [(name, words) for name, words in told if words]


def flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Nested facts under their full names, such as "optimizer.kind"."""
    by_full_name: dict[str, Any] = {}
    for key, value in facts.items():
        nested = flat(value) if isinstance(value, dict) and value else None
        by_full_name |= {f"{key}.{name}": inner for name, inner in nested.items()} if nested else {key: value}
    return by_full_name
