"""What every model in Keras 3 shares: state, slots, seed generators, masks, the training step.

Keras trains by itself, with `compile` and `train_on_batch`. The same file runs on Keras's TensorFlow, PyTorch and JAX
backends.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from operator import attrgetter
from types import ModuleType
from typing import Any

import keras
import numpy as np
from keras import ops

from implementations.contract import Arrays, DeviceBatch
from implementations.layers.dropout import dropout_keras as dropout
from implementations.layers.loss import cross_entropy_keras as cross_entropy
from implementations.layers.optimizer import optimizer_keras as optimizer

BACKEND = keras.backend.backend()


class Model:
    """`implementations.contract.Model` but for the network, which a page adds: `build_network`, `predict` and `kinds`."""

    compiled = {"tensorflow": "tf.function, on a GPU with XLA", "torch": "no", "jax": "jax.jit"}[BACKEND]
    layout = "(in, out)"
    random_bits = "keras.layers.Dropout's own"
    step_memory = "as its backend has them"
    kinds: Mapping[str, Any] = {}
    """The module of every layer that has tensors or chooses, by the layer's name without its number."""

    def __init__(self, spec: Any, device: str = "cpu") -> None:
        self.spec = spec
        self.network = self.build_network()
        self.optimizer = optimizer.optimizer(spec.optimizer, spec.largest_norm, self.number)
        self.network.compile(optimizer=self.optimizer, loss=cross_entropy.loss())
        self.variables = self._parameters_and_statistics()
        self.optimizer.exclude_from_weight_decay(var_list=self._undecayed())
        self.optimizer.build(self.network.trainable_variables)
        self.variables |= self._slots()
        self.dropouts = {name: self._dropout(name.rpartition(".")[0]) for name in spec.masks(1)}
        self.drawers = {
            name: self.compiled_as_step(partial(dropout.mask, layer)) for name, layer in self.dropouts.items()
        }

    def number(self, value: float) -> Any:
        """A constant in the network's precision. Keras rounds plain Python floats to float32 on some paths."""
        return np.float64(value) if self.spec.precision == "float64" else float(value)

    # --- the training step ---

    def build_network(self) -> keras.Model:
        """All layers, each under the specification's name."""
        raise NotImplementedError

    def train_step(self, batch: DeviceBatch) -> Any:
        """One step of training; returns the loss, for which Keras waits."""
        return self.network.train_on_batch(batch["x"], batch["y"])

    def predict(self, batch: DeviceBatch) -> Any:
        """Logits, as the trained network predicts."""
        raise NotImplementedError

    # --- state, generators, masks ---

    def state(self) -> Arrays:
        """Copies of all variables under the specification's names."""
        state: Arrays = {}
        for name, variable in self.variables.items():
            value = np.array(ops.convert_to_numpy(variable)[self._rows(name)], copy=True)
            state[name] = self._converted("to_spec", name, value)
        return state

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays."""
        for name, variable in self.variables.items():
            whole = np.array(ops.convert_to_numpy(variable))
            rows, value = self._rows(name), self._converted("from_spec", name, np.asarray(state[name]))
            in_parts = value.ndim != whole[rows].ndim  # such as the heads of attention, an axis of Keras's own
            whole[rows] = value.reshape(whole[rows].shape) if in_parts else value
            variable.assign(whole)

    def random_state(self) -> Arrays:
        """The state of every dropout layer's seed generator."""
        return {name: np.array(ops.convert_to_numpy(d.seed_generator.state)) for name, d in self.dropouts.items()}

    def set_random_state(self, random_state: Mapping[str, np.ndarray]) -> None:
        """Rewind the seed generators."""
        for name, layer in self.dropouts.items():
            layer.seed_generator.state.assign(random_state[name])

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step: its own dropout layers, given ones."""
        ones = {name: ops.ones(mask.shape, dtype=self.spec.dtype) for name, mask in self.spec.masks(batch).items()}
        return {name: ops.convert_to_numpy(self.drawers[name](x)) for name, x in ones.items()}

    def choices(self, batch: DeviceBatch) -> Arrays:
        """What every branch chooses in a training step on the batch, by the oracle's names; the state stays."""
        if not self._branches:
            return {}
        state, seeds = self.state(), self.random_state()
        seen = self._up_to_branches(batch["x"])
        self.load_state(state)
        self.set_random_state(seeds)
        return {name: ops.convert_to_numpy(self._branches[name].choice(*both)) for name, both in seen.items()}

    @cached_property
    def _branches(self) -> dict[str, ModuleType]:
        """The module of every layer that chooses, by the layer's name."""
        modules = {layer.name: self._module(layer.name) for layer in self.network.layers}
        return {name: module for name, module in modules.items() if hasattr(module, "choice")}

    @cached_property
    def _up_to_branches(self) -> Any:
        """The same layers in training: what goes into every branch and what comes out, by name; compiled as the step is."""
        layers = {name: self.network.get_layer(name) for name in self._branches}
        part = keras.Model(self.network.inputs, {name: [layer.input, layer.output] for name, layer in layers.items()})
        if BACKEND != "jax":
            return self.compiled_as_step(partial(part, training=True))
        import jax

        step = jax.jit(partial(part.stateless_call, training=True))
        groups = part.trainable_variables, part.non_trainable_variables
        return lambda x: step(*([variable.value for variable in group] for group in groups), x)[0]

    def compiled_as_step(self, draw: Callable[..., Any]) -> Callable[..., Any]:
        """What draws a step's masks apart from it: a compiler may draw other numbers than eager code."""
        if BACKEND == "tensorflow":
            import tensorflow as tf

            return tf.function(draw, jit_compile=self.network.jit_compile)
        return draw  # PyTorch runs eagerly; JAX draws the same either way

    # --- Keras's variables ---

    def _parameters_and_statistics(self) -> dict[str, Any]:
        """The layers' variables by the specification's names."""
        variables = {}
        for name, tensor in self.spec.tensors().items():
            if tensor.role in ("parameter", "statistic"):
                layer, _, attribute = name.rpartition(".")
                variables[name] = attrgetter(self._module(layer).NAMES[attribute])(self.network.get_layer(layer))
        return variables

    def _undecayed(self) -> list[Any]:
        """The parameters to which weight decay does not apply."""
        tensors = self.spec.tensors().items()
        return [self.variables[name] for name, tensor in tensors if tensor.role == "parameter" and not tensor.decays]

    def _slots(self) -> dict[str, Any]:
        """The optimizer's variables by the specification's names."""
        variables = {}
        for name, tensor in self.spec.tensors().items():
            if tensor.role == "slot" and tensor.of is not None:
                kind = name.partition(":")[0]
                variables[name] = optimizer.slot(self.optimizer, kind, self.variables[tensor.of])
            elif tensor.role == "counter":
                variables[name] = getattr(self.optimizer, optimizer.NAMES[name])
        return variables

    def _module(self, layer: str) -> Any:
        """The module of a layer that has tensors or chooses; of others None."""
        return self.kinds.get(layer.rstrip("0123456789"))

    def _dropout(self, name: str) -> Any:
        """The dropout layer with this name, or the one inside of the layer with this name."""
        layer, module = self.network.get_layer(name), self._module(name)
        return module.dropout_of(layer) if module else layer

    def _rows(self, name: str) -> Any:
        """Which rows of Keras's variable a tensor is, where several share one; else all."""
        layer, _, attribute = name.rpartition(":")[2].rpartition(".")
        return getattr(self._module(layer), "ROWS", {}).get(attribute, ...)

    def _converted(self, direction: str, name: str, value: np.ndarray) -> np.ndarray:
        """`to_spec` or `from_spec`: as the layer and the optimizer say, where Keras keeps another layout or sign."""
        kind, _, tensor = name.rpartition(":")
        layer, _, attribute = tensor.rpartition(".")
        if kind:
            value = getattr(optimizer, direction)(kind, value, self.spec.optimizer)
        convert = getattr(self._module(layer), direction, None) if layer else None
        return convert(attribute, value) if convert else value
