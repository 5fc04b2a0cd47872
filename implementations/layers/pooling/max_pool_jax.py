"""Max pooling in JAX: 2x2 windows side by side. An odd last row or column is left out."""

import jax.numpy as jnp
from jax import Array, lax

PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Row and column within a window, in the order in which the first of equals wins."""

# --- forward ---


def forward(a: Array) -> Array:
    """p[b,i,j,k] = the largest of a[b, 2i+u, 2j+v, k] over u, v in {0, 1}: a (B, H, W, C) -> p (B, H//2, W//2, C).

    Not `jnp.max` of reshaped images, nor `jnp.maximum`: on the way back JAX would share the gradient between equal numbers.
    """
    return lax.reduce_window(a, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


# --- backward ---

# JAX goes back by itself: all of dp goes to the place that won, the first of equals.

# --- branch ---


def choice(a: Array) -> Array:
    """The place of each window's largest number, row by row: the first of equals."""
    height, width = a.shape[1] // 2 * 2, a.shape[2] // 2 * 2
    return jnp.argmax(jnp.stack([a[:, u:height:2, v:width:2] for u, v in PLACES]), axis=0)
