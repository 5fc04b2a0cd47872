"""How far rounding moves the oracle's tensors, computed once and shared by the processes of a run.

In a large network this takes minutes, in a small one most of a proof. It does not depend on the framework, and hardly on the
masks that it drew: the norms are over many numbers. So whoever comes first computes it, with masks of the oracle's own, in a
large network on all its cores, and leaves it in a folder for the others.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from implementations.contract import Arrays, Spec

if TYPE_CHECKING:  # it imports this module
    from implementations.equivalence.repetition import Repetition

LARGE_FLOPS = 10**9
"""Of a training step. From here on perturbed runs are made side by side."""

Strays = tuple[dict[str, float], dict[str, float]]
"""How far rounding moves each tensor; how small the lead of a branch must be for rounding to decide."""


def usable_cores() -> int:
    """How many processors this process may use: by its affinity where the system has one (Linux), else all there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_large(spec: Spec) -> bool:
    """Whether a proof of this network takes long."""
    return spec.flops("train_step") >= LARGE_FLOPS


class Shared:
    """A folder with strays; one file for each specification, start and precision."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, repetition: "Repetition") -> Strays:
        """From the folder, or found now."""
        spec, start = repetition.spec, repetition.start
        key = [
            type(spec).__module__,
            spec.model_dump(mode="json"),
            repetition.arithmetic,
            start.perturbed,
            start.extreme,
        ]
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode())
        for array in (*start.batch.values(), *start.state.values()):
            digest.update(np.ascontiguousarray(array).tobytes())
        path = self.folder / f"strays-{digest.hexdigest()[:32]}.json"
        with _held(path.with_suffix(".lock")):
            if not path.is_file():
                aside = path.with_suffix(f".{os.getpid()}")
                aside.write_text(json.dumps(find(repetition)), encoding="ascii")
                aside.replace(path)
        stray, reach = json.loads(path.read_text(encoding="ascii"))
        return stray, reach


def find(repetition: "Repetition") -> Strays:
    """With masks of the oracle's own."""
    spec, start = repetition.spec, repetition.start
    oracle = repetition.oracle.in_arithmetic(np.float64, np.ndarray)
    independent = replace(repetition, oracle=oracle, masks=masks(spec, start.samples), shared=None)
    expected = independent.reference()
    return independent.own_strays(expected, {name: branch.choice for name, branch in oracle.branches().items()})


def side_by_side(repetition: "Repetition", expected: Arrays, choices: Mapping[str, np.ndarray]) -> Strays:
    """The perturbed runs of a large network, as many at a time as there are cores."""
    with ThreadPoolExecutor(usable_cores()) as pool:
        seeds = range(repetition.start.perturbed)
        runs = list(pool.map(lambda seed: repetition.strayed(expected, choices, 1, seed=seed), seeds))
    stray, reach = (
        {name: float(np.sqrt(np.mean([run[k][name] ** 2 for run in runs]))) for name in runs[0][k]} for k in (0, 1)
    )
    return stray, reach


def masks(spec: Spec, batch: int) -> Arrays:
    """Masks of inverted dropout (Srivastava et al. 2014), drawn by a generator of the proof's own."""
    rng = np.random.default_rng(0)
    return {name: (rng.random(m.shape) >= m.rate) / (1 - m.rate) for name, m in spec.masks(batch).items()}


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """While nobody else holds it; where a file system has no locks, several may find the same thing side by side."""
    with path.open("ab") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
