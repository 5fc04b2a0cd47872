"""NumPy: the CPU only, nothing is asynchronous, threads belong to its BLAS."""

import numpy as np
import threadpoolctl

from implementations.contract import DeviceArray
from implementations.layers.convolution import convolution_numpy

NAME = "numpy"


def devices() -> list[str]:
    """The CPU is always there."""
    return ["cpu"]


def start(threads: int) -> None:
    """Limit the BLAS's threads for the rest of the process."""
    threadpoolctl.threadpool_limits(threads)


def to_device(array: np.ndarray, device: str) -> np.ndarray:
    """A contiguous copy."""
    return np.array(array, order="C", copy=True)


def to_host(tensor: DeviceArray) -> np.ndarray:
    """NumPy arrays are on the host."""
    return np.asarray(tensor)


def synchronise(device: str, result: DeviceArray) -> None:
    """Nothing to wait for."""


def matrix_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b."""
    return a @ b


def convolution(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """As the layer computes it."""
    return convolution_numpy.forward(x, kernel)


def copy(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Over the target."""
    np.copyto(target, source)
    return target


def versions() -> dict[str, str]:
    """NumPy and its BLAS."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {"numpy": np.__version__, "blas": f"{blas['name']} {blas['version']}"}


def flags(device: str) -> dict[str, str]:
    """NumPy has no precision switches."""
    return {}
