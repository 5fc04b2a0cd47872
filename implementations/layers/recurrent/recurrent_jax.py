"""A recurrent layer in JAX: `lax.scan` makes one loop of the compiled program, and its way back."""

from types import ModuleType

import jax.numpy as jnp
from jax import Array, lax

# --- forward ---


def forward(
    cell: ModuleType, x: Array, weight: Array, recurrent_weight: Array, bias: Array, recurrent_bias: Array | None = None
) -> Array:
    """States h (B, T, H) after every step of x (B, T, D). What is remembered begins with zeros.

    weight W (D, G H), recurrent_weight U (H, G H), bias b and, in a GRU, recurrent_bias d (G H,): a block of H columns for each of
    the cell's G gates. x W + b needs no memory, and is one product for all steps; h U + d is one product after the other.
    """
    xw = x @ weight + bias

    def step(memory: tuple[Array, ...], xw_t: Array) -> tuple[tuple[Array, ...], Array]:
        hu = memory[0] @ recurrent_weight
        memory = cell.step(xw_t, hu if recurrent_bias is None else hu + recurrent_bias, memory)
        return memory, memory[0]

    zeros = jnp.zeros((len(x), len(recurrent_weight)), xw.dtype)
    _, states = lax.scan(step, (zeros,) * cell.MEMORIES, xw.swapaxes(0, 1))
    return states.swapaxes(0, 1)


# --- backward ---

# JAX goes back by itself, through the loop too: from the last step to the first, and the gradients of the weights add up.

# --- last state ---


def last(states: Array) -> Array:
    """The state after the last step (B, H), of states (B, T, H)."""
    return states[:, -1]
