"""A max pool with reduce_window loses NaN, compiled by XLA for the CPU: not in a tiny image, but in many."""

import jax
import numpy as np


def pooled(images: np.ndarray) -> np.ndarray:
    whole, stride = (1, 2, 2, 1), (1, 2, 2, 1)
    return np.asarray(jax.lax.reduce_window(images, -np.inf, jax.lax.max, whole, stride, "VALID"))


one, many = (pooled(np.full((batch, 8, 8, 32), np.nan, "float32")) for batch in (1, 32))
print(f"expected: the largest of four NaN is NaN, as in one image: {one[0, 0, 0, 0]}")
print(f"came:     {many[0, 0, 0, 0]} in a batch of 32")
raise SystemExit(0 if np.isnan(one).all() and not np.isnan(many).any() else 1)
