"""How far rounding leads the oracle of a large network astray, found once for all who prove it.

In a large network that takes minutes, and depends neither on the framework nor, to speak of, on the masks that it drew: the
norms are over many numbers, and the budgets are 8 times as wide. So whoever comes first finds it, with masks of the oracle's own,
on all cores that it may use, and leaves it in a folder for the others: processes of the same run, on the same machine.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from implementations import cores
from implementations.contract import Arrays
from implementations.equivalence import gates

LARGE_FLOPS = 10**9
"""Of a training step. From here on strays are shared, and a model is asked which of its ReLUs pass: trying the nearest
ones, one by one, would take minutes too."""

Strays = tuple[dict[str, float], dict[str, float]]
"""By tensor, how far it strays; by ReLU, how near to zero its inputs must be for rounding to decide."""


def is_large(spec: Any) -> bool:
    """Whether this network's proof shares its strays."""
    return bool(spec.flops("train_step") >= LARGE_FLOPS)


class Shared:
    """A folder with strays; one file for each specification, start and precision."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, repetition: Any) -> Strays:
        """The strays of a `proof.Repetition`, from the folder or found now."""
        spec, start = repetition.spec, repetition.start
        known = [spec.model_dump(mode="json"), repetition.arithmetic, gates.PERTURBATIONS]
        name = hashlib.sha256(json.dumps(known, sort_keys=True).encode())
        for array in (start.x, start.y, *start.state.values()):
            name.update(np.ascontiguousarray(array).tobytes())
        path = self.folder / f"strays-{name.hexdigest()[:32]}.json"
        with _held(path.with_suffix(".lock")):
            if not path.is_file():
                aside = path.with_suffix(f".{os.getpid()}")
                aside.write_text(json.dumps(find(repetition)), encoding="ascii")
                aside.replace(path)
        stray, reach = json.loads(path.read_text(encoding="ascii"))
        return stray, reach


def find(repetition: Any) -> Strays:
    """With masks of the oracle's own; the perturbed runs side by side, as many as there are cores."""
    spec, start = repetition.spec, repetition.start
    oracle = repetition.oracle.in_arithmetic(np.float64, np.ndarray)
    own = replace(repetition, oracle=oracle, masks=masks(spec, len(start.y)), shared=None)
    wanted = own.reference()
    active = {name: inputs > 0 for name, inputs in oracle.kinks().items()}
    seeds = range(gates.PERTURBATIONS)
    with ThreadPoolExecutor(min(cores.usable(), gates.PERTURBATIONS)) as pool:
        found = list(pool.map(lambda seed: own.strayed(wanted, active, 1, seed=seed), seeds))
    stray, reach = (
        {name: float(np.sqrt(np.mean([run[k][name] ** 2 for run in found]))) for name in found[0][k]} for k in (0, 1)
    )
    return stray, reach


def masks(spec: Any, batch: int) -> Arrays:
    """Masks of inverted dropout (Srivastava et al. 2014), drawn by a generator of the proof's own."""
    rng, rate = np.random.default_rng(0), spec.dropout
    return {name: (rng.random(shape) >= rate) / (1 - rate) for name, shape in spec.masks(batch).items()}


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """While nobody else holds it; where a file system has no locks, several may find the same thing side by side."""
    with path.open("ab") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
