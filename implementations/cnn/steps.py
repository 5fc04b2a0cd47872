"""The ordered steps of the convolutional network: its layers', and those that belong to no layer.

Each has a formula, a learner's explanation and its source. The code of a step stands in the layer's folder, of the others
under the heading with its name on every page (`# --- flatten ---`).
"""

from implementations.declarations import Step
from implementations.layers.activation.steps import RELU
from implementations.layers.batch_norm.steps import BATCH_NORM
from implementations.layers.convolution.steps import CONVOLUTION
from implementations.layers.dense.steps import DENSE, OUTPUT
from implementations.layers.dropout.steps import DROPOUT
from implementations.layers.loss.steps import CROSS_ENTROPY
from implementations.layers.optimizer.steps import GRADIENT_DESCENT
from implementations.layers.pooling.steps import MAX_POOL

FLATTEN = Step(
    name="flatten",
    title="Flatten",
    formula="h[b, (i W + j) C + k] = p[b,i,j,k]        p (B, H, W, C), h (B, H W C)",
    explanation=(
        "The last maps are laid out as one row of numbers for each image: pixel by pixel, row by row, with the channels of a "
        "pixel side by side. A dense network decides from there. The order is a convention, but the weights behind it know "
        "it: maps that are kept channel by channel must be laid out in the same order, or the weights must move."
    ),
    source="LeCun et al. 1998, Gradient-based learning applied to document recognition, section II.B",
    shown_by="logits",
)

BACKWARD = Step(
    name="backward",
    title="Backpropagation",
    formula="dW = patches(x)^T dz;  dx = dz convolved with W turned by 180 degrees, in and out exchanged;  ... back to the first layer",
    explanation=(
        "How much would the loss change if this weight changed a little? The chain rule gives that slope for all weights at "
        "once, layer by layer from the loss backwards, as in the perceptron. New here: the weights of a convolution are "
        "shared, so the slopes at all places add up; each pixel gets a gradient back from every window that it was in, which "
        "is a convolution again; a maximum sends the gradient to the place that won; and batch norm's two extra terms are "
        "means over all places of all images."
    ),
    source="Rumelhart, Hinton & Williams 1986; LeCun et al. 1989, Backpropagation applied to handwritten zip code recognition; "
    "Goodfellow, Bengio & Courville 2016, Deep Learning, section 9.5",
    shown_by="gradients",
)

STEPS = (
    CONVOLUTION, BATCH_NORM, RELU, MAX_POOL, FLATTEN, DENSE, DROPOUT, OUTPUT, CROSS_ENTROPY, BACKWARD, GRADIENT_DESCENT,
)  # fmt: skip
