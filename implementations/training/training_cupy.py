"""What every model in CuPy shares: state, masks, the training step and its update.

`cp` is the GPU and `np` the host, and their arrays do not mix. Every operation only starts a kernel and returns at once:
a training step and a prediction never wait for the device; what returns host arrays does.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, TypeAlias

import cupy as cp
import numpy as np

from implementations.contract import Arrays, DeviceBatch
from implementations.layers.batch_norm import batch_norm_cupy as batch_norm
from implementations.layers.clipping import clipping_cupy as clipping
from implementations.layers.dropout import dropout_cupy as dropout
from implementations.layers.loss import cross_entropy_cupy as cross_entropy
from implementations.layers.optimizer import optimizer_cupy as optimizer

Array: TypeAlias = cp.ndarray
DeviceArrays = dict[str, Array]
Caches = Any
"""What the way back needs of every layer: nested lists and tuples of arrays, None where there is none."""


class Model:
    """`implementations.contract.Model` but for the network, which a page adds: `forward`, `backward` and `predict`."""

    compiled = "no"
    layout = "(in, out)"
    random_bits = "a float32 in [0, 1)"
    step_memory = "new arrays at every step, from its pool"

    def __init__(self, spec: Any, device: str = "cuda:0") -> None:
        cp.cuda.Device(int(device.partition(":")[2] or 0)).use()  # arrays live on the device in use
        self.spec = spec
        self.dtype = np.dtype(spec.dtype)
        # CuPy's own generator: it draws on the GPU, and other numbers than NumPy's from the same seed.
        self.bits = cp.random.Philox4x3210(spec.seed)
        self.rng = cp.random.Generator(self.bits)
        self.w: DeviceArrays = {}
        self.step = 0
        self.decays = {name for name, tensor in spec.tensors().items() if tensor.decays}
        self.passing: Arrays | None = None
        """Where it is not None: what every branch chooses, by its name; of a ReLU, which units it passes."""

    # --- the training step ---

    def train_step(self, batch: DeviceBatch) -> Array:
        """One step of training; returns the loss."""
        logits, caches = self.forward(batch)
        losses, p = cross_entropy.forward(logits, batch["y"])
        gradients = self.clipped(self.backward(cross_entropy.backward(p, batch["y"]), caches))
        self.update(gradients)
        return losses.mean()

    def forward(self, batch: DeviceBatch) -> tuple[Array, Caches]:
        """Logits of a training step, and what the way back needs. Moves running statistics."""
        raise NotImplementedError

    def backward(self, dlogits: Array, caches: Caches) -> DeviceArrays:
        """Gradients of the loss by parameter name, from the last layer to the first."""
        raise NotImplementedError

    def predict(self, batch: DeviceBatch) -> Array:
        """Logits, as the trained network predicts."""
        raise NotImplementedError

    def clipped(self, gradients: DeviceArrays) -> DeviceArrays:
        """The gradients, all shorter by one factor where together they are longer than the specification allows."""
        largest = self.spec.largest_norm
        return clipping.clip(gradients, largest) if largest else gradients

    def update(self, gradients: DeviceArrays) -> None:
        """One step of the optimizer on every parameter."""
        self.step += 1
        for name, g in gradients.items():
            slots = {slot: self.w[f"{slot}:{name}"] for slot in self.spec.optimizer.slots}
            decays = name in self.decays
            self.w[name], slots = optimizer.update(self.w[name], g, slots, self.step, self.spec.optimizer, decays)
            self.w |= {f"{slot}:{name}": value for slot, value in slots.items()}

    def update_statistics(self, name: str, mean: Array, variance: Array, samples: int) -> None:
        """The running mean and variance of the batch norm with this name."""
        if self.spec.running_variance == "unbiased":
            variance = batch_norm.unbiased(variance, samples)
        for statistic, new in ((f"{name}.running_mean", mean), (f"{name}.running_variance", variance)):
            self.w[statistic] = batch_norm.running(self.w[statistic], new, self.spec.norm_momentum)

    def through(self, name: str, layer: ModuleType, *inputs: Any) -> Any:
        """The layer's `forward`."""
        result = layer.forward(*inputs)
        if self.passing is not None and hasattr(layer, "choice"):
            self.passing[name] = cp.asnumpy(layer.choice(*inputs))
        return result

    def mask(self, name: str, shape: tuple[int, ...], rate: float) -> Array:
        """A dropout mask, drawn as the step needs it."""
        return dropout.mask(self.rng, shape, rate, self.dtype)

    # --- state, generator, masks ---

    def state(self) -> Arrays:
        """Copies of all arrays, on the host, under the specification's names."""
        state = {name: cp.asnumpy(value) for name, value in self.w.items()}
        return state | ({"step": np.asarray(float(self.step))} if "step" in self.spec.tensors() else {})

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named host arrays, in this model's number type."""
        self.w = {name: cp.array(value, dtype=self.dtype) for name, value in state.items() if name != "step"}
        self.step = int(state.get("step", 0))

    def random_state(self) -> Array:
        """A copy of the mask generator's state, which lives on the GPU (CuPy has no public way to copy it)."""
        return self.bits._state.copy()

    def set_random_state(self, random_state: Array) -> None:
        """Rewind the mask generator."""
        self.bits._state[...] = random_state

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step, on the host, drawn from the generator as that step would."""
        masks = self.spec.masks(batch).items()
        return {name: cp.asnumpy(self.mask(name, mask.shape, mask.rate)) for name, mask in masks}

    def choices(self, batch: DeviceBatch) -> Arrays:
        """What every branch chooses in a training step on the batch, by the oracle's names; the state stays."""
        state, passing = self.state(), dict[str, np.ndarray]()
        self.passing = passing
        self.forward(batch)
        self.passing = None
        self.load_state(state)
        return passing

    def calls_of_steps(self) -> list[tuple[str, object, str]]:
        """Steps that are methods: (step, object, method). A page may add those of its network."""
        return [("batch_norm", self, "update_statistics"), ("backward", self, "backward"), ("update", self, "update")]
