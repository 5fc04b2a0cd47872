"""The multilayer perceptron on SciPy's softmax, for gradient descent with momentum; methods of `contract.Model`.

Written by somebody else, in another way: a layer is an object that knows its way back.
"""

import numpy as np
from scipy.special import log_softmax


class Dense:
    def __init__(self, w, name):
        self.w, self.weight, self.bias = w, f"{name}.weight", f"{name}.bias"

    def forward(self, x, training):
        self.x = x
        z = np.dot(x, self.w[self.weight])
        return z + self.w[self.bias] if self.bias in self.w else z

    def backward(self, dz):
        gradients = {self.weight: np.dot(self.x.T, dz)}
        if self.bias in self.w:
            gradients[self.bias] = np.add.reduce(dz)
        return np.dot(dz, self.w[self.weight].T), gradients


class BatchNorm:
    def __init__(self, w, name, spec):
        self.w, self.name, self.spec = w, name, spec

    def forward(self, z, training):
        gamma, beta, mean, variance = (
            self.w[f"{self.name}.{part}"] for part in ("gamma", "beta", "running_mean", "running_variance")
        )
        if not training:
            return (z - mean) * (gamma / np.sqrt(variance + self.spec.norm_epsilon)) + beta
        new_mean = np.mean(z, axis=0)
        new_variance = np.mean(np.square(z - new_mean), axis=0)
        self.deviation = np.sqrt(new_variance + self.spec.norm_epsilon)
        self.normal = (z - new_mean) / self.deviation
        weight, unbiased = 1 - self.spec.norm_momentum, new_variance * (len(z) / (len(z) - 1))
        mean += weight * (new_mean - mean)
        variance += weight * (unbiased - variance)
        return gamma * self.normal + beta

    def backward(self, dn):
        gamma = self.w[f"{self.name}.gamma"]
        gradients = {f"{self.name}.gamma": np.sum(dn * self.normal, axis=0), f"{self.name}.beta": np.sum(dn, axis=0)}
        dx = dn * gamma
        dz = dx - dx.mean(axis=0) - self.normal * (dx * self.normal).mean(axis=0)
        return dz / self.deviation, gradients


class ReLUDropout:
    def __init__(self, draw):
        self.draw = draw

    def forward(self, n, training):
        self.factor = (n > 0) * self.draw(n.shape) if training else (n > 0)
        return n * self.factor

    def backward(self, dh):
        return dh * self.factor, {}


class MLP:
    def __init__(self, spec, device):
        if spec.optimizer.kind != "sgd" or not spec.optimizer.momentum:
            raise ValueError("optimizer: only gradient descent with momentum is there")
        self.spec, self.dtype = spec, np.dtype(spec.precision)
        self.rng = np.random.Generator(np.random.PCG64DXSM(spec.seed))
        self.w = {}

    def draw(self, shape):
        kept = self.rng.random(shape) >= self.spec.dropout
        return kept.astype(self.dtype) / self.dtype.type(1 - self.spec.dropout)

    def ones(self, shape):
        return np.ones(shape, self.dtype)  # without it they would be float64, and all that they meet

    def layers(self):
        layers = []
        for i in range(1, len(self.spec.hidden) + 1):
            norm = [BatchNorm(self.w, f"norm{i}", self.spec)] if self.spec.batch_norm else []
            layers += [Dense(self.w, f"dense{i}"), *norm, ReLUDropout(self.draw if self.spec.dropout else self.ones)]
        return [*layers, Dense(self.w, "output")]

    def train_step(self, batch):
        layers, logits, y = self.layers(), batch["x"], batch["y"]
        for layer in layers:
            logits = layer.forward(logits, training=True)
        log_p = log_softmax(logits, axis=1)
        upstream = (np.exp(log_p) - np.eye(self.spec.classes, dtype=self.dtype)[y]) / len(y)
        gradients: dict[str, np.ndarray] = {}
        for layer in reversed(layers):
            upstream, of_layer = layer.backward(upstream)
            gradients |= of_layer
        for name, g in gradients.items():
            velocity = self.w[f"velocity:{name}"]
            velocity[...] = self.spec.optimizer.momentum * velocity + g
            self.w[name] -= self.spec.optimizer.learning_rate * velocity
        return -np.mean(log_p[np.arange(len(y)), y])

    def predict(self, batch):
        logits = batch["x"]
        for layer in self.layers():
            logits = layer.forward(logits, training=False)
        return logits

    def state(self):
        return {name: value.copy() for name, value in self.w.items()}

    def load_state(self, state):
        self.w = {name: np.array(value, self.dtype) for name, value in state.items()}

    def random_state(self):
        return self.rng.bit_generator.state

    def set_random_state(self, random_state):
        self.rng.bit_generator.state = random_state

    def draw_masks(self, batch):
        return {name: self.draw(mask.shape) for name, mask in self.spec.masks(batch).items()}
