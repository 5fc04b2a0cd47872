"""Convolution in CuPy: 3x3 windows, stride 1, one pixel of zeros around the image. Kernels are (height, width, in, out).

CuPy has no convolution of its own: as in NumPy it is one matrix product, which is cuBLAS's. Shape letters: B batch, H and W
height and width of the image, C channels in, K channels out.
"""

from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray

# --- forward ---


def forward(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """z[b,i,j,k] = sum over u, v, c of x[b, i+u-1, j+v-1, c] W[u,v,c,k] + b[k]: x (B, H, W, C) -> z (B, H, W, K).

    One matrix product: a row of `patches` is what one window sees, a column of the kernel is one filter.
    """
    filters = weight.reshape(-1, weight.shape[-1])
    z = (patches(x) @ filters).reshape(*x.shape[:-1], -1)
    return z if bias is None else z + bias


def patches(x: Array) -> Array:
    """The 3x3 window around every pixel as a row: x (B, H, W, C) -> (B H W, 9 C), in the order of the kernel's axes."""
    padded = cp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = cp.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))  # (B, H, W, C, 3, 3)
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * x.shape[-1])  # one kernel gathers them


# --- backward ---


def backward_to_weight(dz: Array, x: Array) -> Array:
    """dW = patches(x)^T dz (3, 3, C, K): the weights are shared by all windows, so their slopes add up."""
    dfilters = patches(x).T @ dz.reshape(-1, dz.shape[-1])
    return dfilters.reshape(3, 3, x.shape[-1], -1)


def backward_to_bias(dz: Array) -> Array:
    """db = the sum of dz over the samples and the places (K,). CuPy adds up in a tree: one sum loses few digits."""
    return dz.sum(axis=(0, 1, 2))


def backward_to_input(dz: Array, weight: Array) -> Array:
    """dx (B, H, W, C): the convolution of dz with the kernel turned by 180 degrees, its channels in and out exchanged.

    Each pixel gets back from every window that it was in.
    """
    return forward(dz, weight[::-1, ::-1].swapaxes(2, 3))
