"""Where frameworks differ, what was decided, and after whom, layer by layer: shown in the fairness table."""

from implementations import conventions
from implementations.declarations import Convention
from implementations.layers.activation import steps as activation
from implementations.layers.batch_norm import steps as batch_norm
from implementations.layers.dense import steps as dense
from implementations.layers.dropout import steps as dropout
from implementations.layers.loss import steps as loss
from implementations.layers.optimizer import steps as optimizer

LAYERS = (batch_norm, dropout, dense, loss, activation, optimizer)

CONVENTIONS = (
    *(convention for layer in LAYERS for convention in layer.CONVENTIONS),
    Convention("gradient clipping", "none in this network", "this project"),
    *conventions.CONVENTIONS,
)
