"""The ordered steps of the recurrent network: its layers', and those that belong to no layer.

Each has a formula, a learner's explanation and its source. The code of a step stands in the layer's folder, of the others
under the heading with its name on every page (`# --- output ---`).
"""

from dataclasses import replace
from typing import Any

from implementations.declarations import Step
from implementations.layers.cells.steps import GRU, LSTM, TANH
from implementations.layers.clipping.steps import CLIPPING
from implementations.layers.dense.steps import OUTPUT as DENSE_OUTPUT
from implementations.layers.dropout.steps import DROPOUT
from implementations.layers.embedding.steps import EMBEDDING
from implementations.layers.loss.steps import CROSS_ENTROPY
from implementations.layers.optimizer.steps import GRADIENT_DESCENT
from implementations.layers.recurrent.steps import RECURRENT

CELLS = {"lstm": LSTM, "gru": GRU, "tanh": TANH}

OUTPUT = replace(
    DENSE_OUTPUT,
    formula="logits = h W + b        h (B, H) of the last step or (B, T, H) of every step, W (H, C), b (C,)",
    explanation=(
        "One neuron per class, without an activation function: its value, the logit, is the network's vote for that class. Where a whole "
        "sequence has one label, the state after the last step is read, which has seen all of it; where every step has a label, such as "
        "the character that comes next, every state is."
    ),
    source="Goodfellow, Bengio & Courville 2016, Deep Learning, section 10.2",
)

BACKWARD = Step(
    name="backward",
    title="Backpropagation through time",
    formula="dh_t = (from above) + (from step t+1);  dW = sum_t x_t^T dz_t;  dU = sum_t h_(t-1)^T dz_t (in a GRU r dz_t for the candidate)",
    explanation=(
        "Unrolled, the loop over time is a deep network in which all layers share their weights. So the chain rule walks it back like any "
        "other, from the last step to the first: a state's gradient is what its readers above say plus what comes back from the step after "
        "it, and the gradients of the shared weights are sums over all steps."
    ),
    source="Rumelhart, Hinton & Williams 1986; Werbos 1990, Backpropagation through time: what it does and how to do it",
    shown_by="gradients",
)

STEPS = (
    EMBEDDING, RECURRENT, *CELLS.values(), DROPOUT, OUTPUT, CROSS_ENTROPY, BACKWARD, CLIPPING, GRADIENT_DESCENT,
)  # fmt: skip


def taken(spec: Any) -> list[Step]:
    """The steps of a training step of this specification: of one cell, and without what is switched off."""
    absent = {step.name for cell, step in CELLS.items() if cell != spec.cell}
    absent |= {EMBEDDING.name} if not spec.vocabulary else set()
    absent |= {DROPOUT.name} if not spec.dropout else set()
    absent |= {CLIPPING.name} if not spec.clip_norm else set()
    return [step for step in STEPS if step.name not in absent]
