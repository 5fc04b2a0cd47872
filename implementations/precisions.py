"""Which framework offers which precision on which device, and how its process gets into one.

float64 and float32 are number types. TF32 is a switch of NVIDIA's matrix units, and bfloat16 here is mixed precision:
products of factors rounded to it, everything else in float32, the parameters too.
"""

from implementations import catalogue, registry
from implementations.contract import Framework
from implementations.errors import Unavailable

DEVICES = {"tf32": ("cuda",), "bfloat16": ("cpu", "cuda")}
"""Coarse precision -> kinds of device that have it."""

OFFERED = {precision: catalogue.offering(precision) for precision in DEVICES}
"""Coarse precision -> frameworks that have it."""


def problem(model: str, name: str, device: str, precision: str) -> Unavailable | None:
    """Why a framework does not offer a precision on a device for a model, or None."""
    name = registry.base(name)
    if reason := registry.part(model, "spec").LACKING.get((name, precision)):
        return Unavailable(f"{name} has no {model} in {precision}: {reason}.", "Choose another --precision.")
    if precision not in OFFERED:
        return None
    if registry.is_peer(name):
        return Unavailable(f"{name} stands beside the others as its book has it, not in {precision}.", "Leave it out.")
    kinds = " and ".join(DEVICES[precision])
    if device.partition(":")[0] not in DEVICES[precision]:
        return Unavailable(f"{precision} is computed on {kinds}, not on {device}.", f"Choose --device {kinds}.")
    if name in registry.FAMILIES and name not in OFFERED[precision]:
        lacking = registry.part(model, "spec").LACKING
        others = [other for other in OFFERED[precision] if (other, precision) not in lacking]
        fix = f"These are: {', '.join(others)}." if others else "Choose another --precision."
        return Unavailable(f"{name} is not offered in {precision}.", fix)
    return None


def enter(adapter: Framework, precision: str, patch: bool = False) -> None:
    """Once per process, after the adapter's `start` and before anything is built; float32 needs nothing.

    `patch`: float64 even where the framework has to be patched for it, which must not happen in a process that times.
    Raises Unavailable.
    """
    if precision in OFFERED:
        if not hasattr(adapter, "use_precision"):
            raise Unavailable(f"the adapter of {adapter.NAME} has no `use_precision`.", "Choose --precision float32.")
        adapter.use_precision(precision)
    elif precision == "float64" and hasattr(adapter, "use_float64"):
        adapter.use_float64()
    elif precision == "float64" and hasattr(adapter, "patch_for_float64"):
        if not patch:
            raise Unavailable(
                f"{adapter.NAME} computes in float64 only when it is patched for the proof, so it is not timed in it.",
                "Time it with --precision float32; `verify` proves it in float64.",
            )
        adapter.patch_for_float64()
