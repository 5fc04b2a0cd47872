"""What the optimizer does."""

from implementations.declarations import Convention, Step

GRADIENT_DESCENT = Step(
    name="update",
    layer="optimizer/optimizer",
    title="Gradient descent",
    formula="v = mu v + g;  w = w - lr v        (SGD with momentum; Adam and AdamW: see the conventions)",
    explanation=(
        "Step each weight a little downhill, against its gradient, and do it again with the next batch. The learning "
        "rate lr says how far. Momentum keeps a running sum of past gradients, so that steps add up where gradients "
        "agree and cancel where they zigzag. Adam also divides by the root of a running mean of squared gradients, "
        "which gives every weight a step of about the same size."
    ),
    source="Robbins & Monro 1951; Sutskever et al. 2013 (momentum); Kingma & Ba 2015 (Adam), Algorithm 1; "
    "Loshchilov & Hutter 2019 (AdamW), Algorithm 2",
    shown_by="parameters, parameters from slots",
)

CONVENTIONS = (
    Convention(
        "SGD momentum",
        "v = mu v + g; w -= lr v (Keras keeps v' = -lr v; state is converted)",
        "Sutskever et al. 2013, as PyTorch writes it",
    ),
    Convention(
        "Adam",
        "m_hat / (sqrt(v_hat) + eps), eps 1e-8; the form 'hat' puts eps beside the uncorrected root, as stock Keras does",
        "Kingma & Ba 2015, Algorithm 1 and the end of section 2",
    ),
    Convention(
        "weight decay",
        "decoupled, of kernels and tables only, before the step: w -= lr wd w",
        "Loshchilov & Hutter 2019, Algorithm 2",
    ),
)
"""On what frameworks differ here, what was decided, and after whom."""
