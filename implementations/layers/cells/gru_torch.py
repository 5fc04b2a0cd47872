"""Gated recurrent unit in PyTorch (Cho et al. 2014, with the reset gate behind the product)."""

from torch import nn

from implementations.layers.recurrent.recurrent_torch import NAMES as NAMES
from implementations.layers.recurrent.recurrent_torch import from_spec as from_spec
from implementations.layers.recurrent.recurrent_torch import to_spec as to_spec

# --- forward ---


def layer(inputs: int, width: int) -> nn.RNNBase:
    """r, z = sigmoid(.), n = tanh(x Wn^T + bn + r (h Un^T + dn)), in PyTorch's order r, z, n;  h' = (1 - z) n + z h."""
    return nn.GRU(inputs, width, batch_first=True)


# --- backward ---

# Autograd; on a GPU through cuDNN.
