"""The ordered steps of the multilayer perceptron: its layers', and those that belong to no layer.

Each has a formula, a learner's explanation and its source. The code of a step stands in the layer's folder, of the others
under the heading with its name on every page (`# --- output ---`).
"""

from implementations.declarations import Step
from implementations.layers.activation.steps import RELU
from implementations.layers.batch_norm.steps import BATCH_NORM
from implementations.layers.dense.steps import DENSE, OUTPUT
from implementations.layers.dropout.steps import DROPOUT
from implementations.layers.loss.steps import CROSS_ENTROPY
from implementations.layers.optimizer.steps import GRADIENT_DESCENT

BACKWARD = Step(
    name="backward",
    title="Backpropagation",
    formula="dlogits = (P - onehot) / B;  dW = h^T dlogits;  dh = dlogits W^T;  ... back to the first layer",
    explanation=(
        "How much would the loss change if this weight changed a little? That slope is the gradient. The chain rule "
        "gives it for all weights at once: start at the loss and go back layer by layer, each step turning the "
        "gradient of its output into the gradients of its inputs and of its parameters. ReLU and dropout pass the "
        "gradient where they passed the value; batch norm has two extra terms, because every sample moved the batch's "
        "mean and variance."
    ),
    source="Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors; "
    "Ioffe & Szegedy 2015, section 3",
    shown_by="gradients",
)

STEPS = (DENSE, BATCH_NORM, RELU, DROPOUT, OUTPUT, CROSS_ENTROPY, BACKWARD, GRADIENT_DESCENT)
