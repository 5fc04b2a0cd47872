"""The precision that is really in force. Flags lie; a matrix product of 1 + 2^-k by 1 does not."""

from collections.abc import Callable
from typing import Any

import numpy as np

from implementations.equivalence.gates import Check

BITS = {"float64": 52, "float32": 23}
"""Significand bits after the point that a precision must keep (TF32 keeps 10, bfloat16 7)."""

SIZE = 64


def kept_bits(precision: str, product: Callable[[np.ndarray, np.ndarray], Any]) -> int:
    """The largest k for which 1 + 2^-k survives a product with the identity matrix on the device."""
    identity = np.eye(SIZE, dtype=precision)
    for k in range(BITS[precision], 0, -1):
        value = np.asarray(1 + 2.0**-k, dtype=precision)
        if np.all(np.diag(np.asarray(product(identity * value, identity))) == value):
            return k
    return 0


def check(precision: str, bits: int) -> Check:
    """Bits that are missing; none may be."""
    return Check("precision", "effective precision", f"{bits} bits kept", max(BITS[precision] - bits, 0), 0)
