"""What an embedding is."""

from implementations.declarations import Convention, Step

EMBEDDING = Step(
    name="embedding",
    layer="embedding/embedding",
    title="Embedding",
    formula="e[b,t] = E[x[b,t]]        x (B, T) tokens, E (V, D), e (B, T, D)",
    explanation=(
        "A token (a character, a word) is a number that has no size: token 5 is not more than token 4. So each gets a row of D "
        "learned numbers of its own, and is looked up. That is the same as a vector with a one at the token's place times E, so "
        "the gradient of a row is the sum over all places where its token stood, and a token that does not occur in a batch has none."
    ),
    source="Bengio, Ducharme, Vincent & Jauvin 2003, A neural probabilistic language model, section 2",
    shown_by="logits, gradients",
)

CONVENTIONS = (
    Convention(
        "initial embeddings", "seeded normal, N(0, 1) unless positions are added to them", "PyTorch's nn.Embedding"
    ),
    Convention(
        "gradient of an embedding",
        "dense: a row's is summed up before anything is made of it (TensorFlow hands it on in pieces, and stock Keras squares the pieces)",
        "the formula",
    ),
    Convention("padding", "none: every token has a row that is trained", "this project"),
)
"""On what frameworks differ here, what was decided, and after whom."""
