"""Clipping by global norm in PyTorch."""

from collections.abc import Iterable

import torch
from torch import nn

# --- clipping ---


def clip(parameters: Iterable[nn.Parameter], largest: float) -> None:
    """All gradients, in `.grad`, times min(1, c / ||g||), c the largest norm (Pascanu, Mikolov & Bengio 2013, Algorithm 1).

    `nn.utils.clip_grad_norm_` has c / (||g|| + 1e-6).
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    torch._foreach_mul_(gradients, largest / norm.clamp(min=largest))
