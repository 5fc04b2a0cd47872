"""What a recurrent layer is."""

from implementations.declarations import Convention, Step

RECURRENT = Step(
    name="recurrent",
    layer="recurrent/recurrent",
    title="Recurrent layer",
    formula="h_t = cell(x_t W + b, h_(t-1) U), h_0 = 0        x (B, T, D), W (D, GH), U (H, GH), h (B, T, H)",
    explanation=(
        "A sequence is read step by step, and what the layer hands from one step to the next, its state h, is its memory of all that it "
        "has read. The same weights are used at every step, however long the sequence. x W needs no memory and can be one product for all "
        "steps; h U cannot: these products come one after the other, which is what makes recurrent networks slow on machines that are "
        "fast at doing many things at once."
    ),
    source="Elman 1990, Finding structure in time; Goodfellow, Bengio & Courville 2016, Deep Learning, section 10.2",
    shown_by="logits",
)

CONVENTIONS = (
    Convention(
        "biases of a recurrent layer",
        "one in the LSTM and the simple cell: PyTorch's second is zero and not trained; two in the GRU, both trained",
        "Gers, Schmidhuber & Cummins 2000; cuDNN for the GRU",
    ),
    Convention(
        "initial weights of a recurrent layer",
        "seeded normal, N(0, 1 / rows), biases 0, the forget gate's 1; exactly representable in float32, loaded into all",
        "Jozefowicz, Zaremba & Sutskever 2015; no orthogonal weights, whose last digits depend on the machine",
    ),
    Convention(
        "first state",
        "zeros at the beginning of every sequence: nothing is carried from batch to batch",
        "this project",
    ),
    Convention(
        "dropout of a recurrent layer",
        "of what a layer hands up, drawn anew at every step; never of what it hands to its own next step",
        "Zaremba, Sutskever & Vinyals 2014, section 3.2",
    ),
    Convention(
        "time",
        "the second axis of inputs and states, (B, T, ...); PyTorch's nn.LSTM begins with time unless told",
        "Keras",
    ),
)
"""On what frameworks differ here, what was decided, and after whom."""
