"""What positions are."""

from implementations.declarations import Convention, Step

POSITIONS = Step(
    name="positions",
    layer="positions/positions",
    title="Positions",
    formula="h[b,t] = e[b,t] + P[t]        e (B, T, E), P (T, E)",
    explanation=(
        "Attention sees a set of vectors, not a sequence: it would not notice if they changed places. So a second table says where each "
        "stands: its row t is added to whatever stands at place t. Like the table of tokens it is learned; the gradient of a row is "
        "the sum over the batch."
    ),
    source="Gehring et al. 2017, Convolutional sequence to sequence learning, section 3.1; Radford et al. 2018",
    shown_by="logits, gradients",
)

CONVENTIONS = (
    Convention("positions", "a learned table, as long as the sequences; added", "Radford et al. 2018 (GPT)"),
    Convention(
        "initial tables",
        "seeded normal, N(0, 0.02^2), of tokens and of positions: a norm stands behind them; beside rows of D numbers positions N(0, 1/D)",
        "Radford et al. 2018, section 4.1",
    ),
)
"""On what frameworks differ here, what was decided, and after whom."""
