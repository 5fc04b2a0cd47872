"""A chain of tokens with a rule to learn: mostly the token after the last one, otherwise any."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from implementations.errors import BadInput

from .spec import SAMPLES

TESTS, TOKENS, WINDOW, VOCABULARY, RULE = 100, 12, 3, 11, 0.9


@dataclass(frozen=True)
class Sequences:
    """x int64 (N, T); y int64 (N, P), the token after each window."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def samples(self) -> int:
        """To train on."""
        return len(self.x_train)

    def arrays(self) -> dict[str, np.ndarray]:
        """By the names of a batch's arrays."""
        return {name: getattr(self, name) for name in ("x_train", "y_train", "x_test", "y_test")}

    def describe(self) -> dict[str, str | int]:
        """Name, counts, and the SHA-256 of the arrays."""
        digest = hashlib.sha256(b"".join(array.tobytes() for array in self.arrays().values())).hexdigest()
        return {"name": self.name, "train_samples": self.samples, "test_samples": len(self.x_test), "sha256": digest}


def default(spec: Any) -> Sequences:
    """500 sequences, the same every time."""
    rng = np.random.default_rng(0)
    chains = np.zeros((SAMPLES + TESTS, TOKENS + 1), np.int64)
    chains[:, 0] = rng.integers(0, VOCABULARY, len(chains))
    for t in range(TOKENS):
        ruled = rng.random(len(chains)) < RULE
        chains[:, t + 1] = np.where(ruled, (chains[:, t] + 1) % VOCABULARY, rng.integers(0, VOCABULARY, len(chains)))
    x, y = chains[:, :-1], chains[:, WINDOW:]
    return Sequences("chain", x[:SAMPLES].copy(), y[:SAMPLES].copy(), x[SAMPLES:].copy(), y[SAMPLES:].copy())


def load(path: Path, spec: Any) -> Sequences:
    """No files."""
    raise BadInput(f"--data {path}: the stranger takes no files. Leave it out.")
