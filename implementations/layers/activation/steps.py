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

GELU = Step(
    name="gelu",
    layer="activation/gelu",
    title="GELU",
    formula="a = z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))",
    explanation=(
        "A smooth ReLU: z times about the probability that a normal number is below z. Large numbers pass, very negative ones are stopped, "
        "and between there is no kink. This is the form with tanh, which is GPT-2's; the exact one has the error function in its place and "
        "differs by up to 0.0005."
    ),
    source="Hendrycks & Gimpel 2016, Gaussian error linear units, section 2",
    shown_by="logits",
)

CONVENTIONS = (Convention("ReLU at 0", "slope 0", "PyTorch and TensorFlow alike"),)
"""On what frameworks differ in a ReLU, what was decided, and after whom."""

OF_GELU = (
    Convention(
        "GELU", "the form with tanh (the default in JAX; in PyTorch and Keras the exact one)", "Radford et al. 2019"
    ),
)
"""The same of a GELU."""
