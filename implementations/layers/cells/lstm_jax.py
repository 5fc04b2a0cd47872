"""One step of a long short-term memory in JAX (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000)."""

import jax.numpy as jnp
from jax import Array
from jax.nn import sigmoid

MEMORIES = 2
"""What one step hands to the next: the state h and the cell state c."""

# --- forward ---


def step(xw: Array, hu: Array, memory: tuple[Array, ...]) -> tuple[Array, ...]:
    """h and c (B, H) after a step: xw = x W + b and hu = h U (B, 4H), blocks in the order i, f, g, o.

    i, f, o = sigmoid(.), g = tanh(.);  c' = f c + i g;  h' = o tanh(c').
    """
    _, c = memory
    i, f, g, o = jnp.split(xw + hu, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    return sigmoid(o) * jnp.tanh(c), c


# --- backward ---

# JAX goes back by itself.
