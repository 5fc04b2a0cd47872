"""What every model in PyTorch shares: state, generator, masks, the training step and its update."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, nullcontext
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from torch import nn

from implementations.contract import Arrays
from implementations.layers.clipping import clipping_torch as clipping
from implementations.layers.loss import cross_entropy_torch as cross_entropy
from implementations.layers.optimizer import optimizer_torch as optimizer


class Model:
    """`implementations.contract.Model` but for the network, which a page adds: `kinds` and `make_network`."""

    compiled = "no"
    layout = "(out, in)"
    random_bits = "nn.Dropout's own"
    step_memory = "new tensors at every step; parameters and slots in place"

    kinds: Mapping[str, Any]
    """The network's kinds of layers: a submodule's name without its number, or one's whole name -> its file (NAMES, to_spec, from_spec, mask)."""

    def __init__(self, spec: Any, device: str = "cpu") -> None:
        torch.manual_seed(spec.seed)
        self.spec = spec
        self.device = torch.device(device)
        self.dtype = getattr(torch, spec.dtype)
        self.network = self.make_network().to(self.device, self.dtype)
        tensors = spec.tensors().items()
        parameters = {name: self._tensor(name)[2] for name, tensor in tensors if tensor.role == "parameter"}
        decays = {name for name, tensor in tensors if tensor.decays}
        self.optimizer = optimizer.optimizer(parameters, decays, spec.optimizer)
        self.step = 0

    def make_network(self) -> nn.Module:
        """The network as a module: inputs -> logits. Its submodules have the specification's names."""
        raise NotImplementedError

    # --- the training step ---

    def train_step(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """One step of training; returns the loss without waiting for it."""
        if not self.network.training:
            self.network.train()
        self.step += 1
        self.optimizer.zero_grad()
        with self.mixed():
            loss = cross_entropy.forward(self.network(batch["x"]), batch["y"])
        self.backward(loss)
        if self.spec.largest_norm:
            clipping.clip(self.network.parameters(), self.spec.largest_norm)
        optimizer.update(self.optimizer, self.step, self.spec.optimizer)
        return loss.detach()

    def backward(self, loss: torch.Tensor) -> None:
        """Autograd recorded the forward pass and walks it back; every parameter's gradient lands in its `.grad`."""
        loss.backward()

    def predict(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Logits, as the trained network predicts: in evaluation mode."""
        if self.network.training:
            self.network.eval()
        with torch.no_grad(), self.mixed():
            return self.network(batch["x"]).to(self.dtype)

    def mixed(self) -> Any:
        """In bfloat16, automatic mixed precision: products of bfloat16, everything else float32.

        Elsewhere nothing: entering a `torch.autocast` costs some microseconds of each call, though it is disabled.
        """
        return torch.autocast(self.device.type, torch.bfloat16) if self.spec.precision == "bfloat16" else nullcontext()

    # --- state, generator, masks ---

    @torch.no_grad()
    def state(self) -> Arrays:
        """Copies of all tensors under the specification's names and layouts."""
        state = {}
        for name in self._names():
            layer, attribute, tensor = self._tensor(name)
            value = layer.to_spec(attribute, tensor) if hasattr(layer, "to_spec") else tensor
            state[name] = value.numpy(force=True).copy()
        return state | ({"step": np.asarray(float(self.step))} if "step" in self.spec.tensors() else {})

    @torch.no_grad()
    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays."""
        self.step = int(state.get("step", 0))
        optimizer.prepare_slots(self.optimizer, self.step, self.spec.optimizer)
        for name in self._names():
            layer, attribute, tensor = self._tensor(name)
            value = torch.from_numpy(np.array(state[name], order="C"))
            tensor.copy_(layer.from_spec(attribute, value) if hasattr(layer, "from_spec") else value)

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
        """The masks of the next training step, drawn by its own dropout layers."""
        self.network.train()
        masks = {}
        for name, mask in self.spec.masks(batch).items():
            path = name.rpartition(".")[0]
            drawn = self._layer(path).mask(self.network.get_submodule(path), self.ones(mask.shape))
            masks[name] = drawn.numpy(force=True)
        return masks

    def ones(self, shape: tuple[int, ...]) -> torch.Tensor:
        """What a dropout layer is given to draw a mask from."""
        return torch.ones(shape, dtype=self.dtype, device=self.device)

    def choices(self, batch: Mapping[str, torch.Tensor]) -> Arrays:
        """What every branch chooses in a training step on the batch, by the oracle's names; the state stays."""
        state, chosen = self.state(), dict[str, np.ndarray]()
        self.network.train()
        with ExitStack() as hooks, torch.no_grad(), self.mixed():
            for name, layer, module in self._submodules():
                if hasattr(layer, "choice"):
                    note = partial(_note_choice, chosen, name, layer)
                    hooks.enter_context(module.register_forward_hook(note))
            self.network(batch["x"])
        self.load_state(state)
        return chosen

    def calls_of_steps(self) -> list[tuple[str, object, str]]:
        """The layers and the way back: (step, object, method). A page may add steps of its network's own."""
        forward = [(_step(layer), module, "forward") for _, layer, module in self._submodules()]
        return [*forward, ("backward", self, "backward")]

    # --- the specification's names in PyTorch ---

    def _submodules(self) -> Iterator[tuple[str, Any, nn.Module]]:
        """(name, file of the layer, module) of every layer of the network."""
        for name, module in self.network.named_modules():
            if name in self.kinds or _kind(name) in self.kinds:
                yield name, self._layer(name), module

    def _layer(self, path: str) -> Any:
        """The file of a submodule's layer."""
        return self.kinds.get(path) or self.kinds[_kind(path)]

    def _names(self) -> list[str]:
        return [name for name, tensor in self.spec.tensors().items() if tensor.role != "counter"]

    def _tensor(self, name: str) -> tuple[Any, str, torch.Tensor]:
        """The layer's file, the tensor's name there (of a slot, its parameter's), and PyTorch's tensor."""
        slot, _, parameter = name.rpartition(":")
        path, _, attribute = parameter.rpartition(".")
        layer = self._layer(path)
        tensor = attrgetter(layer.NAMES[attribute])(self.network.get_submodule(path))
        return layer, attribute, self.optimizer.state[tensor][optimizer.NAMES[slot]] if slot else tensor


def _kind(path: str) -> str:
    """The name of a submodule without its number: "block2.layer1" -> "layer"."""
    return path.rpartition(".")[2].rstrip("0123456789")


def _step(layer: Any) -> str:
    """The step whose code a layer's file is: "implementations.layers.dense.dense_torch" -> "dense"."""
    return str(layer.__name__).rpartition(".")[2].removesuffix("_torch")


def _note_choice(chosen: Arrays, name: str, layer: Any, module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
    """A hook of PyTorch's: called with a module, what went into it and what came out."""
    chosen[name] = layer.choice(*inputs, output).numpy(force=True)
