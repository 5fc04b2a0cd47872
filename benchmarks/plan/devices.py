"""On which devices a framework is run: those that it can use, that are here, and that were asked for."""

import difflib
from collections.abc import Sequence

from benchmarks.gpus import why_no_gpu
from implementations import registry
from implementations.errors import BadInput, Unavailable


def of_framework(name: str, requested: Sequence[str], gpus: Sequence[object]) -> list[str]:
    """Where this framework will be run. Raises Unavailable where that is nowhere."""
    kinds = registry.devices(name)
    existing = [*(["cpu"] if "cpu" in kinds else []), *(f"cuda:{i}" for i in range(len(gpus)) if "cuda" in kinds)]
    chosen = [device for device in existing if _is_requested(device, requested)]
    if not existing:
        raise Unavailable(f"CuPy sees no GPU ({why_no_gpu()})." if name == "cupy" else f"{name} has no device here.",
                          "Run with --device cpu, or see `doctor`.")  # fmt: skip
    if not chosen:
        raise Unavailable(f"{name} does not run on {', '.join(requested)}.", f"It can use: {', '.join(existing)}.")
    return chosen


def check(requested: Sequence[str], gpus: Sequence[object]) -> None:
    """Raises BadInput or Unavailable where one of them is not there."""
    there = ("cpu", *(f"cuda:{i}" for i in range(len(gpus))))
    for device in requested:
        if not any(_is_requested(existing, (device,)) for existing in there):
            raise _missing(device, gpus)


def _is_requested(device: str, requested: Sequence[str]) -> bool:
    return not requested or device in requested or device.split(":")[0] in requested


def _missing(device: str, gpus: Sequence[object]) -> Exception:
    kind = device.split(":")[0]
    if kind == "cuda":
        existing = f"there are {len(gpus)} GPUs" if gpus else f"no GPU is visible ({why_no_gpu()})"
        return Unavailable(f"--device {device}: {existing}.", "Run with --device cpu, or see `doctor`.")
    close = ["cuda"] if kind == "gpu" else difflib.get_close_matches(kind, ("cpu", "cuda"), n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    return BadInput(f"--device {device}: no such device. {hint}Devices are cpu, cuda, cuda:0, ...")
