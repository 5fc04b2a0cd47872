"""Convolution in JAX. Kernels are (height, width, in, out)."""

from jax import Array, lax

# --- forward ---


def forward(x: Array, weight: Array, bias: Array | None, factors: str) -> Array:
    """z[b,i,j,k] = sum over u, v, c of x[b, i+u-1, j+v-1, c] W[u,v,c,k] + b[k]: x (B, H, W, C), W (3, 3, C, K) -> z (B, H, W, K).

    3x3 windows, stride 1, one pixel of zeros around the image. x and W are first rounded to the number type `factors`, as in a
    dense layer.
    """
    dtype = weight.dtype
    x, weight = x.astype(factors), weight.astype(factors)
    z = lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    z = z.astype(dtype)
    return z if bias is None else z + bias


# --- backward ---

# JAX goes back by itself: dW = the products of dz with all windows, db = the sum of dz, dx = dz convolved with the turned kernel.
