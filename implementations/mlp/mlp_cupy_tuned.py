"""The multilayer perceptron in CuPy, tuned: the whole training step is one CUDA graph of cuBLAS products and fused kernels.

On a GPU small networks are slow because of the many kernels that the host starts one by one, and large ones, beside their
products, because every kernel goes over memory once more. So whatever stands between two products is one kernel, in CUDA
C++ (`mlp_cupy_tuned.cu`, with the headings of this page), and the host starts a training step with one call.

Shape letters: B batch, D features, H hidden width, C classes; weights are (in, out), arrays row by row.
"""

import gc
import math
import re
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import cupy as cp
import numpy as np

from implementations.contract import Arrays
from implementations.mlp.spec import MLPSpec
from implementations.training.products_cupy import Products

Array = Any  # cupy.ndarray: CuPy ships no type stubs
Args = tuple[Any, ...]  # of a kernel

COLUMNS, ROWS = 8, 64
"""Threads of a block that reduces over the batch. Eight neighbours read 32 bytes at once, the least that a GPU fetches; few
columns to a block make many blocks, and 64 rows make short sums."""

LANES, SAMPLES = 32, 8
"""Threads of a block that reduces over the classes, and samples that it does side by side."""

THREADS, MOST_BLOCKS = 256, 2048
"""Of a kernel that goes element by element. The blocks are enough to fill any GPU; each thread takes several elements."""

# --- dense ---


def dense(product: Products, x: Array, weight: Array, z: Array) -> None:
    """z = x W: x (B, D), W (D, H); written into z (B, H). The bias is added by the kernel that comes next."""
    product(x, weight, z)


# --- batch_norm ---


def batch_norm(kernels: Any, layer: "Layer", parameters: Args, running: Args, constants: Args, drop: Args) -> None:
    """Batch norm, ReLU and dropout at once: layer.z (B, H) -> layer.h (B, H). Moves the running statistics (H,)."""
    epsilon, *moving = constants
    buffers = layer.z, *parameters, layer.mean, layer.inv_std, layer.h
    arguments = *buffers, *_sizes(layer.z), epsilon, *running, *moving, *drop
    kernels.norm_relu_dropout(_blocks(layer.z), (COLUMNS, ROWS), arguments)


def batch_norm_running(kernels: Any, z: Array, parameters: Args, running: Args, epsilon: Any) -> None:
    """Batch norm with the running statistics, and ReLU, for prediction; in place of z (B, H)."""
    kernels.norm_running_relu(_grid(z.size), (THREADS,), (z, *parameters, *running, *_sizes(z), epsilon))


# --- relu ---


def relu(kernels: Any, z: Array, bias: Array, drop: Args) -> None:
    """Bias, ReLU and dropout at once, in place of z (B, H). (Where there is batch norm, its kernel does the ReLU.)"""
    kernels.bias_relu_dropout(_grid(z.size // 4), (THREADS,), (z, bias, *_sizes(z), *drop))


# --- dropout ---


def dropout(spec: MLPSpec, layer: int, counters: Array, training: bool = True) -> Args:
    """What a kernel must know to draw the mask of a hidden layer. A rate of 0, as in prediction, draws nothing."""
    rate = spec.dropout if training else 0.0
    scale = np.dtype(spec.dtype).type(1 / (1 - rate))
    return np.uint32(int(rate * 2**32)), scale, np.uint32(spec.seed), np.uint32(layer), counters


def dropout_mask(kernels: Any, mask: Array, drop: Args) -> Array:
    """The mask of one layer, 0 or 1/(1-rate), into `mask` (B, H)."""
    kernels.dropout_mask(_grid(mask.size // 4), (THREADS,), (mask, *_sizes(mask), *drop))
    return mask


# --- output ---


def output(product: Products, h: Array, weight: Array, logits: Array) -> None:
    """logits = h W: h (B, H), W (H, C); written into logits (B, C). In training the loss's kernel adds the bias."""
    product(h, weight, logits)


def add_bias(kernels: Any, logits: Array, bias: Array) -> None:
    """The bias (C,) of the output layer, for prediction; in place."""
    kernels.add_bias(_grid(logits.size), (THREADS,), (logits, bias, *_sizes(logits)))


# --- loss ---


def cross_entropy(kernels: Any, room: "Room", bias: Array, counters: Array) -> None:
    """The mean loss into room.loss; room.logits (B, C), still without their bias, become dlogits."""
    arguments = room.logits, bias, room.y, room.losses, *_sizes(room.logits), counters
    kernels.cross_entropy((-(-len(room.y) // SAMPLES),), (LANES, SAMPLES), arguments)
    column_sums(kernels, room.losses, room.loss)


def column_sums(kernels: Any, a: Array, out: Array) -> None:
    """The sums (H,) over the rows of a (B, H)."""
    kernels.column_sums(_blocks(a), (COLUMNS, ROWS), (a, out, *_sizes(a)))


# --- backward ---


def dense_backward(product: Products, dz: Array, x: Array, weight: Array, dweight: Array, dx: Array | None) -> None:
    """dW = x^T dz and dx = dz W^T, each written where it belongs; no dx where nobody asks for it."""
    product(x.T, dz, dweight)
    if dx is not None:
        product(dz, weight.T, dx)


def batch_norm_backward(kernels: Any, layer: "Layer", gamma: Array, dgamma: Array, dbeta: Array, scale: Any) -> None:
    """Back through dropout, ReLU and batch norm at once, in place of layer.dh (B, H)."""
    buffers = layer.dh, layer.h, layer.z, gamma, layer.mean, layer.inv_std, dgamma, dbeta
    kernels.norm_backward(_blocks(layer.dh), (COLUMNS, ROWS), (*buffers, *_sizes(layer.dh), scale))


def relu_backward(kernels: Any, layer: "Layer", dbias: Array, scale: Any) -> None:
    """Back through dropout, ReLU and bias at once, in place of layer.dh (B, H)."""
    arguments = layer.dh, layer.h, dbias, *_sizes(layer.dh), scale
    kernels.bias_backward(_blocks(layer.dh), (COLUMNS, ROWS), arguments)


# --- update ---


def sgd(kernels: Any, w: Array, g: Array, velocity: Array | None, settings: Any) -> None:
    """One step on all parameters at once. Without momentum there is no velocity to keep."""
    size, rate = np.uint64(w.size), w.dtype.type(settings.learning_rate)
    if velocity is None:
        kernels.descend(_grid(w.size), (THREADS,), (w, g, size, rate))
    else:
        arguments = w, g, velocity, size, rate, w.dtype.type(settings.momentum)
        kernels.descend_with_momentum(_grid(w.size), (THREADS,), arguments)


def adam(kernels: Any, w: Array, g: Array, m: Array, v: Array, decaying: int, counters: Array, settings: Any) -> None:
    """One step on all parameters at once; `decaying` of them, the first, are weights of layers."""
    real, betas = w.dtype.type, (settings.beta1, settings.beta2)
    logarithms = [np.float64(math.log(beta) if beta else -math.inf) for beta in betas]
    constants = [real(value) for beta in betas for value in (beta, 1 - beta)]
    decay = 1 - settings.learning_rate * settings.weight_decay if settings.kind == "adamw" else 1
    doubles = *logarithms, np.float64(settings.learning_rate), np.float64(settings.epsilon)
    sizes, hat = (np.uint64(w.size), np.uint64(decaying)), np.int32(settings.epsilon_form == "hat")
    kernels.adam(_grid(w.size), (THREADS,), (w, g, m, v, *sizes, counters, *doubles, hat, *constants, real(decay)))


# --- the model ---

SOURCE = Path(__file__).with_suffix(".cu").read_text(encoding="utf-8")
"""All kernels."""

ALIGNED = 64
"""Numbers to which the place of every parameter in its block is rounded up: cuBLAS is quicker at such addresses."""


def options(dtype: np.dtype) -> tuple[str, ...]:
    """What the compiler is told. Never --use_fast_math, which gives up digits.

    CuPy adds what it tells it for all its kernels: the device's architecture, and to flush subnormal numbers to zero.
    """
    real = "float" if dtype == np.float32 else "double"
    return "-std=c++17", f"-DReal={real}", f"-DROWS={ROWS}", f"-DCOLUMNS={COLUMNS}"


def compiled(dtype: np.dtype) -> Any:
    """The kernels by name."""
    module = cp.RawModule(code=SOURCE, options=options(dtype))
    names = re.findall(r"__global__ void (\w+)\(", SOURCE)
    return types.SimpleNamespace(**{name: module.get_function(name) for name in names})


class Layer:
    """What a hidden layer works in at one batch size: z, h and dh (B, H), mean and 1/std (H,)."""

    def __init__(self, batch: int, width: int, spec: MLPSpec, dtype: np.dtype) -> None:
        self.h, self.dh = (cp.empty((batch, width), dtype) for _ in range(2))
        self.z = cp.empty((batch, width), dtype) if spec.batch_norm else self.h
        self.mean, self.inv_std = (cp.empty(width, dtype) for _ in range(2))


class Room:
    """All that is worked in at one batch size, and what has been captured there: its addresses are in the graphs."""

    def __init__(self, spec: MLPSpec, batch: int, dtype: np.dtype) -> None:
        self.x, self.y = cp.empty((batch, spec.features), dtype), cp.empty(batch, np.int64)
        self.layers = [Layer(batch, width, spec, dtype) for width in spec.hidden]
        self.logits = cp.empty((batch, spec.classes), dtype)
        self.losses, self.loss = cp.empty((batch, 1), dtype), cp.empty((), dtype)
        self.training: Any = None
        self.prediction: Any = None


class TunedMLP:
    """The contract's model (`implementations.contract.Model`) out of the functions above.

    All calls must come on one stream, for they share their buffers.
    """

    compiled, layout = "fused kernels by NVRTC, one CUDA graph", "(in, out)"
    random_bits, step_memory = "32", "one set for every batch size"

    def __init__(self, spec: MLPSpec, device: str = "cuda:0") -> None:
        cp.cuda.Device(int(device.partition(":")[2] or 0)).use()
        self.spec, self.dtype = spec, np.dtype(spec.dtype)
        self.kernels = compiled(self.dtype)
        self.stream = cp.cuda.Stream(non_blocking=True)
        """Where graphs are captured: on CUDA's default stream that is forbidden. They are launched on the caller's."""

        self.product = Products(self.dtype, self.stream, tf32=spec.precision == "tf32")
        self.rooms: dict[int, Room] = {}
        self.counters = cp.zeros(2, np.uint64)
        """Steps of the optimizer, draws of the masks: what differs from one run of a graph to the next is on the device."""

        self.scale = dropout(spec, 0, self.counters)[1]
        moved = 1 - spec.norm_momentum
        self.norm_constants = [self.dtype.type(value) for value in (spec.norm_epsilon, spec.norm_momentum, moved)]
        self._allocate()

    def _allocate(self) -> None:
        """One block per kind of parameter-like array, those that decay first; views by name."""
        tensors, slots = self.spec.tensors(), self.spec.optimizer.slots
        parameters = [name for name, tensor in tensors.items() if tensor.role == "parameter"]
        parameters.sort(key=lambda name: not tensors[name].decays)
        shapes = {name: tensors[name].shape for name in parameters}
        size = sum(map(_room_for, shapes.values()))
        self.decaying = sum(_room_for(shape) for name, shape in shapes.items() if tensors[name].decays)
        self.blocks = {kind: cp.zeros(size, self.dtype) for kind in ("", *slots)}
        self.gradient = cp.zeros(size, self.dtype)
        self.w, self.g = _views(self.blocks[""], shapes), _views(self.gradient, shapes)
        self.named = self.w | {
            f"{slot}:{name}": view for slot in slots for name, view in _views(self.blocks[slot], shapes).items()
        }
        statistics = {name: tensor.shape for name, tensor in tensors.items() if tensor.role == "statistic"}
        self.running = cp.zeros(sum(map(_room_for, statistics.values())), self.dtype)
        self.named |= _views(self.running, statistics)

    def train_step(self, batch: Mapping[str, Array]) -> Array:
        """One step of training on x (B, D), y (B,); returns the loss.

        The batch is copied into the graph's own buffers: a graph holds addresses, and the next batch may stand elsewhere, or
        another array where this one was. That copy is small beside a step, which reads x twice and writes all else.
        """
        room = self._room(batch["x"])
        room.y[...] = batch["y"]
        room.training = room.training or self._captured(self._step, room)
        room.training.launch()
        return room.loss.copy()

    def _captured(self, work: Callable[[Room], None], room: Room) -> Any:
        """The graph of `work`, which is not done while it is captured.

        It is done once before, and what that moved is put back: the first calls load kernels, which capturing must not.
        Garbage is collected before, because a handle of cuBLAS that is destroyed meanwhile waits for the device, and that
        ends the capture. Until it returns there is a second copy of the state, which counts in the peak of memory.
        """
        moving = [*self.blocks.values(), self.running, self.counters]
        before = [block.copy() for block in moving]
        cp.cuda.get_current_stream().synchronize()
        with self.stream:
            work(room)
            for block, value in zip(moving, before, strict=True):
                block[...] = value
            self.stream.synchronize()
            gc.collect()
            self.stream.begin_capture()
            try:
                work(room)
            finally:
                graph = self.stream.end_capture()
        return graph

    def _step(self, room: Room) -> None:
        """A training step on the batch in the room."""
        self.forward(room)
        cross_entropy(self.kernels, room, self.w["output.bias"], self.counters)
        self.backward(room)
        self.update()

    def forward(self, room: Room) -> None:
        """Logits of a training step into the room, without their bias. Moves the running statistics."""
        h, w, batch = room.x, self.w, len(room.x)
        unbiased = batch / (batch - 1) if self.spec.running_variance == "unbiased" and batch > 1 else 1
        constants = *self.norm_constants, self.dtype.type(unbiased)
        for i, layer in enumerate(room.layers, start=1):
            drop = dropout(self.spec, i, self.counters)
            dense(self.product, h, w[f"dense{i}.weight"], layer.z)
            if self.spec.batch_norm:
                batch_norm(self.kernels, layer, *self._norm(i), constants, drop)
            else:
                relu(self.kernels, layer.h, w[f"dense{i}.bias"], drop)
            h = layer.h
        output(self.product, h, w["output.weight"], room.logits)

    def _norm(self, i: int) -> tuple[Args, Args]:
        """gamma and beta, running mean and variance of a layer, each (H,)."""
        names = ("gamma", "beta"), ("running_mean", "running_variance")
        parameters, running = (tuple(self.named[f"norm{i}.{name}"] for name in pair) for pair in names)
        return parameters, running

    def backward(self, room: Room) -> None:
        """Gradients of the loss into their block, from the last layer to the first."""
        w, g, dz, name = self.w, self.g, room.logits, "output.weight"
        column_sums(self.kernels, dz, g["output.bias"])
        for i in range(len(room.layers), 0, -1):
            layer = room.layers[i - 1]
            dense_backward(self.product, dz, layer.h, w[name], g[name], layer.dh)
            if self.spec.batch_norm:
                gamma, dgamma, dbeta = w[f"norm{i}.gamma"], g[f"norm{i}.gamma"], g[f"norm{i}.beta"]
                batch_norm_backward(self.kernels, layer, gamma, dgamma, dbeta, self.scale)
            else:
                relu_backward(self.kernels, layer, g[f"dense{i}.bias"], self.scale)
            name, dz = f"dense{i}.weight", layer.dh
        dense_backward(self.product, dz, room.x, w[name], g[name], None)

    def update(self) -> None:
        """One step of the optimizer on every parameter."""
        optimizer, w = self.spec.optimizer, self.blocks[""]
        slots = [self.blocks[slot] for slot in optimizer.slots]
        if optimizer.kind == "sgd":
            sgd(self.kernels, w, self.gradient, slots[0] if slots else None, optimizer)
        else:
            m, v = slots
            adam(self.kernels, w, self.gradient, m, v, self.decaying, self.counters, optimizer)

    def predict(self, batch: Mapping[str, Array]) -> Array:
        """Logits (B, C) with running statistics and without dropout. They are the caller's."""
        room = self._room(batch["x"])
        room.prediction = room.prediction or self._captured(self._predict, room)
        room.prediction.launch()
        return room.logits.copy()

    def _predict(self, room: Room) -> None:
        """The prediction for the features in the room."""
        h, w = room.x, self.w
        for i, layer in enumerate(room.layers, start=1):
            dense(self.product, h, w[f"dense{i}.weight"], layer.h)
            h = layer.h
            if self.spec.batch_norm:
                batch_norm_running(self.kernels, h, *self._norm(i), self.norm_constants[0])
            else:
                relu(self.kernels, h, w[f"dense{i}.bias"], dropout(self.spec, i, self.counters, training=False))
        output(self.product, h, w["output.weight"], room.logits)
        add_bias(self.kernels, room.logits, w["output.bias"])

    def _room(self, x: Array) -> Room:
        """The room for as many samples, with x in it; of two sizes at most, that of training and that of prediction."""
        batch = len(x)
        if batch not in self.rooms:
            if len(self.rooms) == 2:
                del self.rooms[next(iter(self.rooms))]
            self.rooms[batch] = Room(self.spec, batch, self.dtype)
        self.rooms[batch].x[...] = x
        return self.rooms[batch]

    def state(self) -> Arrays:
        """Copies of all arrays, on the host, under the specification's names."""
        state = {name: cp.asnumpy(view) for name, view in self.named.items()}
        if self.spec.optimizer.kind != "sgd":
            state["step"] = np.asarray(float(self.counters[0]))
        return state

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays, in this model's number type, to where the graphs look for them."""
        for name, view in self.named.items():
            view[...] = cp.array(state[name], dtype=self.dtype)
        self.counters[0] = int(state.get("step", 0))

    def random_state(self) -> Array:
        """A copy of how often masks have been drawn: with the seed and the place, that is all their numbers depend on."""
        return self.counters[1:].copy()

    def set_random_state(self, random_state: Array) -> None:
        """Rewind the mask generator."""
        self.counters[1:] = random_state

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step, drawn from the generator as that step would."""
        drawn = {}
        for i, (name, of) in enumerate(self.spec.masks(batch).items(), start=1):
            mask = dropout_mask(self.kernels, cp.empty(of.shape, self.dtype), dropout(self.spec, i, self.counters))
            drawn[name] = cp.asnumpy(mask)
        self.counters[1:] += 1
        return drawn

    def choices(self, batch: Mapping[str, Array]) -> Arrays:
        """Which units (B, H) pass ReLU and dropout in a training step on x, by the oracle's names; nothing moves.

        By the graph's kernels and products, one by one.
        """
        room, running = self._room(batch["x"]), self.running.copy()
        cp.cuda.get_current_stream().synchronize()
        with self.stream:
            self.forward(room)
            self.running[...] = running
            self.stream.synchronize()
        return {f"relu{i}": cp.asnumpy(layer.h) > 0 for i, layer in enumerate(room.layers, start=1)}


def _sizes(array: Array) -> tuple[np.int32, np.int32]:
    """Rows and columns, as a kernel takes them."""
    rows, columns = array.shape
    return np.int32(rows), np.int32(columns)


def _blocks(array: Array) -> tuple[int]:
    """A block for every few columns."""
    return (-(-array.shape[1] // COLUMNS),)


def _grid(elements: int) -> tuple[int]:
    """Blocks for about so many elements, at least one."""
    return (min(elements // THREADS + 1, MOST_BLOCKS),)


def _room_for(shape: Iterable[int]) -> int:
    """Numbers that an array of this shape takes up in its block."""
    return -(-math.prod(shape) // ALIGNED) * ALIGNED


def _views(block: Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """The block's parts by name, in these shapes."""
    views, at = {}, 0
    for name, shape in shapes.items():
        views[name] = block[at : at + math.prod(shape)].reshape(shape)
        at += _room_for(shape)
    return views
