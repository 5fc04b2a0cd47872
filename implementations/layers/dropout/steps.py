"""What dropout is."""

from implementations.declarations import Convention, Step

DROPOUT = Step(
    name="dropout",
    layer="dropout/dropout",
    title="Dropout",
    formula="h = a * m,  m = 0 with probability p, else 1 / (1 - p)",
    explanation=(
        "In training each unit is switched off at random with probability p, so that no unit can rely on another "
        "being there and the network learns features that are useful on their own. Those that stay are scaled up by "
        "1/(1-p), so that the expected sum into the next layer is the same as without dropout, and prediction needs "
        "no correction: there, nothing is dropped."
    ),
    source="Srivastava et al. 2014, Dropout (inverted scaling as in their section 10)",
    shown_by="mask scale, mask keep rate",
)

CONVENTIONS = (
    Convention(
        "dropout", "rate p is the probability of zero; kept values are scaled by 1/(1-p)", "Srivastava et al. 2014"
    ),
)
"""On what frameworks differ here, what was decided, and after whom."""
