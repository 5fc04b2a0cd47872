"""The multilayer perceptron in PyTorch, as its documentation teaches it: `nn.Module` layers and `torch.optim`.

PyTorch does much of the network by itself; where it does, the heading stays and says so. Shape letters: B batch,
D features, H hidden width, C classes. `nn.Linear` keeps its weights as (out, in); the specification's are (in, out).
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from implementations.contract import Arrays
from implementations.mlp.spec import MLPSpec

# --- dense ---


def dense(inputs: int, outputs: int, bias: bool) -> nn.Linear:
    """z = x W^T + b: x (B, inputs) -> z (B, outputs)."""
    return nn.Linear(inputs, outputs, bias=bias)


# --- batch_norm ---


def batch_norm(width: int, spec: MLPSpec) -> nn.BatchNorm1d:
    """PyTorch's momentum is the weight of the new value, so 1 - ours; its running variance is the unbiased one."""
    layer = nn.BatchNorm1d if spec.running_variance == "unbiased" else BiasedBatchNorm1d
    return layer(width, eps=spec.norm_epsilon, momentum=1 - spec.norm_momentum)


class BiasedBatchNorm1d(nn.BatchNorm1d):
    """The same layer with the biased running variance, for specifications that ask for it."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Normalise with a copy of the running variance, then take the factor B/(B-1) out of what was added to it."""
        if not self.training:
            return super().forward(z)
        batch, new = len(z), self.running_var.clone()
        n = functional.batch_norm(z, self.running_mean, new, self.weight, self.bias, True, self.momentum, self.eps)
        self.running_var.mul_((1 - self.momentum) / batch).add_(new, alpha=(batch - 1) / batch)
        return n


# --- relu ---


def relu() -> nn.ReLU:
    """a = max(n, 0)."""
    return nn.ReLU()


# --- dropout ---


def dropout(spec: MLPSpec) -> nn.Dropout:
    """Inverted dropout, drawn from PyTorch's own generator; does nothing in evaluation mode."""
    return nn.Dropout(spec.dropout)


# --- output ---


def network(spec: MLPSpec) -> nn.Sequential:
    """All layers in order, ending in the dense output layer: x (B, D) -> logits (B, C)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    width_in = spec.features
    for i, width in enumerate(spec.hidden, start=1):
        layers[f"dense{i}"] = dense(width_in, width, bias=not spec.batch_norm)
        if spec.batch_norm:
            layers[f"norm{i}"] = batch_norm(width, spec)
        layers[f"relu{i}"] = relu()
        if spec.dropout:
            layers[f"dropout{i}"] = dropout(spec)
        width_in = width
    layers["output"] = dense(width_in, spec.classes, bias=True)
    return nn.Sequential(layers)


# --- loss ---


def cross_entropy(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean over the batch of softmax cross-entropy, from logits (B, C) and labels (B,)."""
    return functional.cross_entropy(logits, y)


# --- backward ---


def backward(loss: torch.Tensor) -> None:
    """Autograd recorded the forward pass and walks it back; every parameter's gradient lands in its `.grad`."""
    loss.backward()


# --- update ---


def optimizer(layers: nn.Module, spec: MLPSpec) -> torch.optim.Optimizer:
    """SGD, Adam or AdamW over all parameters; AdamW decays the kernels only."""
    settings = spec.optimizer
    if settings.kind == "sgd":
        return torch.optim.SGD(layers.parameters(), lr=settings.learning_rate, momentum=settings.momentum)
    adam = {"lr": settings.learning_rate, "betas": (settings.beta1, settings.beta2), "eps": settings.epsilon}
    if settings.kind == "adam":
        return torch.optim.Adam(layers.parameters(), **adam)
    kernels = [p for p in layers.parameters() if p.ndim == 2]
    others = [p for p in layers.parameters() if p.ndim == 1]
    groups = [{"params": kernels, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, **adam)


def use_epsilon_hat(adam: torch.optim.Optimizer, step: int, settings: Any) -> None:
    """PyTorch has Algorithm 1's epsilon only; the hat form is the same with epsilon / sqrt(1 - beta2^t)."""
    for group in adam.param_groups:
        group["eps"] = settings.epsilon / math.sqrt(1 - settings.beta2**step)


# --- the model ---

SLOT_NAMES = {"velocity": "momentum_buffer", "m": "exp_avg", "v": "exp_avg_sq"}


class MLP:
    """The contract's model (`implementations.contract.Model`) out of the pieces above."""

    compiled = "no"
    layout = "(out, in)"

    def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
        torch.manual_seed(spec.seed)
        self.spec = spec
        self.device = torch.device(device)
        self.dtype = getattr(torch, spec.dtype)
        self.network = network(spec).to(self.device, self.dtype)
        self.optimizer = optimizer(self.network, spec)
        self.step = 0

    def train_step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """One step of training on x (B, D), y (B,); returns the loss without waiting for it."""
        if not self.network.training:
            self.network.train()
        self.step += 1
        if getattr(self.spec.optimizer, "epsilon_form", None) == "hat":
            use_epsilon_hat(self.optimizer, self.step, self.spec.optimizer)
        self.optimizer.zero_grad()
        with self.mixed():
            loss = cross_entropy(self.network(x), y)
        backward(loss)
        self.optimizer.step()
        return loss.detach()

    def predict(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) with running statistics and without dropout."""
        if self.network.training:
            self.network.eval()
        with torch.no_grad(), self.mixed():
            return self.network(x).to(self.dtype)

    def mixed(self) -> Any:
        """In bfloat16, automatic mixed precision: products of bfloat16, everything else float32.

        Elsewhere nothing: entering a `torch.autocast` costs some microseconds of each call, though it is disabled.
        """
        return torch.autocast(self.device.type, torch.bfloat16) if self.spec.precision == "bfloat16" else nullcontext()

    def active_units(self, x: torch.Tensor) -> Arrays:
        """Which units (B, H) pass in a training step on x, by the oracle's names; the state stays as it is."""
        state, seen, h = self.state(), {}, x
        self.network.train()
        with torch.no_grad(), self.mixed():
            for name, layer in self.network.named_children():
                h = layer(h)
                if name.startswith("relu"):
                    seen[name] = (h > 0).numpy(force=True)
        self.load_state(state)
        return seen

    def state(self) -> Arrays:
        """Copies of all tensors under the specification's names and layouts."""
        state = {name: tensor.numpy(force=True).copy() for name, tensor in self._tensors().items()}
        if "step" in self.spec.tensors():
            state["step"] = np.asarray(float(self.step))
        return state

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays."""
        self.step = int(state.get("step", 0))
        self._prepare_slots()
        for name, tensor in self._tensors().items():
            tensor.copy_(torch.from_numpy(np.ascontiguousarray(state[name])))

    def random_state(self) -> torch.Tensor:
        """The state of the generator that `nn.Dropout` draws from."""
        return torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else torch.get_rng_state()

    def set_random_state(self, random_state: torch.Tensor) -> None:
        """Rewind that generator."""
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(random_state, self.device)
        else:
            torch.set_rng_state(random_state)

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step: its own dropout layers, given ones."""
        self.network.train()
        ones = {name: torch.ones(s, dtype=self.dtype, device=self.device) for name, s in self.spec.masks(batch).items()}
        return {name: self.network.get_submodule(name.split(".")[0])(x).numpy(force=True) for name, x in ones.items()}

    def calls_of_steps(self) -> list[tuple[str, Any, str]]:
        """The layers and the optimizer: (step, object, method)."""
        steps = {"dense": "dense", "norm": "batch_norm", "relu": "relu", "dropout": "dropout", "output": "output"}
        layers = [(steps[name.rstrip("0123456789")], layer, "forward") for name, layer in self.network.named_children()]
        return [*layers, ("update", self.optimizer, "step")]

    def _parameters(self) -> dict[str, nn.Parameter]:
        names = {f"norm{i}.{ours}": f"norm{i}.{theirs}" for i in range(1, len(self.spec.hidden) + 1)
                 for ours, theirs in (("gamma", "weight"), ("beta", "bias"))}  # fmt: skip
        tensors = self.spec.tensors().items()
        return {name: self.network.get_parameter(names.get(name, name)) for name, t in tensors if t.role == "parameter"}

    def _tensors(self) -> dict[str, torch.Tensor]:
        """Views of all tensors in the specification's layout: kernels transposed to (in, out)."""
        parameters = self._parameters()
        found: dict[str, torch.Tensor] = {}
        for name, tensor in self.spec.tensors().items():
            if tensor.role == "parameter":
                found[name] = parameters[name].detach().T if len(tensor.shape) == 2 else parameters[name].detach()
            elif tensor.role == "statistic":
                found[name] = self.network.get_buffer(name.replace("variance", "var"))
            elif tensor.role == "slot" and tensor.of is not None:
                slot = self.optimizer.state[parameters[tensor.of]][SLOT_NAMES[name.split(":")[0]]]
                found[name] = slot.T if slot.ndim == 2 else slot
        return found

    def _prepare_slots(self) -> None:
        """`torch.optim` creates its slots in the first step; a state that is loaded needs them before."""
        for parameter in self._parameters().values():
            slots = self.optimizer.state[parameter]
            for slot in self.spec.optimizer.slots:
                slots.setdefault(SLOT_NAMES[slot], torch.zeros_like(parameter))
            if "step" in self.spec.tensors():
                slots["step"] = torch.tensor(float(self.step))
