"""The multilayer perceptron in PyTorch, tuned: the whole training step, update included, is one compiled graph.

What was tried and found slower on a CPU: the plain module under `torch.compile` with a fused optimizer (slower than without
either), and dropout drawn inside of the graph. So the masks' random numbers are drawn before it, all at once, and the step
is a function of tensors that `torch.func` differentiates while it is compiled: one call, no autograd at run time. A
prediction is quicker there uncompiled: PyTorch's own batch norm takes one pass, and a compiled function checks its tensors
in every call. On a GPU both are compiled and captured as CUDA graphs, so that the host starts all of their kernels at once.
Shape letters: B batch, D features, H hidden width, C classes; weights are (in, out).
"""

import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from implementations.contract import Arrays
from implementations.mlp.spec import MLPSpec

Tensors = dict[str, torch.Tensor]
Decays = dict[str, bool]  # parameter -> whether weight decay applies to it

torch._dynamo.config.recompile_limit = 256
torch._dynamo.config.accumulated_recompile_limit = 1024
"""Models of as many sizes may live in a process. Beyond it a compiled function raises, for it is compiled `fullgraph`."""

# --- dense ---


def dense(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """z = x W + b: x (B, D), W (D, H), b (H,) -> z (B, H)."""
    z = (x @ weight).to(weight.dtype)
    return z if bias is None else z + bias


# --- batch_norm ---


def batch_norm(
    z: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, epsilon: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normalise over the batch (Ioffe & Szegedy 2015, Algorithm 1): n (B, H), the batch's mean and biased variance."""
    mean = z.mean(0)
    centred = z - mean
    variance = centred.square().mean(0)
    return centred * (gamma / torch.sqrt(variance + epsilon)) + beta, mean, variance


def update_statistics(
    w: Tensors, i: int, mean: torch.Tensor, variance: torch.Tensor, batch: int, spec: MLPSpec
) -> None:
    """running = momentum * running + (1 - momentum) * new, with the unbiased variance (Algorithm 2); in place."""
    factor = batch / (batch - 1) if spec.running_variance == "unbiased" else 1.0
    for name, new in (("running_mean", mean), ("running_variance", variance * factor)):
        w[f"norm{i}.{name}"].mul_(spec.norm_momentum).add_(new * (1 - spec.norm_momentum))


def batch_norm_running(z: torch.Tensor, w: Tensors, i: int, epsilon: float) -> torch.Tensor:
    """Normalise with the running statistics, for prediction (Algorithm 2); PyTorch does it in one pass."""
    read = ("running_mean", "running_variance", "gamma", "beta")
    mean, variance, gamma, beta = (w[f"norm{i}.{name}"] for name in read)
    return functional.batch_norm(z, mean, variance, gamma, beta, eps=epsilon)


# --- relu ---


def relu(n: torch.Tensor) -> torch.Tensor:
    """a = max(n, 0)."""
    return functional.relu(n)


# --- dropout ---


def dropout_mask(uniform: torch.Tensor, rate: float) -> torch.Tensor:
    """From numbers in [0, 1): 0 with probability `rate`, else 1/(1-rate): inverted dropout (Srivastava et al. 2014)."""
    return (uniform >= rate).to(uniform.dtype) * (1 / (1 - rate))


# --- output ---


def output(h: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """logits = h W + b: h (B, H), W (H, C), b (C,) -> logits (B, C)."""
    return dense(h, weight, bias)


# --- loss ---


def cross_entropy(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Softmax cross-entropy of logits (B, C) with labels (B,), mean over the batch."""
    return functional.cross_entropy(logits, y)


# --- backward ---


def backward(loss: Any, parameters: Tensors, *rest: Any) -> tuple[Tensors, tuple[torch.Tensor, Any]]:
    """The gradient of `loss` by parameter name, and what `loss` returns. Reverse mode, unrolled into the compiled graph."""
    return torch.func.grad_and_value(loss, has_aux=True)(parameters, *rest)


# --- update ---


def sgd(w: torch.Tensor, g: torch.Tensor, velocity: torch.Tensor | None, settings: Any) -> None:
    """v = mu v + g; w -= lr v, in place (Sutskever et al. 2013). Without momentum there is no velocity to keep."""
    if velocity is not None:
        g = velocity.mul_(settings.momentum).add_(g)
    w.sub_(g * settings.learning_rate)


def adam(w: torch.Tensor, g: torch.Tensor, m: torch.Tensor, v: torch.Tensor, step: torch.Tensor, settings: Any) -> None:
    """Kingma & Ba 2015, Algorithm 1, in place; the form "hat" is the one before their section 2.1."""
    m.mul_(settings.beta1).add_(g * (1 - settings.beta1))
    v.mul_(settings.beta2).add_(g.square() * (1 - settings.beta2))
    correction1, correction2 = one_minus_power(settings.beta1, step), one_minus_power(settings.beta2, step)
    if settings.epsilon_form == "algorithm1":
        w.sub_(settings.learning_rate * (m / correction1) / (torch.sqrt(v / correction2) + settings.epsilon))
    else:
        rate = settings.learning_rate * torch.sqrt(correction2) / correction1
        w.sub_(rate * m / (torch.sqrt(v) + settings.epsilon))


def one_minus_power(beta: float, step: torch.Tensor) -> torch.Tensor:
    """1 - beta^t as -expm1(t log beta): in float32, beta^t near 1 would lose the digits that the difference needs."""
    return -torch.expm1(step * math.log(beta)) if beta else torch.ones_like(step)


def update(w: Tensors, gradients: Tensors, decays: Decays, settings: Any) -> None:
    """One step of the optimizer on every parameter, in place."""
    if settings.kind != "sgd":
        w["step"].add_(1)
    for name, g in gradients.items():
        if settings.kind == "sgd":
            sgd(w[name], g, w.get(f"velocity:{name}"), settings)
            continue
        if settings.kind == "adamw" and decays[name]:
            w[name].mul_(1 - settings.learning_rate * settings.weight_decay)
        adam(w[name], g, w[f"m:{name}"], w[f"v:{name}"], w["step"].to(g.dtype), settings)


# --- the model ---


def train_step(
    w: Tensors, parameters: Decays, uniform: list[torch.Tensor], x: torch.Tensor, y: torch.Tensor, spec: MLPSpec
) -> torch.Tensor:
    """One step of training on x (B, D), y (B,): moves everything in `w`, returns the loss."""
    gradients, (loss, statistics) = backward(mean_loss, {name: w[name] for name in parameters}, uniform, x, y, spec)
    for i, (mean, variance) in enumerate(statistics, start=1):
        update_statistics(w, i, mean, variance, len(x), spec)
    update(w, gradients, parameters, spec.optimizer)
    return loss


def mean_loss(
    w: Tensors, uniform: list[torch.Tensor], x: torch.Tensor, y: torch.Tensor, spec: MLPSpec
) -> tuple[torch.Tensor, list[list[torch.Tensor]]]:
    """The mean loss of a training step as a function of the parameters; and every batch norm's mean and variance."""
    logits, statistics, _ = forward(w, uniform, x, spec)
    return cross_entropy(logits, y), statistics


def forward(
    w: Tensors, uniform: list[torch.Tensor], x: torch.Tensor, spec: MLPSpec
) -> tuple[torch.Tensor, list[list[torch.Tensor]], list[torch.Tensor]]:
    """Logits (B, C) of a training step, every batch norm's mean and variance, and what passes every ReLU (B, H)."""
    h, statistics, passed = x, [], []
    for i in range(1, len(spec.hidden) + 1):
        h = dense(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"))
        if spec.batch_norm:
            h, *found = batch_norm(h, w[f"norm{i}.gamma"], w[f"norm{i}.beta"], spec.norm_epsilon)
            statistics.append(found)
        h = relu(h)
        passed.append(h)
        if spec.dropout:
            h = h * dropout_mask(uniform[i - 1], spec.dropout)
    return output(h, w["output.weight"], w["output.bias"]), statistics, passed


def choices(w: Tensors, uniform: list[torch.Tensor], x: torch.Tensor, spec: MLPSpec) -> list[torch.Tensor]:
    """Which units (B, H) of every hidden layer pass in a training step."""
    return [h > 0 for h in forward(w, uniform, x, spec)[2]]


def predict(w: Tensors, x: torch.Tensor, spec: MLPSpec) -> torch.Tensor:
    """Logits (B, C) with running statistics and without dropout."""
    h = x
    for i in range(1, len(spec.hidden) + 1):
        h = dense(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"))
        h = (batch_norm_running(h, w, i, spec.norm_epsilon) if spec.batch_norm else h).relu_()
    return output(h, w["output.weight"], w["output.bias"])


class Graph:
    """A function of tensors as a CUDA graph, after PyTorch's guide to them: it reads and writes the same memory each time."""

    def __init__(
        self, function: Callable[..., torch.Tensor], moving: list[torch.Tensor], *inputs: torch.Tensor
    ) -> None:
        """`moving`: what the function changes in place; as it was, when this returns."""
        self.inputs, before = [x.clone() for x in inputs], [tensor.clone() for tensor in moving]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(3):  # compiles, and lets libraries take the memory that they need
                function(*self.inputs)
        torch.cuda.current_stream().wait_stream(aside)
        for tensor, value in zip(moving, before, strict=True):
            tensor.copy_(value)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.result = function(*self.inputs)

    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        """What the function gives for these; the caller's own."""
        for own, given in zip(self.inputs, inputs, strict=True):
            own.copy_(given)
        self.graph.replay()
        return self.result.clone()


class Room:
    """What is kept for one batch size: memory for the masks' random numbers, by layer (B, H), and the graphs that read it."""

    def __init__(self, spec: MLPSpec, batch: int, like: torch.Tensor) -> None:
        shapes = [mask.shape for mask in spec.masks(batch).values()]
        sizes = [math.prod(shape) for shape in shapes]
        self.numbers = like.new_zeros(sum(sizes))
        self.uniform = (
            [part.view(s) for part, s in zip(self.numbers.split(sizes), shapes, strict=True)] if sizes else []
        )
        self.graphs: dict[str, Graph] = {}

    def draw(self, generator: torch.Generator) -> list[torch.Tensor]:
        """New random numbers in [0, 1), all in one call."""
        if self.uniform:
            self.numbers.uniform_(generator=generator)
        return self.uniform


class TunedMLP:
    """The contract's model (`implementations.contract.Model`) out of the functions above."""

    compiled, layout = "torch.compile, on a GPU one CUDA graph", "(in, out)"
    random_bits, step_memory = "a float32 in [0, 1)", "as the compiler plans them; on a GPU the graph's"

    def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
        self.spec, self.device, self.dtype = spec, torch.device(device), getattr(torch, spec.dtype)
        self.generator = torch.Generator(self.device).manual_seed(spec.seed)
        self.parameters = {name: tensor.decays for name, tensor in spec.tensors().items() if tensor.role == "parameter"}
        self.w = {name: self._zeros(tensor.shape) for name, tensor in spec.tensors().items()}
        if "step" in self.w:  # a whole number: compiled, the update of a float64 counter would be lost
            self.w["step"] = self.w["step"].to(torch.int64)
        self.captures = self.device.type == "cuda"
        self.rooms: dict[int, Room] = {}
        self._train_step = torch.compile(partial(train_step, spec=spec), fullgraph=True, dynamic=False)
        self._predict: Callable[..., torch.Tensor] = partial(predict, spec=spec)
        if self.captures:
            self._predict = torch.compile(self._predict, fullgraph=True, dynamic=False)
        self._active = torch.compile(partial(choices, spec=spec), fullgraph=True, dynamic=False)

    def train_step(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """One step of training on x (B, D), y (B,); returns the loss without waiting for it."""
        x, y = batch["x"], batch["y"]
        room = self._room(len(x))
        uniform = room.draw(self.generator)
        with torch.no_grad(), self._mixed():
            if not self.captures:
                return self._train_step(self.w, self.parameters, uniform, x, y)
            if "train_step" not in room.graphs:
                step = partial(self._train_step, self.w, self.parameters, uniform)
                room.graphs["train_step"] = Graph(step, list(self.w.values()), x, y)
            return room.graphs["train_step"](x, y)

    def predict(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Logits (B, C) with running statistics and without dropout."""
        x = batch["x"]
        with torch.no_grad(), self._mixed():
            if not self.captures:
                return self._predict(self.w, x)
            room = self._room(len(x))
            if "predict" not in room.graphs:
                room.graphs["predict"] = Graph(partial(self._predict, self.w), [], x)
            return room.graphs["predict"](x)

    def _mixed(self) -> Any:
        """In bfloat16, automatic mixed precision: products of bfloat16, everything else float32.

        Elsewhere nothing: entering a `torch.autocast` costs some microseconds of each call, though it is disabled.
        """
        return torch.autocast(self.device.type, torch.bfloat16) if self.spec.precision == "bfloat16" else nullcontext()

    def choices(self, batch: Mapping[str, torch.Tensor]) -> Arrays:
        """Which units (B, H) pass in a training step on x, by the oracle's names; compiled as the step is."""
        x = batch["x"]
        with torch.no_grad(), self._mixed():
            found = self._active(self.w, self._room(len(x)).draw(self.generator), x)
        return {f"relu{i}": side.numpy(force=True) for i, side in enumerate(found, start=1)}

    def _room(self, batch: int) -> Room:
        """The room for a batch size; of two sizes at most, that of training and that of prediction."""
        if batch not in self.rooms:
            if len(self.rooms) == 2:
                del self.rooms[next(iter(self.rooms))]
            self.rooms[batch] = Room(self.spec, batch, self._zeros((0,)))
        return self.rooms[batch]

    def state(self) -> Arrays:
        """Copies of all tensors under the specification's names."""
        return {name: tensor.numpy(force=True).copy() for name, tensor in self.w.items()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays."""
        for name, tensor in self.w.items():
            tensor.copy_(torch.from_numpy(np.array(state[name], order="C")))

    def random_state(self) -> torch.Tensor:
        """The state of the generator that the masks are drawn from."""
        return self.generator.get_state()

    def set_random_state(self, random_state: torch.Tensor) -> None:
        """Rewind that generator."""
        self.generator.set_state(random_state)

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step: its own numbers, compared as it compares them."""
        uniform = Room(self.spec, batch, self._zeros((0,))).draw(self.generator)
        drawn = zip(self.spec.masks(batch), uniform, strict=True)
        return {name: dropout_mask(uniform, self.spec.dropout).numpy(force=True) for name, uniform in drawn}

    def _zeros(self, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.zeros(shape, dtype=self.dtype, device=self.device)
