"""Clipping by global norm in JAX."""

import jax.numpy as jnp
from jax import Array

Tensors = dict[str, Array]

# --- clipping ---


def clip(gradients: Tensors, largest: float) -> Tensors:
    """All gradients times min(1, c / ||g||), c the largest norm (Pascanu, Mikolov & Bengio 2013, Algorithm 1)."""
    factor = largest / jnp.maximum(norm(gradients), largest)
    return {name: g * factor for name, g in gradients.items()}


def norm(gradients: Tensors) -> Array:
    """||g||, the root of the sum of the squares of all numbers of all gradients."""
    return jnp.sqrt(sum(jnp.sum(g * g) for g in gradients.values()))
