"""Long short-term memory in PyTorch (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000)."""

from torch import nn

from implementations.layers.recurrent.recurrent_torch import NAMES as NAMES
from implementations.layers.recurrent.recurrent_torch import from_spec as from_spec
from implementations.layers.recurrent.recurrent_torch import to_spec as to_spec
from implementations.layers.recurrent.recurrent_torch import with_one_bias

# --- forward ---


def layer(inputs: int, width: int) -> nn.RNNBase:
    """i, f, o = sigmoid(.), g = tanh(.) of x W^T + h U^T + b, in PyTorch's order i, f, g, o;  c' = f c + i g;  h' = o tanh(c')."""
    return with_one_bias(nn.LSTM(inputs, width, batch_first=True))


# --- backward ---

# Autograd: in float32 on a CPU through oneDNN, which has the whole loop and its way back; on a GPU through cuDNN.
