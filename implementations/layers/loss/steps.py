"""What the loss is."""

from implementations.declarations import Convention, Step

CROSS_ENTROPY = Step(
    name="loss",
    layer="loss/cross_entropy",
    title="Softmax and cross-entropy",
    formula="P = softmax(logits);  loss = mean over all labels of -log P[label]",
    explanation=(
        "Softmax turns the logits into probabilities. The error of one sample is the surprise at its true class, "
        "-log of the probability given to it: near 0 for a confident right answer, large for a confident wrong one. "
        "The loss is the mean over all labels, one per sample or one per position. It is computed from the logits, with "
        "the largest subtracted first, so that no exponential overflows."
    ),
    source="Bridle 1990, Probabilistic interpretation of feedforward classification network outputs",
    shown_by="loss, sample losses",
)

CONVENTIONS = (
    Convention("loss", "cross-entropy from logits, mean over all labels, never clipped", "Bridle 1990"),
    Convention("labels", "integers in [0, C), checked on the host before they reach a framework", "this project"),
)
"""On what frameworks differ here, what was decided, and after whom."""
