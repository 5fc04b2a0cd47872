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
