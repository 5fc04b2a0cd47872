"""Where frameworks differ, what was decided, and after whom, layer by layer: shown in the fairness table."""

from implementations import conventions
from implementations.declarations import Convention
from implementations.layers.activation import steps as activation
from implementations.layers.batch_norm import steps as batch_norm
from implementations.layers.convolution import steps as convolution
from implementations.layers.dense import steps as dense
from implementations.layers.dropout import steps as dropout
from implementations.layers.loss import steps as loss
from implementations.layers.optimizer import steps as optimizer
from implementations.layers.pooling import steps as pooling

LAYERS = (convolution, batch_norm, pooling, dropout, dense, loss, activation, optimizer)

CONVENTIONS = (
    *(convention for layer in LAYERS for convention in layer.CONVENTIONS),
    Convention(
        "flatten",
        "height, width, channels; PyTorch's nn.Flatten gives channels, height, width",
        "the order of the images",
    ),
    Convention(
        "dropout of maps", "none: only dense layers drop units", "Krizhevsky, Sutskever & Hinton 2012, section 4.2"
    ),
    Convention("gradient clipping", "none in this network", "this project"),
    *conventions.CONVENTIONS,
)
