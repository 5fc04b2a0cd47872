"""Positions in JAX."""

from jax import Array

# --- forward ---


def forward(e: Array, weight: Array) -> Array:
    """h = e + P: e (B, T, E), P (T, E) -> (B, T, E)."""
    return e + weight


# --- backward ---

# JAX goes back by itself: dP = the sum of dh over the samples (T, E).
