"""The maximum over windows in PyTorch."""

from torch import Tensor, nn

# --- forward ---


class Maximum(nn.Module):
    """w (B, P, E, W) -> the largest (B, P, E)."""

    def forward(self, w: Tensor) -> Tensor:
        """PyTorch returns the places of the largest beside them."""
        return w.max(dim=-1).values


def layer() -> Maximum:
    """Without parameters."""
    return Maximum()


# --- backward ---

# Autograd: the gradient goes to the number that was the largest.
