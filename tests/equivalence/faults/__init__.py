"""Planted faults: each a small change in the text of an implementation. The kit must notice every one of them.

The list is here, with the specification under which each shows; how it is written stands in one file per family. Where a
family cannot express a fault, or has it proved harmless, that file says why, in ELSEWHERE. A test holds lists and files
together.
"""

import importlib
from dataclasses import dataclass, field
from typing import Any

ADAM = {"optimizer": {"kind": "adam"}}
ADAMW = {"optimizer": {"kind": "adamw", "weight_decay": 0.1}}
NO_NORM = {"batch_norm": False}

SIZE = {"features": 24, "hidden": (32, 32), "batch": 32, "dropout": 0.25}
"""Unless a fault says otherwise. The second weight is square, so that transposing it does not fail by itself."""

FAMILIES = ("numpy", "cupy", "torch", "keras", "jax")


@dataclass(frozen=True)
class Fault:
    """What is wrong, and the specification under which it shows."""

    name: str
    spec: dict[str, Any] = field(default_factory=dict)


Edits = tuple[tuple[str, str], ...]
"""(old, new) texts; every `old` must stand in the file exactly once, so that no fault dies of old age unnoticed."""

FAULTS = [
    Fault("batch-norm momentum inverted"),
    Fault("batch-norm momentum 0.01"),
    Fault("unbiased normalising variance"),
    Fault("biased running variance"),
    Fault("one-pass variance"),
    Fault("epsilon outside the root"),
    Fault("epsilon missing"),
    Fault("epsilon 1e-3"),
    Fault("epsilon missing in prediction"),
    Fault("statistics not updated"),
    Fault("statistics updated twice"),
    Fault("evaluation with batch statistics"),
    Fault("batch-norm backward without its mean term"),
    Fault("batch-norm backward without its variance term"),
    Fault("dgamma averaged"),
    Fault("dropout on in evaluation"),
    Fault("dropout unscaled"),
    Fault("dropout scaled by 1/p"),
    Fault("dropout keeps p"),
    Fault("dropout rate halved"),
    Fault("dropout backward unmasked"),
    Fault("mask reused"),
    Fault("square weight transposed"),
    Fault("bias gradient averaged", NO_NORM),
    Fault("ReLU passes all gradients"),
    Fault("leaky ReLU"),
    Fault("label off by one"),
    Fault("label smoothing"),
    Fault("loss summed"),
    Fault("gradient summed"),
    Fault("softmax overflow"),
    Fault("clipped cross-entropy"),
    Fault("stale gradient"),
    Fault("gradient not reset"),
    Fault("Nesterov"),
    Fault("dampening"),
    Fault("Adam without bias correction", ADAM),
    Fault("Adam's step off by one", ADAM),
    Fault("Adam with epsilon hat", ADAM),
    Fault("float32 powers of beta", ADAM),
    Fault("coupled weight decay", ADAMW),
    Fault("decay on biases", ADAMW),
    Fault("decay after the step", ADAMW),
    Fault("TF32 on"),
    Fault("silent downcast"),
    Fault("input overwritten"),
]


def edits(family: str) -> dict[str, Edits]:
    """How each fault is written in this family, by name."""
    return importlib.import_module(f"tests.equivalence.faults.{family}_faults").EDITS


def elsewhere(family: str) -> dict[str, str]:
    """Why a fault is not planted in this family, by name."""
    return importlib.import_module(f"tests.equivalence.faults.{family}_faults").ELSEWHERE


def not_the_oracles() -> dict[str, str]:
    """Faults of the NumPy page that its oracle does not share, and why."""
    return importlib.import_module("tests.equivalence.faults.numpy_faults").NOT_THE_ORACLES
