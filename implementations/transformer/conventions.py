"""Where frameworks differ, what was decided, and after whom, layer by layer: shown in the fairness table."""

from implementations import conventions
from implementations.declarations import Convention
from implementations.layers.activation import steps as activation
from implementations.layers.attention import steps as attention
from implementations.layers.dropout import steps as dropout
from implementations.layers.embedding import steps as embedding
from implementations.layers.layer_norm import steps as layer_norm
from implementations.layers.loss import steps as loss
from implementations.layers.optimizer import steps as optimizer
from implementations.layers.positions import steps as positions

LAYERS = (embedding, positions, layer_norm, attention, dropout, loss, optimizer)

CONVENTIONS = (
    *(convention for layer in LAYERS for convention in layer.CONVENTIONS),
    *activation.OF_GELU,
    Convention(
        "initial weights of the Transformer",
        "seeded normal, N(0, 1 / rows), those that write to the residual stream smaller by sqrt(2 N); GPT-2's 0.02 is meant for wider ones",
        "LeCun et al. 1998; Radford et al. 2019, section 2.3",
    ),
    Convention(
        "head", "not tied to the table of tokens (GPT-2 ties them), without bias", "one gradient for each tensor"
    ),
    Convention("tables", "decayed like all tensors of two dimensions", "Radford et al. 2018, section 4.1"),
    *conventions.CONVENTIONS,
)
