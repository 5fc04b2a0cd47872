"""Seeded arrays, made from what a specification says of each: first states, states in the middle of training, batches.

Drawn once, here, with NumPy, and loaded into every implementation. All values are exactly representable in float32
(and kept in float64), so that a float32 and a float64 run begin at the same point. Nothing here computes a network.
"""

import zlib

import numpy as np

from implementations.contract import Arrays, Batch, Spec
from implementations.declarations import BatchArray, Tensor


def initial_state(spec: Spec) -> Arrays:
    """Where training starts."""
    return {name: as_float32(_initial(spec, name, tensor)) for name, tensor in spec.tensors().items()}


def _initial(spec: Spec, name: str, tensor: Tensor) -> np.ndarray:
    if tensor.initial == "normal":
        return _generator(spec.seed, name).normal(0.0, tensor.deviation, tensor.shape)
    value = np.full(tensor.shape, float(tensor.initial == "ones"))
    if tensor.ones:
        value[..., tensor.ones] = 1
    return value


def hot_state(spec: Spec, seed: int = 1) -> Arrays:
    """A state in the middle of training: nothing is 0 or 1, the step counter is 7.

    A proof that starts at the initial state cannot see a wrong momentum, decay or running statistic.
    """
    return {name: as_float32(_hot(spec, seed, name, tensor)) for name, tensor in spec.tensors().items()}


def _hot(spec: Spec, seed: int, name: str, tensor: Tensor) -> np.ndarray:
    rng = _generator(spec.seed + seed, name)
    if tensor.role == "counter":
        return np.asarray(7.0)
    if tensor.role == "slot":
        moments = 1e-2 * rng.normal(size=tensor.shape)
        return moments**2 + 1e-6 if tensor.positive else moments
    if tensor.positive and tensor.initial == "zeros":
        return rng.uniform(0.5, 1.5, tensor.shape)
    if tensor.initial == "normal":
        return rng.normal(0.0, tensor.deviation, tensor.shape)
    if tensor.initial == "ones":
        value = rng.uniform(0.5, 1.5, tensor.shape)
        signs = rng.choice([-1.0, 1.0], tensor.shape)  # training may turn a parameter round
        return value * signs if tensor.role == "parameter" else value
    return 0.2 * rng.normal(size=tensor.shape)


def zeroed_slots(spec: Spec, state: Arrays) -> Arrays:
    """The same state before its first update: after one step the slots are the gradients."""
    fresh = {name for name, tensor in spec.tensors().items() if tensor.role in ("slot", "counter")}
    return {name: np.zeros_like(value) if name in fresh else value for name, value in state.items()}


def batches(spec: Spec, count: int, seed: int = 2) -> list[Arrays]:
    """`count` synthetic batches: real numbers are standard normal, whole ones uniform over their range; of ten that may go in one does not."""
    rng = _generator(spec.seed + seed, "batches")
    arrays = spec.arrays().items()

    def drawn(array: BatchArray) -> np.ndarray:
        if not array.below:
            return as_float32(rng.normal(size=array.shape))
        numbers = rng.integers(0, array.below, array.shape)
        return numbers - (numbers % 10 == 3) if array.role == "input" else numbers

    return [{name: drawn(array) for name, array in arrays} for _ in range(count)]


def stored(spec: Spec, batch: Batch) -> Arrays:
    """The batch with real numbers in the specification's number type; whole numbers stay."""
    declared = spec.arrays()
    return {name: v if declared[name].below else v.astype(spec.dtype, copy=False) for name, v in batch.items()}


def _generator(seed: int, name: str) -> np.random.Generator:
    """One stream per tensor, so that adding a layer does not redraw the others."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def as_float32(value: np.ndarray) -> np.ndarray:
    """Rounded to float32's grid, kept as float64."""
    return np.asarray(value, dtype=np.float32).astype(np.float64)


def scaled(state: Arrays, factor: float, *names: str) -> Arrays:
    """The same state, those of these tensors that it has times a factor."""
    return state | {name: state[name] * factor for name in names if name in state}


def with_silence(sequences: np.ndarray) -> np.ndarray:
    """The same (B, T, D), with zeros in the middle and at the end, and nothing else in the first."""
    sequences = sequences.copy()
    sequences[:, sequences.shape[1] // 2] = sequences[:, -1] = sequences[0] = 0
    return sequences
