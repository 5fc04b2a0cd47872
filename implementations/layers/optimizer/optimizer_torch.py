"""Gradient descent, Adam and AdamW in PyTorch: `torch.optim`."""

import math
from collections.abc import Container, Mapping
from typing import Any

import torch
from torch import nn

# --- update ---


def optimizer(parameters: Mapping[str, nn.Parameter], decays: Container[str], settings: Any) -> torch.optim.Optimizer:
    """SGD, Adam or AdamW over all parameters; weight decay applies to those whose names are in `decays`."""
    return sgd(parameters, settings) if settings.kind == "sgd" else adam(parameters, decays, settings)


def update(optimizer: torch.optim.Optimizer, step: int, settings: Any) -> None:
    """The step with this number on every parameter and its slots, with the gradients in `.grad`."""
    if settings.kind != "sgd" and settings.epsilon_form == "hat":
        use_epsilon_hat(optimizer, step, settings)
    optimizer.step()


def sgd(parameters: Mapping[str, nn.Parameter], settings: Any) -> torch.optim.SGD:
    """v = mu v + g; w = w - lr v (Sutskever et al. 2013). Without momentum there is no velocity to keep."""
    return torch.optim.SGD(parameters.values(), lr=settings.learning_rate, momentum=settings.momentum)


def adam(parameters: Mapping[str, nn.Parameter], decays: Container[str], settings: Any) -> torch.optim.Adam:
    """Kingma & Ba 2015, Algorithm 1; AdamW's decay comes before the step (Loshchilov & Hutter 2019, Algorithm 2)."""
    options = {"lr": settings.learning_rate, "betas": (settings.beta1, settings.beta2), "eps": settings.epsilon}
    if settings.kind == "adam":
        return torch.optim.Adam(parameters.values(), **options)
    decaying = [parameter for name, parameter in parameters.items() if name in decays]
    others = [parameter for name, parameter in parameters.items() if name not in decays]
    groups = [{"params": decaying, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, **options)


def use_epsilon_hat(optimizer: torch.optim.Optimizer, step: int, settings: Any) -> None:
    """PyTorch has Algorithm 1's epsilon only; the hat form is the same with epsilon / sqrt(1 - beta2^t)."""
    for group in optimizer.param_groups:
        group["eps"] = settings.epsilon / math.sqrt(1 - settings.beta2**step)


# --- slots ---

NAMES = {"velocity": "momentum_buffer", "m": "exp_avg", "v": "exp_avg_sq"}
"""The specification's name of each slot -> PyTorch's; a slot lies as its parameter does."""


def prepare_slots(optimizer: torch.optim.Optimizer, step: int, settings: Any) -> None:
    """`torch.optim` creates its slots in the first step; a state that is loaded needs them before."""
    for parameter in (parameter for group in optimizer.param_groups for parameter in group["params"]):
        slots = optimizer.state[parameter]
        for slot in settings.slots:
            slots.setdefault(NAMES[slot], torch.zeros_like(parameter))
        if settings.kind != "sgd":
            slots["step"] = torch.tensor(float(step))
