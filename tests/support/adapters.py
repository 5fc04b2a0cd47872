"""How a process that proves begins: one framework, one thread, float64 by whatever way there is to it."""

import os
from pathlib import Path
from typing import Any

import threadpoolctl

from implementations import precisions, registry
from implementations.catalogue import MODEL
from implementations.equivalence.kit import Kit
from implementations.equivalence.strays import Shared

STRAYS = "SAMENET_TEST_STRAYS"
"""The variable that names the folder in which the processes of a test session share their strays."""

QUICKLY_COMPILED = " ".join(
    [
        "--xla_backend_optimization_level=0",
        "--xla_llvm_disable_expensive_passes=true",
        "--xla_cpu_use_fusion_emitters=false",
    ]
)
"""XLA's flags for some hundred small networks, or as many mistakes: a third of the time. What XLA makes of itself, `make prove` judges
where nothing is planted, and every run does.
"""


def compiled_quickly(framework: str) -> dict[str, str]:
    """What a process must find in its environment so that JAX compiles quickly; nothing where JAX does not compile."""
    return {"XLA_FLAGS": QUICKLY_COMPILED} if framework in ("jax", "keras-jax") else {}


def prepared(framework: str, precision: str = "float32") -> Any:
    """The framework's adapter. The oracle's products are small, and two such processes run at a time: one BLAS thread."""
    threadpoolctl.threadpool_limits(1, user_api="blas")
    adapter = registry.adapter(framework)
    adapter.start(1)
    precisions.enter(adapter, precision, patch=True)
    return adapter


def kit(framework: str, precision: str = "float32", mode: str = "plain", model: str = MODEL) -> Kit:
    """Its kit for a model, on a GPU where there is one."""
    adapter = prepared(framework, precision)
    return Kit(model, framework, adapter, adapter.devices()[-1], mode, shared())


def shared() -> Shared | None:
    """Where this process finds strays that others have found; nothing where it proves alone."""
    folder = os.environ.get(STRAYS)
    return Shared(Path(folder)) if folder else None
