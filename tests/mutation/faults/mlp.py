"""What must be noticed of the perceptron's mistakes: each with the specification under which it shows.

How a mistake is written stands in `mistakes.py` of its layer, of the training or of the network. A test holds both together.
"""

from tests.mutation.faults import Fault

ADAM = {"optimizer": {"kind": "adam"}}
ADAMW = {"optimizer": {"kind": "adamw", "weight_decay": 0.1}}
NO_NORM = {"batch_norm": False}
LARGE = {"features": 512, "hidden": (512,)}

SIZE = {"features": 24, "hidden": (32, 32), "batch": 32, "dropout": 0.25}
"""Unless a fault says otherwise. The second weight is square, so that transposing it does not fail by itself."""

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
    Fault("dropout ends"),
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
    Fault("generator put back after the step"),
    Fault("prediction moves the generator"),
    Fault("tail of a large prediction missing"),
    Fault("a single row squeezed"),
    Fault("two samples keep the biased variance", {"batch": 2}),
    Fault("constant unit gets no gradient"),
    Fault("a wide input's tail ignored", {"features": 1030, "hidden": (16,)}),
    Fault("two models share their arrays"),
]

_GIVEN = "the oracle draws no masks, it is given them"
_COPIES = "the oracle works on copies, and keeps nothing between its steps"

NOT_THE_ORACLES = dict.fromkeys(
    ("dropout unscaled", "dropout scaled by 1/p", "dropout keeps p", "dropout rate halved", "mask reused",
     "the next step's mask leaks", "mask tiled above 65536 units", "dropout rate in 256ths", "antithetic rows",
     "a period of 1000 masks", "last units never dropped", "dropout's scale in half precision", "generator not seeded", "generator put back after the step",
     "dropout ends", "generator's state is no copy", "prediction moves the generator", "deep layers reuse masks"), _GIVEN,
) | dict.fromkeys(
    ("prediction remembered by its object", "loss buffer reused", "logits buffer reused", "batch copied once per object",
     "state taken over without a copy", "two models share their arrays", "folded prediction survives a load"), _COPIES,
) | {"step without a finite loss skipped": "the oracle is not asked about what is not a number"}  # fmt: skip
"""Mistakes in NumPy that its oracle, which is made of the same files, does not share, and why."""

NOT_ON: dict[str, dict[str, str]] = {}
"""Mistakes that some frameworks of a family do not share, and why, by framework."""
