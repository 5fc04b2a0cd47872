"""What layer normalisation is."""

from implementations.declarations import Convention, Step

_BA = "Ba, Kiros & Hinton 2016"

LAYER_NORM = Step(
    name="layer_norm",
    layer="layer_norm/layer_norm",
    title="Layer normalisation",
    formula="n = gamma * (h - mean_E(h)) / sqrt(var_E(h) + epsilon) + beta        h (B, T, E), gamma and beta (E,)",
    explanation=(
        "Like batch norm, but over the E values of one position instead of over the batch: each position's values are shifted to mean 0 "
        "and scaled to variance 1, then given back a scale and a shift that are learned. No statistics of the batch and no running "
        "averages: training and prediction compute the same, and a position does not depend on its neighbours. It stands before each "
        "branch of a block (pre-norm), so that what is added up along the way, the residual stream, is never rescaled."
    ),
    source="Ba, Kiros & Hinton 2016, Layer normalization, equations 3 and 4; before the branch: Xiong et al. 2020",
    shown_by="logits",
)

CONVENTIONS = (
    Convention("layer-norm epsilon", "1e-5, inside the square root (Keras's own default: 1e-3)", f"{_BA}; PyTorch"),
    Convention("layer-norm variance", "biased, 1/E", f"{_BA}, equation 3"),
)
"""On what frameworks differ here, what was decided, and after whom."""
