"""GELU in PyTorch, the form with tanh (Hendrycks & Gimpel 2016, section 2)."""

from torch import nn

# --- forward ---


def layer() -> nn.GELU:
    """a = z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))). Without being told, `nn.GELU` takes the error function."""
    return nn.GELU(approximate="tanh")


# --- backward ---

# Autograd: dz = da times the slope.
