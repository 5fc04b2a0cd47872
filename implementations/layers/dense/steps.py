"""What a dense layer is, and what it is as the last one."""

from implementations.declarations import Convention, Step

DENSE = Step(
    name="dense",
    layer="dense/dense",
    title="Dense layer",
    formula="z = x W + b        x (B, D), W (D, H), b (H,), z (B, H)",
    explanation=(
        "A neuron takes some inputs, multiplies each by a weight, adds the products and a bias, and passes the sum "
        "through an activation function: a = f(w1 x1 + w2 x2 + ... + b). A large weight makes its input matter, the "
        "bias shifts the point at which the neuron becomes active. A layer is H neurons that look at the same D "
        "inputs; their weights stand side by side as the columns of one matrix W, and so a whole layer, for a whole "
        "batch of B samples, is one matrix product. A deep network feeds each layer's output to the next. Where batch "
        "norm follows, the bias is left out: batch norm subtracts the mean, and any constant with it."
    ),
    source="Rosenblatt 1958, The perceptron; Goodfellow, Bengio & Courville 2016, Deep Learning, section 6.1",
    shown_by="logits",
)

OUTPUT = Step(
    name="output",
    title="Output layer",
    formula="logits = h W + b        h (B, H), W (H, C), b (C,)",
    explanation=(
        "One neuron per class, without an activation function: its value, the logit, is the network's vote for that "
        "class. Running the input through all layers up to here is the forward pass, and the largest logit is the "
        "prediction."
    ),
    source="Goodfellow, Bengio & Courville 2016, Deep Learning, section 6.2.2",
    shown_by="logits",
)

CONVENTIONS = (
    Convention("dense weights", "(in, out); PyTorch stores (out, in)", "the formula z = x W + b"),
    Convention(
        "initial weights",
        "seeded He normal, exactly representable in float32, loaded into all",
        "He et al. 2015, eq. 10",
    ),
)
"""On what frameworks differ here, what was decided, and after whom."""
