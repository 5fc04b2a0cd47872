"""What the cells of a recurrent layer are."""

from implementations.declarations import Convention, Step

LSTM = Step(
    name="lstm",
    layer="cells/lstm",
    title="LSTM cell",
    formula="i, f, o = sigmoid(.), g = tanh(.) of x W + h U + b;  c' = f c + i g;  h' = o tanh(c')",
    explanation=(
        "A gate is a small layer whose outputs, between 0 and 1, multiply something: 0 closes, 1 opens. The input gate i says how much of "
        "the candidate g is written to the cell state c, the forget gate f how much of the old cell state stays, the output gate o how "
        "much of it is shown. All read the same x and h, so their weights stand side by side in one matrix. The sum c' = f c + i g is the "
        "point: where f is 1 the past goes through unchanged, and so does the gradient on its way back, over many steps. The bias of the "
        "forget gate begins at 1: remember first."
    ),
    source="Hochreiter & Schmidhuber 1997, Long short-term memory; Gers, Schmidhuber & Cummins 2000, Learning to forget; Jozefowicz, "
    "Zaremba & Sutskever 2015 (the bias of 1)",
    shown_by="logits, gradients",
)

GRU = Step(
    name="gru",
    layer="cells/gru",
    title="GRU cell",
    formula="r, z = sigmoid(x W + b + h U + d);  n = tanh(x Wn + bn + r (h Un + dn));  h' = (1 - z) n + z h",
    explanation=(
        "Two gates and no second memory. The update gate z mixes the old state with the candidate n: near 1 it remembers, near 0 it takes "
        "what is new. The reset gate r says how much of the old state the candidate sees. Three blocks of weights instead of four, and "
        "often as good."
    ),
    source="Cho et al. 2014, Learning phrase representations using RNN encoder-decoder, equations 5 to 8; the reset gate behind the "
    "product as in their first version and in cuDNN",
    shown_by="logits, gradients",
)

TANH = Step(
    name="tanh",
    layer="cells/tanh",
    title="Simple cell",
    formula="h' = tanh(x W + h U + b)",
    explanation=(
        "The plainest cell: what was read and what is remembered are added up and squashed. Each step multiplies the past by U and by the "
        "slope of tanh, so that over many steps the past, and the gradient with it, fades away or explodes. The LSTM and the GRU were "
        "made against that."
    ),
    source="Elman 1990, Finding structure in time; Bengio, Simard & Frasconi 1994, Learning long-term dependencies with gradient "
    "descent is difficult",
    shown_by="logits, gradients",
)

CONVENTIONS = (
    Convention("order of an LSTM's gates", "i, f, g, o (ROCm's MIOpen: i, f, o, g)", "PyTorch, cuDNN, Keras"),
    Convention(
        "order of a GRU's gates", "r, z, n (Keras has z, r, n; weights and slots are converted)", "PyTorch, cuDNN"
    ),
    Convention(
        "reset gate of a GRU",
        "behind the product, r (h U + d), so that one product serves all gates",
        "cuDNN, PyTorch, Keras's reset_after",
    ),
    Convention(
        "update gate of a GRU",
        "h' = (1 - z) n + z h (Chung et al. 2014 have z and 1 - z the other way round)",
        "Cho et al. 2014",
    ),
    Convention(
        "a gate's sigmoid", "1 / (1 + exp(-z)) (old Keras had a piecewise linear one)", "Hochreiter & Schmidhuber 1997"
    ),
)
"""On what frameworks differ here, what was decided, and after whom."""
