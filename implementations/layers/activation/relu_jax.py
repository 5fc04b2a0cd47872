"""ReLU in JAX."""

import jax
from jax import Array

# --- forward ---


def forward(n: Array) -> Array:
    """a = max(n, 0). Not `jnp.maximum`, to which JAX gives the slope 1/2 at 0: this one has slope 0 there."""
    return jax.nn.relu(n)


# --- backward ---

# JAX goes back by itself: dn = da where the unit was active, else 0.

# --- branch ---


def choice(n: Array) -> Array:
    """Which units are active."""
    return n > 0
