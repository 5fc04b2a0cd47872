"""What every model in NumPy shares: state, masks, the training step and its update.

Generic over the number type: float32 as timed, float64 as the oracle, others where that is itself checked.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from implementations.contract import Arrays, Batch
from implementations.layers.batch_norm import batch_norm_numpy as batch_norm
from implementations.layers.clipping import clipping_numpy as clipping
from implementations.layers.dropout import dropout_numpy as dropout
from implementations.layers.loss import cross_entropy_numpy as cross_entropy
from implementations.layers.optimizer import optimizer_numpy as optimizer

Array = np.ndarray
Caches = Any
"""What the way back needs of every layer: nested lists and tuples of arrays, None where there is none."""


class Model:
    """`implementations.contract.Model` but for the network, which a page adds: `forward`, `backward` and `predict`.

    The oracle is made of the page: whatever branches goes through `through`, dropout masks are drawn by `mask` under their names in
    `spec.masks`, functions of NumPy that are not elementwise are those of `equivalence.array_functions`, and caches are lists or tuples.
    """

    compiled = "no"
    layout = "(in, out)"
    random_bits = "53"
    step_memory = "new arrays at every step"

    def __init__(self, spec: Any, device: str = "cpu", dtype: Any = None) -> None:
        self.spec = spec
        self.dtype = np.dtype(dtype or spec.dtype)
        self.rng = np.random.default_rng(spec.seed)
        self.w: Arrays = {}
        self.step = 0
        self.decays = {name for name, tensor in spec.tensors().items() if tensor.decays}
        self.passing: Arrays | None = None
        """Where it is not None: what every branch chooses, by its name; of a ReLU, which units it passes."""

    # --- the training step ---

    def train_step(self, batch: Batch) -> Any:
        """One step of training; returns the loss."""
        logits, caches = self.forward(batch)
        losses, p = cross_entropy.forward(logits, batch["y"])
        gradients = self.clipped(self.backward(cross_entropy.backward(p, batch["y"]), caches))
        self.update(gradients)
        return losses.mean()

    def forward(self, batch: Batch) -> tuple[Array, Caches]:
        """Logits of a training step, and what the way back needs. Moves running statistics."""
        raise NotImplementedError

    def backward(self, dlogits: Array, caches: Caches) -> Arrays:
        """Gradients of the loss by parameter name, from the last layer to the first."""
        raise NotImplementedError

    def predict(self, batch: Batch) -> Array:
        """Logits, as the trained network predicts."""
        raise NotImplementedError

    def clipped(self, gradients: Arrays) -> Arrays:
        """The gradients, all shorter by one factor where together they are longer than the specification allows."""
        largest = self.spec.largest_norm
        return clipping.clip(gradients, largest) if largest else gradients

    def update(self, gradients: Arrays) -> None:
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

    # --- what the oracle replaces ---

    def through(self, name: str, layer: ModuleType, *inputs: Any) -> Any:
        """The layer's `forward`; the proof steps in here, with choices of its own."""
        result = layer.forward(*inputs)
        if self.passing is not None and hasattr(layer, "forward_on"):
            self.passing[name] = np.array(layer.choice(*inputs))
        return result

    def mask(self, name: str, shape: tuple[int, ...], rate: float) -> Array:
        """A dropout mask, drawn as the step needs it."""
        return dropout.mask(self.rng, shape, rate, self.dtype)

    # --- state, generator, masks ---

    def state(self) -> Arrays:
        """Copies of all arrays under the specification's names."""
        state = {name: value.copy() for name, value in self.w.items()}
        return state | ({"step": np.asarray(float(self.step))} if "step" in self.spec.tensors() else {})

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Take over copies of the named arrays, in this model's number type."""
        self.w = {name: np.array(value, dtype=self.dtype) for name, value in state.items() if name != "step"}
        self.step = int(state.get("step", 0))

    def random_state(self) -> Any:
        """The mask generator's state."""
        return self.rng.bit_generator.state

    def set_random_state(self, random_state: Any) -> None:
        """Rewind the mask generator."""
        self.rng.bit_generator.state = random_state

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step, drawn from the generator as that step would."""
        return {name: self.mask(name, mask.shape, mask.rate) for name, mask in self.spec.masks(batch).items()}

    def choices(self, batch: Batch) -> Arrays:
        """What every branch chooses in a training step on the batch, by the oracle's names; the state stays."""
        state, passing = self.state(), dict[str, Array]()
        self.passing = passing
        self.forward(batch)
        self.passing = None
        self.load_state(state)
        return passing

    def calls_of_steps(self) -> list[tuple[str, object, str]]:
        """Steps that are methods: (step, object, method). A page may add those of its network."""
        return [("batch_norm", self, "update_statistics"), ("backward", self, "backward"), ("update", self, "update")]
