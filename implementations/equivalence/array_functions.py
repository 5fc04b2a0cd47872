"""NumPy's functions for arrays that compute in another way: which move numbers, which look at them, which compute.

An array type that answers to ufuncs alone would be lost in `np.where`, `np.einsum` and their like: they give a plain array,
with which everything afterwards is computed exactly, and no test tells.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, cast

import numpy as np

MOVE = frozenset(
    {
        np.where, np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.split, np.array_split, np.pad,
        np.take, np.take_along_axis, np.put_along_axis, np.repeat, np.tile, np.roll, np.flip, np.rot90, np.sort,
        np.reshape, np.ravel, np.transpose, np.moveaxis, np.swapaxes, np.expand_dims, np.squeeze, np.diagonal,
        np.atleast_1d, np.atleast_2d, np.broadcast_to, np.broadcast_arrays, np.tril, np.triu, np.copy, np.copyto,
        np.zeros_like, np.ones_like, np.full_like, np.empty_like, np.lib.stride_tricks.sliding_window_view,
    }
)  # fmt: skip
"""What comes out are the numbers that went in, or constants."""

LOOK = frozenset(
    {
        np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort, np.nonzero, np.count_nonzero, np.any, np.all,
        np.array_equal, np.result_type, np.may_share_memory, np.shares_memory, np.array2string, np.array_repr, np.array_str,
    }
)  # fmt: skip
"""What comes out are no results of the network: places, counts, texts."""

OF_UFUNCS = frozenset({np.sum, np.mean, np.var, np.std, np.max, np.min, np.amax, np.amin, np.cumsum, np.clip})
"""Made of ufuncs, which the array type sees one by one."""

PRODUCTS = frozenset({np.dot, np.einsum, np.tensordot})
"""Products that are added up."""


class Computing(np.ndarray):
    """An array whose type is kept by whatever is computed with it; a function of which it cannot be said raises TypeError."""

    def __array_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Iterable[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """NumPy's function on arrays of this kind."""
        if func in OF_UFUNCS:
            return super().__array_function__(func, types, args, kwargs)
        if func in PRODUCTS:
            return self.product(func, *plain(tuple(args)), **kwargs)
        if func not in MOVE | LOOK:
            raise TypeError(
                f"the proof's arithmetic does not know np.{func.__name__}: say in {__name__} what it does, or write it with @ "
                "and elementwise functions"
            )
        result = func(*plain(tuple(args)), **{name: plain(value) for name, value in kwargs.items()})
        return result if func in LOOK else self.of_this_kind(result)

    def product(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`np.dot`, `np.einsum` or `np.tensordot` of plain arrays, in this arithmetic."""
        return self.of_this_kind(func(*args, **kwargs))

    def dot(self, b: Any, out: Any = None) -> Any:
        """`np.dot`; the method of NumPy's own array asks nobody."""
        return np.dot(self, b) if out is None else np.dot(self, b, out)

    def of_this_kind(self, result: Any) -> Any:
        """The result, or each of several, as an array of this type."""
        if isinstance(result, list | tuple):
            return type(result)(map(self.of_this_kind, result))
        return None if result is None else cast(Self, np.asarray(result).view(type(self)))


def plain(value: Any) -> Any:
    """The same with NumPy's own arrays, in lists and tuples too."""
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return np.asarray(value) if isinstance(value, Computing) else value


def terms(func: Callable[..., Any], *args: Any, **kwargs: Any) -> int:
    """How many products are added up for one number of what `np.dot`, `np.einsum` (of two) or `np.tensordot` gives."""
    if func is np.einsum:
        inputs, output = args[0].replace(" ", "").split("->")
        sizes = {
            letter: size
            for letters, array in zip(inputs.split(","), args[1:], strict=True)
            for letter, size in zip(letters, np.shape(array), strict=True)
        }
        return int(np.prod([size for letter, size in sizes.items() if letter not in output], dtype=int))
    a = np.asarray(args[0])
    if func is np.dot:
        return a.shape[-1] if a.ndim else 1
    axes = args[2] if len(args) > 2 else kwargs.get("axes", 2)
    summed = range(a.ndim - axes, a.ndim) if isinstance(axes, int) else np.atleast_1d(axes[0])
    return int(np.prod([a.shape[axis] for axis in summed], dtype=int))
