"""GELU in JAX, the form with tanh (Hendrycks & Gimpel 2016, section 2)."""

import jax
from jax import Array

# --- forward ---


def forward(z: Array) -> Array:
    """a = z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))): JAX's default."""
    return jax.nn.gelu(z, approximate=True)


# --- backward ---

# JAX goes back by itself: dz = da times the slope.
