"""One step of a gated recurrent unit in JAX (Cho et al. 2014, with the reset gate behind the product)."""

import jax.numpy as jnp
from jax import Array
from jax.nn import sigmoid

MEMORIES = 1
"""What one step hands to the next: the state h."""

# --- forward ---


def step(xw: Array, hu: Array, memory: tuple[Array, ...]) -> tuple[Array, ...]:
    """h (B, H) after a step: xw = x W + b and hu = h U + d (B, 3H), blocks in the order r, z, n.

    r, z = sigmoid(.) of both sums;  n = tanh(xw + r hu);  h' = (1 - z) n + z h.
    """
    (h,) = memory
    xr, xz, xn = jnp.split(xw, 3, axis=-1)
    hr, hz, hn = jnp.split(hu, 3, axis=-1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = jnp.tanh(xn + r * hn)
    return ((1 - z) * n + z * h,)


# --- backward ---

# JAX goes back by itself.
