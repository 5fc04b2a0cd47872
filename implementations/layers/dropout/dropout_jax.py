"""Inverted dropout in JAX (Srivastava et al. 2014)."""

from jax import Array, random

# --- forward ---


def mask(key: Array, shape: tuple[int, ...], rate: float, dtype: str) -> Array:
    """0 with probability `rate`, else 1/(1-rate). The same key draws the same mask: a key is used once."""
    kept = random.bernoulli(key, 1 - rate, shape)
    return kept.astype(dtype) / (1 - rate)


def forward(a: Array, mask: Array) -> Array:
    """h = a * m."""
    return a * mask


# --- backward ---

# JAX goes back by itself: da = dh * m.
