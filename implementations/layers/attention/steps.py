"""What attention is."""

from implementations.declarations import Convention, Step

_VASWANI = "Vaswani et al. 2017"

ATTENTION = Step(
    name="attention",
    layer="attention/attention",
    title="Self-attention",
    formula=(
        "q, k, v = n Wq, n Wk, n Wv;  P = softmax(q k^T / sqrt(D) + mask);  o = (P v of every head) Wm        "
        "n and o (B, T, E), in each of H heads q, k, v (B, T, D) with D = E/H, P (B, H, T, T)"
    ),
    explanation=(
        "Each position asks a question (its query), and each offers a label (its key) and something to say (its value). How well key and "
        "query fit, a dot product, becomes by a softmax a weight, and the position takes the weighted mean of the values: so it looks up "
        "what it needs, wherever that stands. Divided by sqrt(D) the scores keep a size of 1, and the softmax its slope. Where the next "
        "token is to be predicted, a mask forbids to look ahead: the answer would stand in the input. One softmax can look at one thing "
        "at a time, so there are several heads, each with its own part of queries, keys and values; a last matrix mixes what they found. "
        "All positions are computed at once: unlike a recurrent layer there is no loop over time."
    ),
    source="Vaswani et al. 2017, Attention is all you need, equation 1, sections 3.2.2 and 3.2.3",
    shown_by="logits, gradients",
)

CONVENTIONS = (
    Convention("scores of attention", "divided by sqrt(D), D the width of a head", f"{_VASWANI}, equation 1"),
    Convention(
        "causal mask",
        "weights of exactly 0, scores of minus infinity (Keras's softmax layer adds -1e9)",
        f"{_VASWANI}, section 3.2.3",
    ),
    Convention(
        "biases in attention",
        "none: that of the keys adds the same to all scores of a row, which the softmax takes out again, and Adam would turn the rounding "
        "noise of its gradient into drift",
        "Namazifar et al. 2023, Role of bias terms in dot-product attention",
    ),
    Convention(
        "dropout in attention",
        "of the weights behind the softmax, which are not normalised again; a rate of its own, 0 unless told",
        f"{_VASWANI}'s own code; Radford et al. 2018",
    ),
    Convention("weights of attention", "four of (in, out), head by head along what comes out", "the formula"),
)
"""On what frameworks differ here, what was decided, and after whom."""
