"""The steps of this network in order: those of our layers, and its own."""

from implementations.declarations import Step
from implementations.layers.activation.steps import RELU
from implementations.layers.dense.steps import DENSE
from implementations.layers.dropout.steps import DROPOUT
from implementations.layers.loss.steps import CROSS_ENTROPY
from implementations.layers.optimizer.steps import GRADIENT_DESCENT

_OWN = "This network's own."

EMBEDDING = Step("embedding", "Embedding", "e = E[x]", "A row of a table for each token.", _OWN, "logits", "embedding")
MAXIMUM = Step(
    "maximum",
    "Maximum over windows",
    "h = max over the window",
    "The largest of each number.",
    _OWN,
    "logits",
    "maximum",
)
BACKWARD = Step("backward", "Backpropagation", "...", "From the last layer to the first.", _OWN, "gradients")

STEPS = (EMBEDDING, MAXIMUM, DROPOUT, DENSE, RELU, CROSS_ENTROPY, BACKWARD, GRADIENT_DESCENT)
