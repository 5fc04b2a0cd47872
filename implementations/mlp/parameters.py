"""The MLP's seeded arrays: initial and random states, and synthetic batches.

Drawn once, here, with NumPy, and loaded into every implementation. All values are exactly representable in float32
(and kept in float64), so that a float32 and a float64 run begin at the same point. Nothing here computes the network.
"""

import zlib

import numpy as np

from implementations.contract import Arrays
from implementations.mlp.spec import MLPSpec


def initial_state(spec: MLPSpec) -> Arrays:
    """Where training starts: He normal weights N(0, 2/fan_in) (He et al. 2015, eq. 10), gamma 1, all else as usual."""
    state = {}
    for name, tensor in spec.tensors().items():
        if tensor.role == "parameter" and name.endswith(".weight"):
            fan_in = tensor.shape[0]
            value = _generator(spec.seed, name).normal(0.0, np.sqrt(2.0 / fan_in), tensor.shape)
        elif name.endswith((".gamma", ".running_variance")) and tensor.role != "slot":
            value = np.ones(tensor.shape)
        else:
            value = np.zeros(tensor.shape)
        state[name] = _as_float32(value)
    return state


def hot_state(spec: MLPSpec, seed: int = 1) -> Arrays:
    """A state in the middle of training: nothing is 0 or 1, the step counter is 7.

    A proof that starts at the initial state cannot see a wrong momentum, decay or running statistic.
    """
    state = {}
    for name, tensor in spec.tensors().items():
        rng = _generator(spec.seed + seed, name)
        if tensor.role == "counter":
            value = np.asarray(7.0)
        elif name.startswith("v:"):
            value = (1e-2 * rng.normal(size=tensor.shape)) ** 2 + 1e-6
        elif tensor.role == "slot":
            value = 1e-2 * rng.normal(size=tensor.shape)
        elif name.endswith(".weight"):
            value = rng.normal(0.0, np.sqrt(2.0 / tensor.shape[0]), tensor.shape)
        elif name.endswith((".gamma", ".running_variance")):
            value = rng.uniform(0.5, 1.5, tensor.shape)
        else:
            value = 0.2 * rng.normal(size=tensor.shape)
        state[name] = _as_float32(value)
    return state


def zeroed_slots(spec: MLPSpec, state: Arrays) -> Arrays:
    """The same state before its first update: after one step the slots are the gradients."""
    fresh = {name for name, tensor in spec.tensors().items() if tensor.role in ("slot", "counter")}
    return {name: np.zeros_like(value) if name in fresh else value for name, value in state.items()}


def stress(spec: MLPSpec, state: Arrays, x: np.ndarray) -> dict[str, tuple[Arrays, np.ndarray]]:
    """Where careless arithmetic shows: (state, x) by what is extreme in them.

    Logits so large that an exponential overflows and a clipped probability shows; activations beyond any cap; features
    whose mean is 1000 times their deviation, for which E[z^2] - E[z]^2 loses all digits; features, and units, without any
    variance; units that stand at zero, where a ReLU has no slope; very large and very small features, beside which
    epsilon is nothing, or everything. Where many digits are lost, the shift of batch norm holds every unit far from its
    kink: which side it is on must not be left to the digits that are lost.
    """
    decided = {name: 8 * np.sign(value) if _is_shift(name) else value for name, value in state.items()}
    constant = x.copy()
    constant[:, 0] = 1.0
    constant[:, 1:2] = 0.0
    return {
        "large logits": (_scaled(state, 200, "output.weight", "output.bias"), x),
        "large activations": (_scaled(state, 50, "norm1.gamma", "norm1.beta"), x),
        "features far from zero": (decided, _as_float32(x + 1000)),
        "constant features": (state, constant),
        "idle units": (_idle(spec, state), x),
        "large features": (state, x * 2.0**20),
        "small features": (state, x * 2.0**-20),
    }


def _scaled(state: Arrays, factor: float, *names: str) -> Arrays:
    return state | {name: state[name] * factor for name in names if name in state}


def _idle(spec: MLPSpec, state: Arrays) -> Arrays:
    """In every hidden layer the first unit sees nothing, and the last one is exactly zero."""
    idle = {name: value.copy() for name, value in state.items()}
    for i in range(1, len(spec.hidden) + 1):
        idle[f"dense{i}.weight"][:, 0] = 0
        last = (f"norm{i}.gamma", f"norm{i}.beta") if spec.batch_norm else (f"dense{i}.bias",)
        for name in last:
            idle[name][-1] = 0
        if not spec.batch_norm:
            idle[f"dense{i}.weight"][:, -1] = 0
    return idle


def batches(spec: MLPSpec, count: int, seed: int = 2) -> list[tuple[np.ndarray, np.ndarray]]:
    """`count` synthetic batches: x (B, D) standard normal, y (B,) integers in [0, C)."""
    rng = _generator(spec.seed + seed, "batches")
    return [
        (
            _as_float32(rng.normal(size=(spec.batch, spec.features))),
            rng.integers(0, spec.classes, size=spec.batch),
        )
        for _ in range(count)
    ]


def _is_shift(name: str) -> bool:
    return name.startswith("norm") and name.endswith(".beta")


def _generator(seed: int, name: str) -> np.random.Generator:
    """One stream per tensor, so that adding a layer does not redraw the others."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _as_float32(value: np.ndarray) -> np.ndarray:
    """Rounded to float32's grid, kept as float64."""
    return np.asarray(value, dtype=np.float32).astype(np.float64)
