"""Other arithmetic for NumPy's formulas: rounding at random, and the coarser matrix products of TF32 and bfloat16.

**At random**: every result is off by one unit in the last place, up or down (Monte Carlo arithmetic, Parker 1997). How far
a formula's results scatter then is what rounding does to it in whatever order a framework evaluates it. What a coarser
product rounds, it rounds up or down at random.

**TF32** rounds the two factors of a matrix product to 11 bits and adds up in float32. **bfloat16**, mixed with float32 as
automatic mixed precision does it, rounds the factors to 8 bits, and what comes out too. Both by emulation, in float32.
"""

import math
import random
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from implementations.equivalence import array_functions
from implementations.equivalence.array_functions import Computing

SIGNIFICANT_BITS = {"tf32": 11, "bfloat16": 8}
POOL = 2**18 + 3
"""Random signs are drawn once and used again from another place: drawing would cost more than the arithmetic."""

AT_ONCE = POOL // 2
"""So many numbers find their signs in one piece."""


def rounded(value: np.ndarray, bits: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """float32 numbers to so many significant bits; infinities and NaN stay.

    To nearest, ties to even; or, with a generator, up or down at random, the nearer the likelier (stochastic rounding).
    """
    whole = np.ascontiguousarray(value, np.float32).view(np.uint32)
    dropped = np.uint32(24 - bits)
    if rng is None:
        to_add = (np.uint32(1) << (dropped - np.uint32(1))) - np.uint32(1) + ((whole >> dropped) & np.uint32(1))
    else:
        to_add = rng.integers(0, 1 << int(dropped), size=whole.shape, dtype=np.uint32)
    return np.where(np.isfinite(value), (((whole + to_add) >> dropped) << dropped).view(np.float32), value)


class Noise:
    """Factors 1 + u or 1 - u, at random.

    `alike`: the same for all samples (the first axis), as where they are nearly the same numbers. `folded`: the oracle is to round as if it
    folded a batch norm into a product and a sum.
    """

    def __init__(self, ulp: float, dtype: DTypeLike, seed: int, alike: bool = False, folded: bool = False) -> None:
        self.rng, self.alike, self.folded = np.random.default_rng(seed), alike, folded
        self.factors = _factors(ulp, np.dtype(dtype), seed)
        # For one number NumPy's generator needs ten times as long.
        self.between_0_and_1 = random.Random(seed).random

    def on(self, value: np.ndarray, ulps: float = 1.0) -> None:
        """Every number of it off by one unit in the last place, or by so many; in place."""
        if self.alike and value.ndim > 1:
            value *= _times(ulps, self.of_shape(value.shape[1:]))
        elif value.size <= AT_ONCE or not value.flags.c_contiguous:
            value *= _times(ulps, self.of_shape(value.shape))
        else:
            flat = value.reshape(-1)
            for begin in range(0, len(flat), AT_ONCE):
                part = flat[begin : begin + AT_ONCE]
                part *= _times(ulps, self.of_shape(part.shape))

    def of_shape(self, shape: tuple[int, ...]) -> np.ndarray:
        """Factors of this shape from a place at random; where there are too few behind it, they come again."""
        count = math.prod(shape)
        if count <= AT_ONCE:
            place = int(self.between_0_and_1() * (POOL - count))
            return self.factors[place : place + count].reshape(shape)
        return np.resize(self.factors[int(self.between_0_and_1() * AT_ONCE) :], shape)

    def on_sum(self, total: np.ndarray, rows: np.ndarray) -> None:
        """A sum over rows that are alike, rounded after each of them (Higham 1993, recursive summation); in place.

        Of rows that differ the roundings average out, and an optimised sum has few of them.
        """
        partial = np.add.accumulate(rows, axis=0)
        total += np.sum(partial * (self.of_shape(partial.shape) - 1), axis=0)


@lru_cache(maxsize=16)
def _factors(ulp: float, dtype: np.dtype[Any], seed: int) -> np.ndarray:
    factors = (1 + ulp * np.random.default_rng(seed).choice([-1.0, 1.0], size=POOL)).astype(dtype)
    factors.flags.writeable = False  # many share them
    return factors


def _times(ulps: float, factors: np.ndarray) -> np.ndarray:
    """Factors so many times as far from 1."""
    return factors if ulps == 1 else 1 + (factors - 1) * factors.dtype.type(ulps)


class Arithmetic(Computing):
    """An array that computes in another way; whatever is computed with it does so too."""

    BITS = 0
    """To which the factors of a matrix product are rounded; 0: not at all."""

    ROUNDS_PRODUCT = False
    NOISE: Noise | None = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **options: Any) -> Any:
        """NumPy's operation, in this arithmetic."""
        operands = [value.view(np.ndarray) if isinstance(value, Computing) else value for value in inputs]
        if out:
            options["out"] = array_functions.plain(out)
        if ufunc.signature and method == "__call__":  # matmul and its like
            result = self._product(lambda *factors: ufunc(*factors, **options), operands[0].shape[-1], *operands)
            return out[0] if out else result
        result = getattr(ufunc, method)(*operands, **options)
        if method == "at":  # in place, and so is the rounding; a sum of nothing stays zero
            result = operands[0]
        computed = np.asarray(result)
        largest = ufunc is np.maximum and method == "reduce"  # is one of the numbers: off, it would not be the largest
        if self.NOISE and computed.dtype.kind == "f" and not largest:
            if self.NOISE.alike and ufunc is np.add and method == "reduce" and options.get("axis") == 0:
                self.NOISE.on_sum(computed, operands[0])
            self.NOISE.on(computed)
        if method == "at":
            return None
        return out[0] if out else computed.view(type(self))

    def product(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Products that are added up, as the matrix product."""
        words = [value for value in args if isinstance(value, str)]
        factors = [value for value in args if isinstance(value, np.ndarray)]
        others = args[len(words) + len(factors) :]
        count = array_functions.terms(func, *args, **kwargs)
        return self._product(lambda *rounded: func(*words, *rounded, *others, **kwargs), count, *factors)

    def _product(self, multiplied: Callable[..., Any], terms: int, *factors: np.ndarray) -> Any:
        """With its factors and its result rounded as this arithmetic does; `terms` are added up for each number."""
        rng = self.NOISE.rng if self.NOISE else None
        if self.BITS:
            factors = tuple(rounded(factor, self.BITS, rng) for factor in factors)
        result = np.asarray(multiplied(*factors))
        if self.ROUNDS_PRODUCT:
            result = rounded(result, self.BITS, rng)
        if self.NOISE and result.dtype.kind == "f":
            self.NOISE.on(result, ulps_of_sum(terms))
        return result.view(type(self))


def ulps_of_sum(terms: int) -> float:
    """By how many units in the last place a sum of so many products is off, at least by one.

    Added up one after the other, terms of both signs are off by about 0.3 u sqrt(n), u half a unit (measured from 1e3 to 4e5
    terms); what adds up in blocks is off by less.
    """
    return max(1.0, 0.15 * math.sqrt(terms))


def arithmetic(precision: str, noise: Noise | None = None) -> type[np.ndarray]:
    """The kind of array for a precision; with noise, also rounding at random."""
    bits = SIGNIFICANT_BITS.get(precision, 0)
    settings = {"BITS": bits, "ROUNDS_PRODUCT": precision == "bfloat16", "NOISE": noise}
    return type("Arithmetic", (Arithmetic,), settings)
