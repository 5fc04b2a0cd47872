"""The precision that is really in force. Flags lie; a matrix product of 1 + 2^-k by 1 does not."""

from collections.abc import Callable

import numpy as np

from implementations.equivalence import tolerances
from implementations.equivalence.tolerances import Check

BITS = {"float64": 52, "float32": 23, "tf32": 10, "bfloat16": 7}
"""Significand bits after the point that a precision must keep."""

SIZE = 64
"""A square: the rows are the pixels of an image, where a convolution multiplies."""

INNER = 64
"""Of the product that gate D judges: short enough that the bound would not hide factors that were rounded."""

Product = Callable[[np.ndarray, np.ndarray], np.ndarray]


def kept_bits(precision: str, product: Product) -> int:
    """The largest k for which 1 + 2^-k survives a product with the identity matrix on the device."""
    stored = tolerances.STORED[precision]
    identity = np.eye(SIZE, dtype=stored)
    for k in range(BITS[stored], 0, -1):
        value = np.asarray(1 + 2.0**-k, dtype=stored)
        if np.all(np.diag(np.asarray(product(identity * value, identity))) == value):
            return k
    return 0


def check(precision: str, bits: int, what: str) -> Check:
    """Bits that are missing, or too many for the name; none may be. `what`: "matrix product" or "convolution"."""
    return Check("precision", "effective precision", f"{bits} bits kept by a {what}", abs(BITS[precision] - bits), 0)


def product_check(precision: str, product: Product, what: str) -> Check:
    """Gate D: |fl(AB) - AB| <= gamma |A||B| for every element, gamma = K u / (1 - K u) (Higham 2002, section 3.5).

    Where the factors are rounded before they are multiplied, two roundings of the coarser kind come on top.
    """
    stored, rng = tolerances.STORED[precision], np.random.default_rng(0)
    a, b = (rng.normal(size=shape).astype(stored) for shape in ((SIZE, INNER), (INNER, SIZE)))
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble)
    terms = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    summed = INNER * tolerances.UNIT_ROUNDOFF[stored]
    gamma = summed / (1 - summed) + (3 * tolerances.UNIT_ROUNDOFF[precision] if precision != stored else 0)
    off = np.abs(np.asarray(product(a, b)).astype(np.longdouble) - exact) / terms
    return Check("precision", what, f"{SIZE} x {INNER} x {SIZE}", float(np.max(off)), gamma)
