"""What batch normalisation is."""

from implementations.declarations import Convention, Step

_IOFFE = "Ioffe & Szegedy 2015"

BATCH_NORM = Step(
    name="batch_norm",
    layer="batch_norm/batch_norm",
    title="Batch normalisation",
    formula="z_hat = (z - mean_B(z)) / sqrt(var_B(z) + epsilon);  n = gamma * z_hat + beta",
    explanation=(
        "Each unit's values over the batch are shifted to mean 0 and scaled to variance 1, then given back a scale "
        "gamma and a shift beta that are learned. Layers then see inputs of a steady size while those before them "
        "change, and training takes larger steps. In training, mean and (biased, 1/B) variance are those of the "
        "batch. Running averages of the mean and of the unbiased variance, r = 0.9 r + 0.1 new, are kept beside, and "
        "take their place when the network predicts: a prediction must not depend on its neighbours. Of images, a unit is a "
        "channel: its values at all places of all images are normalised together, so that all places are treated alike."
    ),
    source="Ioffe & Szegedy 2015, Batch Normalization, Algorithms 1 and 2, section 3.2",
    shown_by="statistics",
)

CONVENTIONS = (
    Convention(
        "batch-norm epsilon", "1e-5, inside the square root (Keras's own default: 1e-3)", f"{_IOFFE}, Algorithm 1"
    ),
    Convention(
        "batch-norm momentum",
        "0.9 is the weight of the old value (PyTorch names the weight of the new one, 0.1)",
        "Keras",
    ),
    Convention("running variance", "unbiased, B/(B-1) (stock Keras keeps the biased one)", f"{_IOFFE}, Algorithm 2"),
    Convention(
        "bias before batch norm",
        "none: its gradient is exactly zero, and Adam would turn the rounding noise into drift",
        f"{_IOFFE}, section 3.2",
    ),
)
"""On what frameworks differ here, what was decided, and after whom."""
