"""Planted faults: mistakes that the kit must notice, every one of them, in a file per model."""

import importlib
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from implementations import registry
from implementations.catalogue import MODEL


@dataclass(frozen=True)
class Fault:
    """A mistake by its name, and the specification under which it shows; after how many steps, and in which precision alone."""

    name: str
    spec: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    precision: str = ""


EQUIVALENT = {
    "a pool that begins with 0 instead of -inf": "behind a ReLU nothing is below 0",
    "of equal numbers of a window the first in the order of columns": "a unit that sees nothing is equal at all four places; other equal "
    "numbers come from equal windows of the image, which give the same gradients wherever they are",
    "minus infinity filled in before the scaling": "divided by sqrt(D) it is minus infinity still",
    "gradient of the largest score, which the softmax subtracts": "what is subtracted from all scores of a row changes no weight",
    "update deferred to the next call": "every value is right, and in a round of N calls N updates are made, the first of "
    "them that of the call before the round; the fence waits for all of it",
}
"""Thought of, and not planted: nothing that is published would differ."""

NOT_THE_PROOFS = (
    "no number is wrong, only the time; the harness puts every fence to the test (`benchmarks.worker.workloads.Work.check_fence`), and "
    "tests/benchmarks plants it there"
)


def own(model: str) -> list[Fault]:
    """Those of a model that the first one does not have."""
    known = {fault.name for fault in table(MODEL).FAULTS} if model != MODEL else set()
    return [fault for fault in table(model).FAULTS if fault.name not in known]


def models() -> list[str]:
    """Ours, the first one first."""
    return [MODEL, *(model for model in registry.OURS if model != MODEL)]


def table(model: str) -> ModuleType:
    """A model's SIZE, FAULTS, NOT_THE_ORACLES and NOT_ON."""
    return importlib.import_module(f"tests.mutation.faults.{model}")
