"""Dense layer in JAX. Weights are (in, out)."""

from jax import Array

# --- forward ---


def forward(x: Array, weight: Array, bias: Array | None, factors: str) -> Array:
    """z = x W + b: x (B, D), W (D, H), b (H,) -> z (B, H); x and W are first rounded to the number type `factors`.

    Mixed precision is that alone: on the way back JAX rounds the gradient of a rounding in the same way.
    """
    dtype = weight.dtype
    x, weight = x.astype(factors), weight.astype(factors)
    z = x @ weight
    z = z.astype(dtype)
    return z if bias is None else z + bias


# --- backward ---

# JAX goes back by itself: dW = x^T dz, db = sum over the samples of dz, dx = dz W^T.
