"""NumPy in the place of CuPy: the CuPy implementation's logic can be run without a GPU.

It proves logic and nothing else: not one line of CUDA runs, and it is never timed. It refuses what CuPy refuses and
NumPy allows (mixing in arrays of the host), so that a slip of that kind shows.
"""

import types
from collections.abc import Callable
from typing import Any

import numpy as np


class Mixed(TypeError):
    """Host and device arrays met where CuPy would refuse them."""


class DeviceArray(np.ndarray):
    """An array that claims to be in a GPU's memory: it does not mix with host arrays."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **options: Any) -> Any:
        for value in (*inputs, *out):
            if type(value) is np.ndarray and value.ndim > 0:
                raise Mixed(f"{ufunc.__name__}: host and device arrays do not mix")
        plain = [np.asarray(value) if isinstance(value, DeviceArray) else value for value in inputs]
        if out:
            options["out"] = tuple(np.asarray(value) for value in out)
        with np.errstate(all="ignore"):  # a GPU tells nobody
            result = getattr(ufunc, method)(*plain, **options)
        return out[0] if out else on_device(result)


def on_device(value: Any) -> Any:
    """Scalars too: CuPy's reductions return zero-dimensional device arrays."""
    return np.asarray(value).view(DeviceArray)


class Philox4x3210:
    """A generator whose state is one array that can be copied and written back, as CuPy's."""

    def __init__(self, seed: int | None = None) -> None:
        self._state = np.array([np.random.default_rng().integers(2**32) if seed is None else seed, 0])


class Generator:
    """Uniform numbers that follow from the state alone."""

    def __init__(self, bits: Philox4x3210) -> None:
        self.bits = bits

    def random(self, size: tuple[int, ...], dtype: Any = np.float64) -> DeviceArray:
        numbers = np.random.default_rng(self.bits._state.tolist()).random(size, np.dtype(dtype))
        self.bits._state[1] += 1
        return on_device(numbers)


class Device:
    """The only one."""

    def __init__(self, index: int = 0) -> None:
        if index != 0:
            raise ValueError(f"no device {index}")

    def use(self) -> None: ...


def asnumpy(value: Any) -> np.ndarray:
    """To the host: a copy."""
    if not isinstance(value, DeviceArray):
        raise Mixed(f"a device array is wanted, not {type(value).__name__}")
    return np.array(value)


def generous() -> types.ModuleType:
    """The same with all that NumPy has: a fault that is planted may be written with anything."""
    cupy = module()

    def found(name: str) -> Any:
        what = getattr(np, name)
        return what if isinstance(what, type | np.ufunc) else of_arrays(what)

    cupy.__getattr__ = found  # type: ignore[method-assign]  # a module's way to have what it has not
    cupy.__dict__["asarray"] = cupy.array  # of the host's, too
    return cupy


def of_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy's of device arrays, or of lists of them; what comes out is one."""

    def plain(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(map(plain, value))
        if type(value) is np.ndarray and value.ndim > 0:
            raise Mixed(f"{function.__name__}: host and device arrays do not mix")
        return np.asarray(value) if isinstance(value, DeviceArray) else value

    def call(*inputs: Any, **options: Any) -> Any:
        return on_device(function(*map(plain, inputs), **{name: plain(value) for name, value in options.items()}))

    return call


def module() -> types.ModuleType:
    """A module `cupy` with what the implementation uses, and no more."""
    cupy = types.ModuleType("cupy")
    for name in ("sqrt", "maximum", "exp", "log", "tanh", "add", "dtype"):
        setattr(cupy, name, getattr(np, name))
    for name in ("pad", "stack", "split", "concatenate", "max", "argmax", "zeros_like", "where", "arange"):
        setattr(cupy, name, of_arrays(getattr(np, name)))
    windows = of_arrays(np.lib.stride_tricks.sliding_window_view)
    tricks = types.SimpleNamespace(sliding_window_view=windows)
    cupy.__dict__.update(
        ndarray=DeviceArray,
        float32=np.float32,
        inf=np.inf,
        asnumpy=asnumpy,
        array=lambda value, dtype=None: on_device(np.array(value, dtype=dtype)),
        indices=lambda shape: on_device(np.indices(shape)),
        lib=types.SimpleNamespace(stride_tricks=tricks),
        random=types.SimpleNamespace(Philox4x3210=Philox4x3210, Generator=Generator),
        cuda=types.SimpleNamespace(Device=Device),
    )
    return cupy
