"""The ordered steps of the Transformer: its layers', and those that belong to no layer.

Each has a formula, a learner's explanation and its source. The code of a step stands in the layer's folder, of the others
under the heading with its name on every page (`# --- residual ---`).
"""

from dataclasses import replace
from typing import Any

from implementations.declarations import Step
from implementations.layers.activation.steps import GELU
from implementations.layers.attention.steps import ATTENTION
from implementations.layers.dense.steps import DENSE
from implementations.layers.dense.steps import OUTPUT as DENSE_OUTPUT
from implementations.layers.dropout.steps import DROPOUT
from implementations.layers.embedding.steps import EMBEDDING
from implementations.layers.layer_norm.steps import LAYER_NORM
from implementations.layers.loss.steps import CROSS_ENTROPY
from implementations.layers.optimizer.steps import GRADIENT_DESCENT
from implementations.layers.positions.steps import POSITIONS

FEED_FORWARD = replace(
    DENSE,
    title="Feed-forward at each position",
    formula="u = gelu(n W + b) V + c        n and u (B, T, E), W (E, 4E), V (4E, E)",
    explanation=(
        "The second branch of a block is the perceptron with one hidden layer, the same for every position: attention moves information "
        "between positions, this works on what has arrived. A dense layer multiplies all B T positions by one matrix; the hidden layer is "
        "four times as wide as what goes in."
    ),
    source="Vaswani et al. 2017, equation 2",
)

RESIDUAL = Step(
    name="residual",
    title="Residual connection",
    formula="h = h + dropout(branch(norm(h)))",
    explanation=(
        "A branch does not replace what goes in, it adds a correction to it. What runs through all blocks unhindered is the residual stream: "
        "each block reads it and writes to it, and the gradient has a way past every block, so that deep stacks learn."
    ),
    source="He et al. 2016, Deep residual learning, equation 1; Vaswani et al. 2017, section 3.1",
    shown_by="logits, gradients",
)

OUTPUT = replace(
    DENSE_OUTPUT,
    formula="n = norm(h);  logits = n W        n (B, T, E) of every position, or its mean over them (B, E), W (E, C)",
    explanation=(
        "A last norm, then one neuron per class, without bias: what comes next, predicted at every position at once. Where a whole sequence "
        "has one label, the mean over all positions is read."
    ),
    source="Radford et al. 2019, section 2.3",
)

BACKWARD = Step(
    name="backward",
    title="Backpropagation",
    formula="dS = P (dP - sum(dP P));  dh = inv_std (dz - mean(dz) - z_hat mean(dz z_hat));  at a residual: dh + dh(branch)",
    explanation=(
        "The chain rule, from the last layer to the first. A residual connection hands the gradient on unchanged and adds what comes back "
        "through the branch. Softmax and layer norm tie the numbers of a row together: what one gets changes what is left for the others, "
        "which is what the sums and means in their formulas are."
    ),
    source="Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors",
    shown_by="gradients",
)

STEPS = (
    EMBEDDING, POSITIONS, DROPOUT, LAYER_NORM, ATTENTION, RESIDUAL, FEED_FORWARD, GELU, OUTPUT, CROSS_ENTROPY, BACKWARD, GRADIENT_DESCENT,
)  # fmt: skip


def taken(spec: Any) -> list[Step]:
    """The steps of a training step of this specification: without what is switched off."""
    absent = {EMBEDDING.name} if not spec.vocabulary else set()
    absent |= {DROPOUT.name} if not (spec.dropout or spec.attention_dropout) else set()
    return [step for step in STEPS if step.name not in absent]
