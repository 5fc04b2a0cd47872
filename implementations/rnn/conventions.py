"""Where frameworks differ, what was decided, and after whom, layer by layer: shown in the fairness table."""

from implementations import conventions
from implementations.layers.cells import steps as cells
from implementations.layers.clipping import steps as clipping
from implementations.layers.dropout import steps as dropout
from implementations.layers.embedding import steps as embedding
from implementations.layers.loss import steps as loss
from implementations.layers.optimizer import steps as optimizer
from implementations.layers.recurrent import steps as recurrent

LAYERS = (embedding, recurrent, cells, dropout, loss, clipping, optimizer)

CONVENTIONS = (
    *(convention for layer in LAYERS for convention in layer.CONVENTIONS),
    *conventions.CONVENTIONS,
)
