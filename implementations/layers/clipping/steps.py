"""What clipping is."""

from implementations.declarations import Convention, Step

CLIPPING = Step(
    name="clipping",
    layer="clipping/clipping",
    title="Clipping",
    formula="g = g min(1, c / ||g||)        ||g|| the norm of all gradients together",
    explanation=(
        "On the way back through time the gradient is multiplied by the recurrent weights once for every step, and a product of so many "
        "can become huge: one such step of the optimizer would throw away what was learned. So the gradient's direction is kept and its "
        "length is capped, by one factor for all parameters. Below the cap nothing changes."
    ),
    source="Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks, Algorithm 1",
    shown_by="gradients, slots",
)

CONVENTIONS = (
    Convention(
        "gradient clipping",
        "by the norm of all gradients together, exactly c / ||g|| (PyTorch's clip_grad_norm_ has c / (||g|| + 1e-6); Keras's clipnorm is "
        "one for each variable, its global_clipnorm this one)",
        "Pascanu, Mikolov & Bengio 2013, Algorithm 1",
    ),
)
"""On what frameworks differ here, what was decided, and after whom."""
