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
    """The large product is in all of them: what is faster than it by half has no rank."""

    epochs: int
    modes: tuple[str, ...] = ("plain",)
    trainings: int = 5
    """From as many seeds."""

    cpu_flops: float = math.inf
    """What a training step may take of a CPU; larger sizes are a GPU's alone."""

    costs: bool = True
    """Whether imports, memory and energy are measured after the blocks."""

    budget_s: float = 0.0
    """A run takes further blocks while it is within this time, unless blocks or a budget were asked for."""

    batch_factors: tuple[float, ...] = ()
    """Of the specification's own batch: the sizes, where there are any here."""

    few_and_all_threads: bool = False
    """On one thread and on all, not on all alone."""

    preset: str = ""
    """The specification where none was asked for; else each network's first."""

    unnamed: tuple[str, ...] = ()
    """In these frameworks the other networks' training steps are timed too, at one size, where no network was named."""


PROFILES = {
    "smoke": Profile(
        "smoke",
        ("numpy", "torch", "cupy"),
        1,
        6,
        2e-3,
        ("train_step", "predict", PRODUCTS, PEAK),
        3,
        trainings=1,
    ),
    "quick": Profile(
        "quick",
        ("numpy", "torch", "keras-tensorflow", "jax", "cupy"),
        6,
        13,
        2e-3,
        ("train_step", "predict", "epoch", PRODUCTS, PEAK),
        20,
        trainings=3,
        budget_s=175,
        unnamed=("numpy", "torch", "jax"),
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

PROFILES["gpu"] = replace(
    PROFILES["full"],
    name="gpu",
    blocks=6,
    rounds=16,
    phases=("train_step", "predict", "epoch", PEAK, COPY),
    epochs=0,
    modes=("plain",),
    cpu_flops=60e9,
    costs=False,
)

PROFILES["peers"] = replace(
    PROFILES["quick"],
    name="peers",
    budget_s=0.0,
    unnamed=(),
    rounds=16,
    trainings=5,
    frameworks=("numpy", "torch", "keras-tensorflow", *registry.PEERS),
    phases=("train_step", "epoch", PEAK),
    modes=registry.MODES,
)

PROFILES["zoo"] = replace(
    PROFILES["quick"],
    name="zoo",
    budget_s=0.0,
    unnamed=(),
    rounds=16,
    phases=("train_step", "predict", PEAK),
    epochs=30,
    costs=False,
    preset="digits",
)
"""One task, several networks: each at its own size."""

PROFILES["choose"] = replace(
    PROFILES["full"],
    name="choose",
    blocks=6,
    rounds=16,
    phases=("train_step", "predict", PEAK),
    epochs=10,
    batch_factors=(0.25, 1, 4),
    few_and_all_threads=True,
)
"""Which framework for my network: at its own size and beside it, plain and tuned, on one thread and on all."""
