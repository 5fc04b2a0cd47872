"""Self-attention with several heads in NumPy (Vaswani et al. 2017)."""

import math
from typing import Any

import numpy as np

from implementations.layers.dropout import dropout_numpy as dropout

Array = np.ndarray
Cache = Any
NAMES = ("query", "key", "value", "mixed")
"""Of the weights Wq, Wk, Wv and Wm, each (E, E)."""

# --- forward ---


def forward(n: Array, weights: list[Array], heads: int, causal: bool, mask: Array | None) -> tuple[Array, Cache]:
    """o (B, T, E) of n (B, T, E), and what the way back needs; `mask` (B, H, T, T) is dropout's."""
    *projections, mixed = weights
    q, k, v = (split(product(n, weight), heads) for weight in projections)
    p = softmax(scores(q, k, causal))
    weighted = p if mask is None else dropout.forward(p, mask)
    joint = joined(weighted @ v)
    return product(joint, mixed), (n, q, k, v, p, weighted, mask, joint)


def scores(q: Array, k: Array, causal: bool) -> Array:
    """q k^T / sqrt(D) (B, H, T, T): how well each key fits each query; minus infinity where a position must not look."""
    s = q @ turned(k) / math.sqrt(q.shape[-1])
    return np.where(ahead(s.shape[-1]), -np.inf, s) if causal else s


def ahead(length: int) -> Array:
    """(T, T): whether a key's position comes after the query's."""
    place = np.arange(length)
    return place > place[:, None]


def softmax(s: Array) -> Array:
    """P (B, H, T, T). The largest score of a row is subtracted first, so that no exponential overflows."""
    exponentials = np.exp(s - s.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


# --- backward ---


def backward(do: Array, weights: list[Array], heads: int, cache: Cache) -> tuple[Array, list[Array]]:
    """dn (B, T, E), and dWq, dWk, dWv and dWm."""
    query, key, value, mixed = weights
    n, q, k, v, p, weighted, mask, joint = cache
    djoint = split(product(do, mixed.T), heads)
    dv = turned(weighted) @ djoint
    dweighted = djoint @ turned(v)
    ds = softmax_backward(dweighted if mask is None else dropout.backward(dweighted, mask), p) / math.sqrt(q.shape[-1])
    dq, dk, dv = joined(ds @ k), joined(turned(ds) @ q), joined(dv)
    dn = product(dq, query.T) + product(dk, key.T) + product(dv, value.T)
    return dn, [to_weight(dq, n), to_weight(dk, n), to_weight(dv, n), to_weight(do, joint)]


def softmax_backward(dp: Array, p: Array) -> Array:
    """dS = P (dP - sum(dP P)): what one weight gets is taken from the others of its row. Where P is 0 it is 0."""
    return p * (dp - (dp * p).sum(axis=-1, keepdims=True))


def to_weight(dz: Array, x: Array) -> Array:
    """dW = x^T dz over all positions (E, E)."""
    return x.reshape(-1, x.shape[-1]).T @ dz.reshape(-1, dz.shape[-1])


# --- heads ---


def split(a: Array, heads: int) -> Array:
    """(B, T, E) -> (B, H, T, E/H): each head's part of every position."""
    return a.reshape(*a.shape[:2], heads, -1).swapaxes(1, 2)


def joined(a: Array) -> Array:
    """The way back."""
    return a.swapaxes(1, 2).reshape(len(a), a.shape[2], -1)


def turned(a: Array) -> Array:
    """(B, H, T, D) -> (B, H, D, T), and the other way round."""
    return a.swapaxes(-1, -2)


def product(n: Array, weight: Array) -> Array:
    """n W at every position: (B, T, E) -> (B, T, E)."""
    return (n.reshape(-1, n.shape[-1]) @ weight).reshape(*n.shape[:-1], -1)
