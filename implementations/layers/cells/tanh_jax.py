"""One step of the simple recurrent layer in JAX (Elman 1990)."""

import jax.numpy as jnp
from jax import Array

MEMORIES = 1
"""What one step hands to the next: the state h."""

# --- forward ---


def step(xw: Array, hu: Array, memory: tuple[Array, ...]) -> tuple[Array, ...]:
    """h' = tanh(xw + hu) (B, H): xw = x W + b and hu = h U (B, H)."""
    return (jnp.tanh(xw + hu),)


# --- backward ---

# JAX goes back by itself.
