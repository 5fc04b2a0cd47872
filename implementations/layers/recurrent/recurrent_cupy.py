"""A recurrent layer in CuPy: the loop over time, forwards and back. What happens at one step, a cell says (`lstm_cupy`, ...)."""

from types import ModuleType
from typing import Any, TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray
Cache = Any

# --- forward ---


def forward(
    cell: ModuleType, x: Array, weight: Array, recurrent_weight: Array, bias: Array, recurrent_bias: Array | None = None
) -> tuple[Array, Cache]:
    """States h (B, T, H) after every step of x (B, T, D), and what the way back needs. What is remembered begins with zeros.

    weight W (D, G H), recurrent_weight U (H, G H), bias b and, in a GRU, recurrent_bias d (G H,): a block of H columns for each of
    the cell's G gates. x W + b needs no memory, and is one product for all steps; h U + d is one product after the other.
    """
    (batch, length), width = x.shape[:2], len(recurrent_weight)
    xw = (x.reshape(batch * length, -1) @ weight + bias).reshape(batch, length, -1)
    memory = (cp.zeros_like(xw[:, 0, :width]),) * cell.MEMORIES
    states, before, caches = [], [], []
    for t in range(length):
        before.append(memory[0])
        hu = memory[0] @ recurrent_weight
        memory, cache = cell.step(xw[:, t], hu if recurrent_bias is None else hu + recurrent_bias, memory)
        states.append(memory[0])
        caches.append(cache)
    return cp.stack(states, axis=1), (x, cp.stack(before, axis=1), caches)


# --- backward ---


def backward(
    cell: ModuleType, dstates: Array, weight: Array, recurrent_weight: Array, cache: Cache
) -> tuple[Array, ...]:
    """Gradients of x, W, U, b and d, from dstates (B, T, H), those of the states as what reads them has them.

    Backpropagation through time (Werbos 1990): from the last step to the first, the gradient of a state is what its readers say and what
    comes back from the step after it. W, U, b and d were the same at all steps: their gradients add up.
    """
    x, before, caches = cache
    dmemory: tuple[Any, ...] = (cp.zeros_like(dstates[:, 0]),) * cell.MEMORIES
    of_xw, of_hu = [], []
    for t in reversed(range(len(caches))):
        dxw_t, dhu_t, dmemory = cell.step_backward((dmemory[0] + dstates[:, t], *dmemory[1:]), caches[t])
        dmemory = (dmemory[0] + dhu_t @ recurrent_weight.T, *dmemory[1:])
        of_xw.append(dxw_t)
        of_hu.append(dhu_t)
    dxw, dhu = (_rows(cp.stack(steps[::-1], axis=1)) for steps in (of_xw, of_hu))
    dx = (dxw @ weight.T).reshape(x.shape)
    return dx, _rows(x).T @ dxw, _rows(before).T @ dhu, dxw.sum(axis=0), dhu.sum(axis=0)


def _rows(sequences: Array) -> Array:
    """(B, T, N) -> (B T, N)."""
    return sequences.reshape(-1, sequences.shape[-1])


# --- last state ---


def last(states: Array) -> Array:
    """The state after the last step (B, H), of states (B, T, H)."""
    return states[:, -1]


def backward_from_last(dh: Array, length: int) -> Array:
    """Gradients (B, T, H) of all states where only the last one is read: zeros, and dh (B, H) behind them."""
    dstates = cp.zeros_like(dh, shape=(len(dh), length, dh.shape[-1]))
    dstates[:, -1] = dh
    return dstates


# --- gate ---


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), between 0 and 1: how far a gate is open."""
    return 1 / (1 + cp.exp(-z))
