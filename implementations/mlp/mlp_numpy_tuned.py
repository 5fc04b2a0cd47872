"""The multilayer perceptron in NumPy, tuned: the plain page without temporaries, and with as few passes as NumPy allows.

What costs beside the matrix products is going over memory, so every array is allocated once and written in place, vectors
of a layer's width are computed first and joined, and the optimizer goes over one contiguous block of all parameters in
pieces that stay in the cache. Shape letters: B batch, D features, H hidden width, C classes; weights are (in, out).
"""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from implementations.contract import Arrays
from implementations.mlp.spec import MLPSpec

Array = np.ndarray

# --- dense ---


def dense(x: Array, weight: Array, bias: Array | None, z: Array) -> None:
    """z = x W + b: x (B, D), W (D, H), b (H,); written into z (B, H)."""
    np.matmul(x, weight, out=z)
    if bias is not None:
        z += bias


# --- batch_norm ---


def batch_norm(z: Array, norm: "Norm", gamma: Array, beta: Array, epsilon: float, n: Array) -> None:
    """Normalise over the batch (Ioffe & Szegedy 2015, Algorithm 1): n = gamma z_hat + beta; z becomes z - mean."""
    np.matmul(norm.per_sample, z, out=norm.mean)
    z -= norm.mean
    np.einsum("bh,bh->h", z, z, out=norm.variance)
    norm.variance *= 1 / len(z)
    np.add(norm.variance, epsilon, out=norm.std)
    np.sqrt(norm.std, out=norm.std)
    np.divide(gamma, norm.std, out=norm.scale)
    np.multiply(z, norm.scale, out=n)
    n += beta


def batch_norm_running(z: Array, norm: "Norm", gamma: Array, beta: Array, running: Array, epsilon: float) -> None:
    """Normalise with the running mean and variance (2, H), for prediction (Algorithm 2); in place."""
    np.add(running[1], epsilon, out=norm.std)
    np.sqrt(norm.std, out=norm.std)
    np.divide(gamma, norm.std, out=norm.scale)
    z -= running[0]
    z *= norm.scale
    z += beta


# --- relu ---


def relu(n: Array, passes: Array) -> None:
    """Which units pass: max(n, 0) = n * passes. Comparing is cheap, and the multiplication is dropout's."""
    np.greater(n, 0, out=passes)


# --- dropout ---


def draw(rng: np.random.Generator, drawn: "Drawn", rate: float) -> None:
    """Which units are kept, each with probability 1 - rate.

    Drawing costs more than the arithmetic, so each number of 53 random bits serves two units: the one by its size, the
    other by its last 32 bits, which say nothing of its size.
    """
    rng.random(out=drawn.numbers)
    np.greater_equal(drawn.numbers, rate, out=drawn.by_size)
    np.greater_equal(drawn.last_bits, int(rate * 2**32), out=drawn.by_last_bits)


class Drawn:
    """Numbers for the masks of all layers, and by layer which units (B, H) they keep.

    `memory` holds the numbers, 4 bytes for a unit, until it is known which units these keep.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], memory: Array) -> None:
        sizes = [math.prod(shape) for shape in shapes]
        self.numbers = memory.view(np.float64)[: -(-sum(sizes) // 2)]
        half, last = len(self.numbers), 0 if sys.byteorder == "little" else 1
        kept = np.empty(sum(sizes), bool)
        self.by_size, self.by_last_bits = kept[:half], kept[half:]
        self.last_bits = self.numbers.view(np.uint32)[last : 2 * len(self.by_last_bits) : 2]
        parts = np.split(kept, np.cumsum(sizes)[:-1])
        self.kept = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def dropout(n: Array, passes: Array, scale: Any, mask: Array) -> None:
    """ReLU and dropout at once, in place: n times the mask, which is 0 or `scale`, 1/(1-rate) (Srivastava et al. 2014)."""
    np.multiply(passes, scale, out=mask)
    n *= mask


# --- output ---


def output(h: Array, weight: Array, bias: Array, logits: Array) -> None:
    """logits = h W + b: h (B, H), W (H, C), b (C,); written into logits (B, C)."""
    dense(h, weight, bias, logits)


# --- loss ---


def cross_entropy(logits: Array, y: Array, room: "Room") -> Any:
    """The mean loss; `logits` becomes exp(logits - the row's largest), its row sums are in `room.total`."""
    np.maximum.reduce(logits, axis=1, out=room.total)
    logits -= room.total[:, None]
    np.add(room.rows, y, out=room.chosen)
    room.flat.take(room.chosen, out=room.picked, mode="clip")  # "raise" would write by way of a copy
    np.exp(logits, out=logits)
    np.add.reduce(logits, axis=1, out=room.total)
    np.log(room.total, out=room.losses)
    room.losses -= room.picked
    return room.per_sample @ room.losses


# --- backward ---


def cross_entropy_backward(exponentials: Array, room: "Room") -> Array:
    """dlogits = (P - onehot(y)) / B, in place."""
    batch = len(exponentials)
    room.total *= batch
    exponentials /= room.total[:, None]
    room.flat.take(room.chosen, out=room.picked, mode="clip")
    room.picked -= 1 / batch
    room.flat[room.chosen] = room.picked
    return exponentials


def dense_backward(dz: Array, x: Array, weight: Array, dweight: Array, dx: Array | None) -> None:
    """dW = x^T dz, then dx = dz W^T, each written where it belongs; no dx where nobody asks for it. dx may be x's memory."""
    np.matmul(x.T, dz, out=dweight)
    if dx is not None:
        np.matmul(dz, weight.T, out=dx)


def dropout_and_relu_backward(dh: Array, mask: Array) -> None:
    """dn = dh * mask, in place: what did not pass gets no gradient, the rest the same scale as on the way forward."""
    dh *= mask


def batch_norm_backward(dn: Array, z: Array, norm: "Norm", dgamma: Array, dbeta: Array) -> None:
    """dz = gamma/std (dn - mean(dn) - z mean(dn z) / std^2) (Ioffe & Szegedy 2015, section 3), in place of dn.

    z is still z - mean, and is used up. dgamma = sum(dn z) / std, dbeta = sum(dn).
    """
    np.matmul(norm.per_sample, dn, out=norm.vector)
    np.multiply(norm.vector, len(dn), out=dbeta)
    np.einsum("bh,bh->h", dn, z, out=dgamma)
    dgamma /= norm.std
    norm.std *= len(dn)
    np.divide(dgamma, norm.std, out=norm.std)
    z *= norm.std
    dn -= z
    dn -= norm.vector
    dn *= norm.scale


# --- update ---

PIECE = 2**18
"""Numbers of each array that the optimizer works on at a time: a few pieces fit into the last cache, and few calls do."""


def sgd(w: Array, g: Array, velocity: Array | None, settings: Any) -> None:
    """v = mu v + g; w -= lr v, in place (Sutskever et al. 2013); g holds lr v in the end."""
    if velocity is not None:
        velocity *= settings.momentum
        velocity += g
    w -= np.multiply(g if velocity is None else velocity, settings.learning_rate, out=g)


def adam(w: Array, g: Array, m: Array, v: Array, scratch: Array, step: int, settings: Any) -> None:
    """Kingma & Ba 2015 in place, with the corrections of both moments in one rate and in epsilon (their section 2)."""
    beta1, beta2 = settings.beta1, settings.beta2
    correction1, correction2 = 1 - beta1**step, math.sqrt(1 - beta2**step)
    epsilon = settings.epsilon * (correction2 if settings.epsilon_form == "algorithm1" else 1)
    m *= beta1
    m += np.multiply(g, 1 - beta1, out=scratch)
    v *= beta2
    g *= g
    v += np.multiply(g, 1 - beta2, out=g)
    np.sqrt(v, out=g)
    g += epsilon
    np.divide(m, g, out=g)
    w -= np.multiply(g, settings.learning_rate * correction2 / correction1, out=g)


# --- the model ---


class Norm:
    """The vectors (H,) of one batch norm at work; mean and variance are columns of the room's statistics."""

    def __init__(self, per_sample: Array, statistics: Array) -> None:
        self.per_sample = per_sample
        self.mean, self.variance = statistics
        self.std, self.scale, self.vector = np.empty((3, len(self.mean)), statistics.dtype)


class Layer:
    """What a hidden layer works in at one batch size: z, h (on the way back dh) and mask (B, H), and which units pass."""

    def __init__(self, mask: Array, norm: Norm) -> None:
        self.norm, self.mask = norm, mask
        self.z, self.h = (np.empty_like(mask) for _ in range(2))
        self.passes = np.empty(mask.shape, bool)


class Room:
    """All that is worked in at one batch size; NumPy touches none of it before it is needed."""

    def __init__(self, spec: MLPSpec, batch: int, dtype: np.dtype) -> None:
        self.per_sample = np.full(batch, 1 / batch, dtype)
        """A product with it is the mean over the batch."""

        self.statistics, self.new = np.empty((2, 2, sum(spec.hidden)), dtype)
        columns = _columns(self.statistics, spec)
        units = batch * sum(spec.hidden)
        memory = np.empty(units + units % 2, dtype)
        masks = _views(memory, {str(i): (batch, width) for i, width in enumerate(spec.hidden)})
        self.layers = [
            Layer(mask, Norm(self.per_sample, own)) for mask, own in zip(masks.values(), columns, strict=True)
        ]
        self.drawn = Drawn([mask.shape for mask in spec.masks(batch).values()], memory) if spec.masks(batch) else None
        self.logits = np.empty((batch, spec.classes), dtype)
        self.flat = self.logits.reshape(-1)
        self.total, self.picked, self.losses = (np.empty(batch, dtype) for _ in range(3))
        self.rows, self.chosen = np.arange(batch) * spec.classes, np.empty(batch, np.intp)


class TunedMLP:
    """The contract's model (`implementations.contract.Model`) out of the functions above."""

    compiled, layout = "no", "(in, out)"
    random_bits, step_memory = "53 for half of the units, 32 of these for the others", "one set for every batch size"

    def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
        self.spec, self.dtype = spec, np.dtype(spec.dtype)
        self.scale = self.dtype.type(1 / (1 - spec.dropout))
        self.rng = np.random.default_rng(spec.seed)
        self.step = 0
        self.rooms: dict[int, Room] = {}
        self._allocate()

    def _allocate(self) -> None:
        """One block per kind of parameter-like array, those that decay first; views by name."""
        tensors = self.spec.tensors()
        shapes = {name: tensor.shape for name, tensor in tensors.items() if tensor.role == "parameter"}
        shapes = dict(sorted(shapes.items(), key=lambda item: not tensors[item[0]].decays))
        size = sum(math.prod(shape) for shape in shapes.values())
        slots = self.spec.optimizer.slots
        self.blocks = {kind: np.zeros(size, self.dtype) for kind in ("", "gradient", *slots)}
        self.running = np.zeros((2, sum(self.spec.hidden)), self.dtype)
        self.scratch = np.empty(PIECE, self.dtype)
        views = {kind: _views(block, shapes) for kind, block in self.blocks.items()}
        self.w, self.gradients = views[""], views["gradient"]
        columns = _columns(self.running, self.spec)
        names = "dense{}.weight", "dense{}.bias", "norm{}.gamma", "norm{}.beta"
        self.of_layer: list[tuple[Any, ...]] = [
            (*(self.w.get(name.format(i)) for name in names), running) for i, running in enumerate(columns, start=1)
        ]
        self.decaying = self.blocks[""][: sum(view.size for name, view in self.w.items() if tensors[name].decays)]
        self.named = self.w | {f"{slot}:{name}": view for slot in slots for name, view in views[slot].items()}
        if self.spec.batch_norm:
            for i, (mean, variance) in enumerate(columns, start=1):
                self.named |= {f"norm{i}.running_mean": mean, f"norm{i}.running_variance": variance}
        self.pieces = [[b[at : at + PIECE] for b in self.blocks.values()] for at in range(0, size, PIECE)]

    def train_step(self, batch: Mapping[str, Array]) -> Any:
        """One step of training on x (B, D), y (B,); returns the loss."""
        x, y = batch["x"], batch["y"]
        room = self._room(len(x))
        self.forward(x, room)
        loss = cross_entropy(room.logits, y, room)
        self.backward(x, room)
        self.update()
        return loss

    def forward(self, x: Array, room: Room) -> None:
        """Logits of a training step into the room. Moves the running statistics."""
        h, w, spec, drawn = x, self.w, self.spec, room.drawn
        if drawn:
            draw(self.rng, drawn, spec.dropout)
        for i, layer in enumerate(room.layers, start=1):
            n = layer.h
            if spec.batch_norm:
                dense(h, w[f"dense{i}.weight"], None, layer.z)
                batch_norm(layer.z, layer.norm, w[f"norm{i}.gamma"], w[f"norm{i}.beta"], spec.norm_epsilon, n)
            else:
                dense(h, w[f"dense{i}.weight"], w[f"dense{i}.bias"], n)
            relu(n, layer.passes)
            if drawn:
                np.logical_and(layer.passes, drawn.kept[i - 1], out=layer.passes)
            dropout(n, layer.passes, self.scale, layer.mask)
            h = n
        if spec.batch_norm:
            self._update_statistics(room, len(x))
        output(h, w["output.weight"], w["output.bias"], room.logits)

    def _update_statistics(self, room: Room, batch: int) -> None:
        """running = momentum * running + (1 - momentum) * new, with the unbiased variance (Algorithm 2)."""
        if self.spec.running_variance == "unbiased":
            room.statistics[1] *= batch / (batch - 1)
        self.running *= self.spec.norm_momentum
        self.running += np.multiply(room.statistics, 1 - self.spec.norm_momentum, out=room.new)

    def backward(self, x: Array, room: Room) -> None:
        """Gradients of the loss into their block, from the last layer to the first."""
        w, g, spec = self.w, self.gradients, self.spec
        dz = cross_entropy_backward(room.logits, room)
        np.add.reduce(dz, axis=0, out=g["output.bias"])
        name = "output.weight"
        for i in range(len(room.layers), 0, -1):
            layer = room.layers[i - 1]
            dense_backward(dz, layer.h, w[name], g[name], layer.h)
            name, dz = f"dense{i}.weight", layer.h
            dropout_and_relu_backward(dz, layer.mask)
            if spec.batch_norm:
                batch_norm_backward(dz, layer.z, layer.norm, g[f"norm{i}.gamma"], g[f"norm{i}.beta"])
            else:
                np.add.reduce(dz, axis=0, out=g[f"dense{i}.bias"])
        dense_backward(dz, x, w[name], g[name], None)

    def update(self) -> None:
        """One step of the optimizer on every parameter, piece by piece."""
        optimizer = self.spec.optimizer
        self.step += 1
        if optimizer.kind == "adamw":
            self.decaying *= 1 - optimizer.learning_rate * optimizer.weight_decay
        for w, g, *slots in self.pieces:
            if optimizer.kind == "sgd":
                sgd(w, g, slots[0] if slots else None, optimizer)
            else:
                m, v = slots
                adam(w, g, m, v, self.scratch[: len(w)], self.step, optimizer)

    def predict(self, batch: Mapping[str, Array]) -> Array:
        """Logits (B, C) with running statistics and without dropout."""
        x = batch["x"]
        h, epsilon = x, self.spec.norm_epsilon
        for layer, (weight, bias, gamma, beta, running) in zip(self._room(len(x)).layers, self.of_layer, strict=True):
            dense(h, weight, bias, layer.h)
            h = layer.h
            if gamma is not None:
                batch_norm_running(h, layer.norm, gamma, beta, running, epsilon)
            np.maximum(h, 0, out=h)
        logits = np.empty((len(x), self.spec.classes), self.dtype)  # it is the caller's
        output(h, self.w["output.weight"], self.w["output.bias"], logits)
        return logits

    def _room(self, batch: int) -> Room:
        """The room for a batch size; of two sizes at most, that of training and that of prediction."""
        if batch not in self.rooms:
            if len(self.rooms) == 2:
                del self.rooms[next(iter(self.rooms))]
            self.rooms[batch] = Room(self.spec, batch, self.dtype)
        return self.rooms[batch]

    def state(self) -> Arrays:
        """Copies of all arrays under the specification's names."""
        state = {name: view.copy() for name, view in self.named.items()}
        return state | ({"step": np.asarray(float(self.step))} if self.spec.optimizer.kind != "sgd" else {})

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Take over copies of the named arrays, in this model's number type."""
        for name, view in self.named.items():
            view[...] = state[name]
        self.step = int(state.get("step", 0))

    def random_state(self) -> Any:
        """The mask generator's state."""
        return self.rng.bit_generator.state

    def set_random_state(self, random_state: Any) -> None:
        """Rewind the mask generator."""
        self.rng.bit_generator.state = random_state

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step, drawn from the generator as that step would."""
        shapes = {name: mask.shape for name, mask in self.spec.masks(batch).items()}
        if not shapes:
            return {}
        drawn = Drawn(list(shapes.values()), np.empty(-(-sum(map(math.prod, shapes.values())) // 2)))
        draw(self.rng, drawn, self.spec.dropout)
        return {name: kept * self.scale for name, kept in zip(shapes, drawn.kept, strict=True)}

    def choices(self, batch: Mapping[str, Array]) -> Arrays:
        """Which units (B, H) pass ReLU and dropout in a training step on x, by the oracle's names; the state stays."""
        x = batch["x"]
        room, running = self._room(len(x)), self.running.copy()
        self.forward(x, room)
        self.running[...] = running
        return {f"relu{i}": layer.passes.copy() for i, layer in enumerate(room.layers, start=1)}


def _columns(rows: Array, spec: MLPSpec) -> list[Array]:
    """The part (2, H) of each hidden layer."""
    return np.split(rows, np.cumsum(spec.hidden)[:-1], axis=1) if spec.hidden else []


def _views(block: Array, shapes: Mapping[str, tuple[int, ...]]) -> Arrays:
    """The block's parts by name, in these shapes."""
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    return {
        name: block[end - math.prod(shape) : end].reshape(shape)
        for (name, shape), end in zip(shapes.items(), ends, strict=True)
    }
