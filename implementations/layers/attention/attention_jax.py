"""Self-attention with several heads in JAX (Vaswani et al. 2017).

Not `jax.nn.dot_product_attention`, whose softmax is in float32 whatever it is given, and which has no dropout.
"""

import math

import jax
import jax.numpy as jnp
from jax import Array

from implementations.layers.dropout import dropout_jax as dropout

NAMES = ("query", "key", "value", "mixed")
"""Of the weights Wq, Wk, Wv and Wm, each (E, E)."""

# --- forward ---


def forward(n: Array, weights: list[Array], heads: int, causal: bool, mask: Array | None, factors: str) -> Array:
    """o (B, T, E) of n (B, T, E); `mask` (B, H, T, T) is dropout's. The factors of products are first rounded to the type `factors`."""
    *projections, mixed = weights
    q, k, v = (split(product(n, weight, factors), heads) for weight in projections)
    p = jax.nn.softmax(scores(q, k, causal, factors))
    weighted = p if mask is None else dropout.forward(p, mask)
    return product(joined(product(weighted, v, factors)), mixed, factors)


def scores(q: Array, k: Array, causal: bool, factors: str) -> Array:
    """q k^T / sqrt(D) (B, H, T, T): how well each key fits each query; minus infinity where a position must not look."""
    s = product(q, k.swapaxes(-1, -2), factors) / math.sqrt(q.shape[-1])
    return jnp.where(ahead(s.shape[-1]), -jnp.inf, s) if causal else s


def ahead(length: int) -> Array:
    """(T, T): whether a key's position comes after the query's."""
    place = jnp.arange(length)
    return place > place[:, None]


def product(a: Array, b: Array, factors: str) -> Array:
    """a b, of factors rounded as a dense layer's."""
    return (a.astype(factors) @ b.astype(factors)).astype(a.dtype)


# --- backward ---

# JAX goes back by itself: dS = P (dP - sum(dP P)).


# --- heads ---


def split(a: Array, heads: int) -> Array:
    """(B, T, E) -> (B, H, T, E/H): each head's part of every position."""
    return a.reshape(*a.shape[:2], heads, -1).swapaxes(1, 2)


def joined(a: Array) -> Array:
    """The way back."""
    return a.swapaxes(1, 2).reshape(len(a), a.shape[2], -1)
