"""The simple recurrent layer in PyTorch (Elman 1990)."""

from torch import nn

from implementations.layers.recurrent.recurrent_torch import NAMES as NAMES
from implementations.layers.recurrent.recurrent_torch import from_spec as from_spec
from implementations.layers.recurrent.recurrent_torch import to_spec as to_spec
from implementations.layers.recurrent.recurrent_torch import with_one_bias

# --- forward ---


def layer(inputs: int, width: int) -> nn.RNNBase:
    """h' = tanh(x W^T + h U^T + b)."""
    return with_one_bias(nn.RNN(inputs, width, nonlinearity="tanh", batch_first=True))


# --- backward ---

# Autograd; on a GPU through cuDNN.
