"""What activation functions are."""

from implementations.declarations import Convention, Step

RELU = Step(
    name="relu",
    layer="activation/relu",
    title="ReLU",
    formula="a = max(n, 0)",
    explanation=(
        "The activation function. Without one, layers of matrix products would collapse into a single matrix. The "
        "rectified linear unit passes what is positive and stops what is not; its slope is 1 or 0, so gradients do "
        "not fade on their way back through many layers. At exactly 0 the slope is taken as 0."
    ),
    source="Nair & Hinton 2010, Rectified linear units improve restricted Boltzmann machines; Glorot et al. 2011",
    shown_by="logits",
)

CONVENTIONS = (Convention("ReLU at 0", "slope 0", "PyTorch and TensorFlow alike"),)
"""On what frameworks differ here, what was decided, and after whom."""
