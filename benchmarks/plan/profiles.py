"""How much is measured when nothing else is asked for. At which sizes, a model says for each profile (`SIZES`)."""

import math
from dataclasses import dataclass, replace

from benchmarks.records.record import COPY, FLOORS, PEAK, PRODUCTS
from implementations import registry


@dataclass(frozen=True)
class Profile:
    """How much is measured when nothing else is asked for."""

    name: str
    frameworks: tuple[str, ...]
    blocks: int
    rounds: int
    round_s: float
    phases: tuple[str, ...]
    epochs: int
    modes: tuple[str, ...] = ("plain",)
    trainings: int = 5
    """From as many seeds."""

    cpu_flops: float = math.inf
    """What a training step may take of a CPU; larger sizes are a GPU's alone."""

    costs: bool = True
    """Whether imports, memory and energy are measured after the blocks."""


PROFILES = {
    "smoke": Profile(
        "smoke",
        ("numpy", "torch", "cupy"),
        1,
        6,
        2e-3,
        ("train_step", "predict", PRODUCTS),
        3,
        trainings=1,
    ),
    "quick": Profile(
        "quick",
        ("numpy", "torch", "keras-tensorflow", "jax", "cupy"),
        6,
        16,
        2e-3,
        ("train_step", "predict", "epoch", PRODUCTS),
        20,
    ),
    "full": Profile(
        "full",
        ("numpy", "torch", "jax", "keras-tensorflow", "keras-torch", "keras-jax", "cupy"),
        10,
        24,
        2e-3,
        ("train_step", "predict", "epoch", *FLOORS),
        30,
        registry.MODES,
    ),
}

PROFILES["gpu"] = Profile(
    "gpu",
    ("numpy", "torch", "jax", "keras-tensorflow", "keras-torch", "keras-jax", "cupy"),
    6,
    16,
    2e-3,
    ("train_step", "predict", "epoch", PEAK, COPY),
    0,
    cpu_flops=60e9,
    costs=False,
)

PROFILES["peers"] = replace(
    PROFILES["quick"],
    name="peers",
    frameworks=("numpy", "torch", "keras-tensorflow", *registry.PEERS),
    phases=("train_step", "epoch"),
    modes=registry.MODES,
)
