"""JAX's dot_product_attention computes its softmax in float32, whatever it is given; Keras on JAX calls it."""

import jax
import numpy as np

with jax.enable_x64(True):
    q, k, v = (jax.numpy.asarray(np.random.default_rng(seed).normal(size=(1, 8, 1, 4))) for seed in range(3))
    weights = jax.nn.softmax(jax.numpy.einsum("bqhd,bkhd->bhqk", q, k) / 2)
    expected = jax.numpy.einsum("bhqk,bkhd->bqhd", weights, v)
    came = jax.nn.dot_product_attention(q, k, v, scale=0.5)
    off = float(jax.numpy.abs(came - expected).max())
print(f"expected: attention in {came.dtype}, off by 1e-15 at most")
print(f"came:     off by {off:.1e}")
raise SystemExit(0 if off > 1e-9 else 1)
