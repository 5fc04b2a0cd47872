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
LARGE = {"features": 512, "hidden": (512,)}

SIZE = {"features": 24, "hidden": (32, 32), "batch": 32, "dropout": 0.25}
"""Unless a fault says otherwise. The second weight is square, so that transposing it does not fail by itself."""

FAMILIES = ("numpy", "cupy", "torch", "keras", "jax")


@dataclass(frozen=True)
class Fault:
    """What is wrong, and the specification under which it shows; after how many steps, and in which precision alone."""

    name: str
    spec: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    precision: str = ""


Edits = tuple[tuple[str, str], ...]
"""(old, new) texts; every `old` must stand in one of the family's files exactly once, so that no fault dies of old age unnoticed."""

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
    # Thought out by somebody who had not read the proof.
    Fault("prediction remembered by its object"),
    Fault("idle inputs not updated"),
    Fault("the next step's mask leaks", {"dropout": 0.5}),
    Fault("loss buffer reused"),
    Fault("logits buffer reused"),
    Fault("generator's state is no copy"),
    Fault("Adam's correction stands still at 2048", ADAM),
    Fault("labels through a byte", {"classes": 300}),
    Fault(
        "mask tiled above 65536 units", {"features": 8, "hidden": (256,), "classes": 4, "batch": 512, "dropout": 0.5}
    ),
    Fault("AMSGrad", ADAM),
    Fault("dropout rate in 256ths", {"dropout": 0.2}),
    Fault("ReLU capped at 20", NO_NORM),
    Fault("ReLU's slope 1/2 at zero", NO_NORM | {"dropout": 0.0}),
    Fault("state rounded to float32", precision="float64"),
    Fault("gradient over the configured batch"),
    Fault("running variance over the configured batch"),
    Fault("folded prediction survives a load"),
    Fault("ghost batch norm above 1024", {"features": 8, "hidden": (16,), "batch": 2048}),
    Fault("small gradients flushed", NO_NORM | ADAM | {"dropout": 0.0}),
    Fault("antithetic rows", {"dropout": 0.5}),
    Fault("every 1000th update skipped", steps=1001, precision="float64"),
    Fault("a period of 1000 masks"),
    Fault("step without a finite loss skipped"),
    Fault("a momentum of 0 becomes its default", {"optimizer": {"kind": "sgd", "momentum": 0.0}}),
    Fault("a weight decay of 0 becomes its default", {"optimizer": {"kind": "adamw", "weight_decay": 0.0}}),
    Fault("optimizer's clock not reset", ADAM),
    Fault("last units never dropped", {"hidden": (7,), "batch": 9, "dropout": 0.5}),
    Fault("deep layers reuse masks", {"hidden": (8,) * 11, "dropout": 0.5}),
    Fault("epsilon hat ignored", {"optimizer": {"kind": "adam", "epsilon_form": "hat", "epsilon": 1e-3}}),
    Fault("loss floored at the smallest float"),
    Fault("gradient clipped at norm 100", NO_NORM),
    Fault("dropout's scale in half precision", {"dropout": 0.3}),
    Fault("slots of large kernels in half precision", LARGE | ADAM),
    Fault("products of large factors in half precision", LARGE | {"batch": 256}),
    Fault("batch copied once per object"),
    Fault("state taken over without a copy", precision="float64"),
    Fault("generator not seeded"),
    Fault("prediction moves the generator"),
    Fault("tail of a large prediction missing"),
    Fault("a single row squeezed"),
    Fault("two samples keep the biased variance", {"batch": 2}),
    Fault("constant unit gets no gradient"),
    Fault("a wide input's tail ignored", {"features": 1030, "hidden": (16,)}),
    Fault("two models share their arrays"),
]

EQUIVALENT = {
    "update deferred to the next call": "every value is right, and in a round of N calls N updates are made, the first of "
    "them that of the call before the round; the fence waits for all of it",
}
"""Thought of, and not planted: nothing that is published would differ."""

NOT_THE_PROOFS = (
    "no number is wrong, only the time; the harness puts every fence to the test (`benchmarks.worker.workloads.Work.check_fence`), and "
    "tests/benchmarks plants it there"
)


def edits(family: str) -> dict[str, Edits]:
    """How each fault is written in this family, by name."""
    return _all(family, "EDITS")


def elsewhere(family: str) -> dict[str, str]:
    """Why a fault is not planted in this family, by name."""
    return _all(family, "ELSEWHERE")


def not_the_oracles() -> dict[str, str]:
    """Faults in NumPy that its oracle does not share, and why."""
    return _all("numpy", "NOT_THE_ORACLES")


def _all(family: str, what: str) -> dict[str, Any]:
    """From the family's file, and from that of the further faults."""
    modules = [importlib.import_module(f"tests.mutation.faults.{family}_{part}") for part in ("faults", "further")]
    return {name: value for module in modules for name, value in getattr(module, what, {}).items()}
