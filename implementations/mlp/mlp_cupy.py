"""The multilayer perceptron in CuPy, from scratch: the NumPy page, on the GPU.

CuPy has NumPy's functions with arrays in the GPU's memory. Every operation only starts a kernel and returns at once;
nothing here waits for the device. Shape letters: B batch, D features, H hidden width, C classes; weights are (in, out).
"""

import math
from collections.abc import Mapping
from typing import Any

import cupy as cp
import numpy as np

from implementations.contract import Arrays
from implementations.mlp.spec import MLPSpec

Array = Any  # cupy.ndarray: CuPy ships no type stubs

# --- dense ---


def dense(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """z = x W + b: x (B, D), W (D, H), b (H,) -> z (B, H)."""
    z = x @ weight
    return z if bias is None else z + bias


# --- batch_norm ---


def batch_norm(z: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, Array, Array, Array, Array]:
    """Normalise over the batch (Ioffe & Szegedy 2015, Algorithm 1): z (B, H) -> n (B, H).

    Also returns z_hat and 1/std for the way back, and the batch's mean and biased variance.
    """
    mean = z.mean(axis=0)
    z_hat = z - mean
    variance = (z_hat * z_hat).mean(axis=0)
    inv_std = 1 / cp.sqrt(variance + epsilon)
    z_hat *= inv_std
    n = gamma * z_hat
    n += beta
    return n, z_hat, inv_std, mean, variance


def batch_norm_running(z: Array, gamma: Array, beta: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """Normalise with the running statistics, for prediction (Algorithm 2)."""
    return gamma * ((z - mean) / cp.sqrt(variance + epsilon)) + beta


# --- relu ---


def relu(n: Array) -> Array:
    """a = max(n, 0)."""
    return cp.maximum(n, 0)


# --- dropout ---


def dropout_mask(rng: Any, shape: tuple[int, ...], rate: float, dtype: Any) -> Array:
    """0 with probability `rate`, else 1/(1-rate): inverted dropout (Srivastava et al. 2014), drawn on the GPU."""
    mask = (rng.random(shape, dtype=cp.float32) >= rate).astype(dtype)
    mask *= 1 / (1 - rate)
    return mask


def dropout(a: Array, mask: Array) -> Array:
    """h = a * m, in place."""
    a *= mask
    return a


# --- output ---


def output(h: Array, weight: Array, bias: Array) -> Array:
    """logits = h W + b: h (B, H), W (H, C), b (C,) -> logits (B, C)."""
    return dense(h, weight, bias)


# --- loss ---


def cross_entropy(logits: Array, y: Array) -> tuple[Array, Array]:
    """Per-sample losses (B,) and log-probabilities (B, C); the largest logit is subtracted, so nothing overflows."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - cp.log(cp.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[cp.arange(len(y)), y], log_p


# --- backward ---


def cross_entropy_backward(log_p: Array, y: Array) -> Array:
    """dlogits = (P - onehot(y)) / B: the gradient of the mean loss."""
    dlogits = cp.exp(log_p)
    dlogits[cp.arange(len(y)), y] -= 1
    return dlogits / len(y)


def dense_backward(dz: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """dx = dz W^T, dW = x^T dz, db = sum over the batch of dz."""
    return dz @ weight.T, x.T @ dz, dz.sum(axis=0)


def dropout_backward(dh: Array, mask: Array) -> Array:
    """da = dh * m, in place: what was dropped gets no gradient, the rest the same scale as on the way forward."""
    dh *= mask
    return dh


def relu_backward(da: Array, a: Array) -> Array:
    """dn = da where the unit was active, else 0; in place."""
    da *= a > 0
    return da


def batch_norm_backward(dn: Array, z_hat: Array, gamma: Array, inv_std: Array) -> tuple[Array, Array, Array]:
    """dz = gamma/std (dn - mean(dn) - z_hat mean(dn z_hat)) (B, H), dgamma, dbeta (H,) (Ioffe & Szegedy 2015, section 3).

    The two means are what each sample contributed to the batch's mean and variance. Computed in place: dz is dn's
    memory, and z_hat is used up.
    """
    dbeta = dn.sum(axis=0)
    dgamma = (dn * z_hat).sum(axis=0)
    z_hat *= dgamma / len(dn)
    dz = dn
    dz -= z_hat
    dz -= dbeta / len(dn)
    dz *= gamma * inv_std
    return dz, dgamma, dbeta


# --- update ---


def sgd(w: Array, g: Array, velocity: Array | None, settings: Any) -> None:
    """v = mu v + g; w -= lr v, in place (Sutskever et al. 2013). Without momentum there is no velocity to keep.

    The gradient's memory holds lr v in the end: a temporary of a weight's size costs as much as the arithmetic.
    """
    if velocity is not None:
        velocity *= settings.momentum
        velocity += g
    w -= cp.multiply(g if velocity is None else velocity, settings.learning_rate, out=g)


def adam(w: Array, g: Array, m: Array, v: Array, step: int, settings: Any) -> None:
    """Kingma & Ba 2015, Algorithm 1, in place; the form "hat" is the one before their section 2.1."""
    beta1, beta2 = settings.beta1, settings.beta2
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * (g * g)
    correction1, correction2 = 1 - beta1**step, 1 - beta2**step
    if settings.epsilon_form == "algorithm1":
        w -= settings.learning_rate * (m / correction1) / (cp.sqrt(v / correction2) + settings.epsilon)
    else:
        rate = settings.learning_rate * math.sqrt(correction2) / correction1
        w -= rate * m / (cp.sqrt(v) + settings.epsilon)


# --- the model ---


class MLP:
    """The contract's model (`implementations.contract.Model`) out of the functions above."""

    compiled = "no"
    layout = "(in, out)"

    def __init__(self, spec: MLPSpec, device: str = "cuda:0") -> None:
        cp.cuda.Device(int(device.partition(":")[2] or 0)).use()
        self.spec = spec
        self.dtype = np.dtype(spec.dtype)
        self.bits = cp.random.Philox4x3210(spec.seed)
        self.rng = cp.random.Generator(self.bits)
        self.w: dict[str, Array] = {}
        self.step = 0

    def train_step(self, x: Array, y: Array) -> Any:
        """One step of training on x (B, D), y (B,); returns the loss."""
        logits, cache = self.forward(x)
        losses, log_p = cross_entropy(logits, y)
        gradients = self.backward(cross_entropy_backward(log_p, y), cache)
        self.update(gradients)
        return losses.mean()

    def forward(self, x: Array) -> tuple[Array, list[Any]]:
        """Logits of a training step, and what the way back needs of every layer. Moves the running statistics."""
        w, h = self.w, x
        cache: list[Any] = []
        for i in range(1, len(self.spec.hidden) + 1):
            inputs = h
            h = dense(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"))
            z_hat = inv_std = mask = None
            if self.spec.batch_norm:
                h, z_hat, inv_std, mean, variance = batch_norm(
                    h, w[f"norm{i}.gamma"], w[f"norm{i}.beta"], self.spec.norm_epsilon
                )
                self._update_statistics(i, mean, variance, len(x))
            h = active = relu(h)
            if self.spec.dropout:
                mask = self.mask(i, h.shape)
                h = dropout(h, mask)  # in place, `active` too: what dropout silenced gets no gradient anyway
            cache.append((inputs, z_hat, inv_std, active, mask))
        cache.append(h)
        return output(h, w["output.weight"], w["output.bias"]), cache

    def mask(self, i: int, shape: tuple[int, ...]) -> Array:
        """The dropout mask of hidden layer i, drawn as the step needs it."""
        return dropout_mask(self.rng, shape, self.spec.dropout, self.dtype)

    def _update_statistics(self, i: int, mean: Array, variance: Array, batch: int) -> None:
        """running = momentum * running + (1 - momentum) * new, with the unbiased variance (Algorithm 2)."""
        if self.spec.running_variance == "unbiased":
            variance = variance * (batch / (batch - 1))
        for name, new in ((f"norm{i}.running_mean", mean), (f"norm{i}.running_variance", variance)):
            self.w[name] *= self.spec.norm_momentum
            self.w[name] += (1 - self.spec.norm_momentum) * new

    def backward(self, dlogits: Array, cache: list[Any]) -> dict[str, Array]:
        """Gradients of the loss by parameter name, from the last layer to the first."""
        gradients: dict[str, Array] = {}
        dh, gradients["output.weight"], gradients["output.bias"] = dense_backward(
            dlogits, cache[-1], self.w["output.weight"]
        )
        for i in range(len(self.spec.hidden), 0, -1):
            inputs, z_hat, inv_std, active, mask = cache[i - 1]
            if mask is not None:
                dh = dropout_backward(dh, mask)
            dh = relu_backward(dh, active)
            if self.spec.batch_norm:
                dh, gradients[f"norm{i}.gamma"], gradients[f"norm{i}.beta"] = batch_norm_backward(
                    dh, z_hat, self.w[f"norm{i}.gamma"], inv_std
                )
            else:
                gradients[f"dense{i}.bias"] = dh.sum(axis=0)
            gradients[f"dense{i}.weight"] = inputs.T @ dh
            if i > 1:  # nobody asks for the gradient of the input
                dh = dh @ self.w[f"dense{i}.weight"].T
        return gradients

    def update(self, gradients: dict[str, Array]) -> None:
        """One step of the optimizer on every parameter."""
        optimizer = self.spec.optimizer
        self.step += 1
        for name, g in gradients.items():
            w = self.w[name]
            if optimizer.kind == "sgd":
                sgd(w, g, self.w.get(f"velocity:{name}"), optimizer)
                continue
            if optimizer.kind == "adamw" and name.endswith(".weight"):
                w *= 1 - optimizer.learning_rate * optimizer.weight_decay
            adam(w, g, self.w[f"m:{name}"], self.w[f"v:{name}"], self.step, optimizer)

    def predict(self, x: Array) -> Array:
        """Logits (B, C) with running statistics and without dropout."""
        w, h = self.w, x
        for i in range(1, len(self.spec.hidden) + 1):
            h = dense(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"))
            if self.spec.batch_norm:
                h = batch_norm_running(
                    h,
                    w[f"norm{i}.gamma"],
                    w[f"norm{i}.beta"],
                    w[f"norm{i}.running_mean"],
                    w[f"norm{i}.running_variance"],
                    self.spec.norm_epsilon,
                )
            h = relu(h)
        return output(h, w["output.weight"], w["output.bias"])

    def state(self) -> Arrays:
        """Copies of all arrays, on the host, under the specification's names."""
        state = {name: cp.asnumpy(value) for name, value in self.w.items()}
        if self.spec.optimizer.kind != "sgd":
            state["step"] = np.asarray(float(self.step))
        return state

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays, in this model's number type."""
        self.w = {name: cp.array(value, dtype=self.dtype) for name, value in state.items() if name != "step"}
        self.step = int(state.get("step", 0))

    def random_state(self) -> Any:
        """A copy of the mask generator's state, which lives on the GPU (CuPy has no public way to copy it)."""
        return self.bits._state.copy()

    def set_random_state(self, random_state: Any) -> None:
        """Rewind the mask generator."""
        self.bits._state[...] = random_state

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step, drawn from the generator as that step would."""
        shapes = self.spec.masks(batch)
        return {name: cp.asnumpy(self.mask(i, shape)) for i, (name, shape) in enumerate(shapes.items(), start=1)}

    def active_units(self, x: Array) -> Arrays:
        """Which units (B, H) pass ReLU and dropout in a training step on x, by the oracle's names; the state stays."""
        state = self.state()
        _, cache = self.forward(x)
        self.load_state(state)
        return {f"relu{i}": cp.asnumpy(layer[3]) > 0 for i, layer in enumerate(cache[:-1], start=1)}

    def calls_of_steps(self) -> list[tuple[str, Any, str]]:
        """Steps that are methods: (step, object, method)."""
        return [("batch_norm", self, "_update_statistics"), ("backward", self, "backward"), ("update", self, "update")]
