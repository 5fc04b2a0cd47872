"""Embedding in JAX."""

from jax import Array

# --- forward ---


def forward(x: Array, weight: Array) -> Array:
    """e = E[x]: tokens x (B, T), E (V, D) -> (B, T, D)."""
    return weight[x]


# --- backward ---

# JAX goes back by itself: a row's gradient is the sum over all places where its token stood.
