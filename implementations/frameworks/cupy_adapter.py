"""CuPy: NVIDIA GPUs only, everything asynchronous. `import cupy` works without a driver, which is not a GPU."""

import os
from collections.abc import Callable

import cupy as cp
import numpy as np

from implementations.contract import DeviceArray
from implementations.errors import Unavailable

NAME = "cupy"
MEMORY_COUNTER = "CuPy's memory pool: bytes that it took from the device, a little more than its arrays"


def devices() -> list[str]:
    """Every CUDA device; raises Unavailable where the driver shows none."""
    try:
        count = cp.cuda.runtime.getDeviceCount()
    except cp.cuda.runtime.CUDARuntimeError as error:
        raise Unavailable(
            f"CuPy sees no GPU ({error}).", "Install an NVIDIA driver, or leave CuPy out with --framework."
        ) from None
    return [f"cuda:{i}" for i in range(count)]


def start(threads: int) -> None:
    """CuPy does not compute on the CPU, and leaves TF32 off unless CUPY_TF32 is set; nothing to do."""


def use_precision(precision: str) -> None:
    """TF32 by CuPy's variable, which it reads before its first product."""
    os.environ["CUPY_TF32"] = "1"


def to_device(array: np.ndarray, device: str) -> DeviceArray:
    """A copy on the device, finished on return."""
    with cp.cuda.Device(_index(device)):
        tensor = cp.asarray(array, order="C")
    synchronise(device, tensor)
    return tensor


def to_host(tensor: DeviceArray) -> np.ndarray:
    """A host array; waits for the device."""
    return cp.asnumpy(tensor)


def synchronise(device: str, result: DeviceArray) -> None:
    """Wait for all streams of the device."""
    cp.cuda.Device(_index(device)).synchronize()


def matrix_product(a: DeviceArray, b: DeviceArray) -> DeviceArray:
    """a @ b, by cuBLAS."""
    return a @ b


def copy(source: DeviceArray, target: DeviceArray) -> DeviceArray:
    """Over the target."""
    cp.copyto(target, source)
    return target


def versions() -> dict[str, str]:
    """CuPy, the CUDA runtime in it, the driver's CUDA, and the library and the compiler that do its arithmetic."""
    runtime, cublas = cp.cuda.runtime, cp.cuda.cublas
    return {
        "cupy": cp.__version__,
        "cuda": str(runtime.runtimeGetVersion()),
        "driver": str(runtime.driverGetVersion()),
        "cublas": str(cublas.getVersion(cp.cuda.device.get_cublas_handle())),
        "nvrtc": ".".join(map(str, cp.cuda.nvrtc.getVersion())),
    }


def flags(device: str) -> dict[str, str]:
    """Which GPU it is."""
    properties = cp.cuda.runtime.getDeviceProperties(_index(device))
    return {"gpu": properties["name"].decode(), "compute_capability": f"{properties['major']}.{properties['minor']}"}


def reset_peak(device: str) -> bool:
    """Have the pool give back what no array uses, so that its size can grow from there."""
    with cp.cuda.Device(_index(device)):
        cp.get_default_memory_pool().free_all_blocks()
    return True


def memory_bytes(device: str) -> tuple[int, int]:
    """Bytes in arrays now, and the size of the pool, which never shrinks by itself.

    CuPy keeps no peak. The pool's size is one from above: blocks that fit no later array count too.
    """
    with cp.cuda.Device(_index(device)):
        pool = cp.get_default_memory_pool()
        return pool.used_bytes(), pool.total_bytes()


def device_s(device: str, run: Callable[[], object]) -> float:
    """Seconds between two CUDA events around `run()`."""
    with cp.cuda.Device(_index(device)):
        begin, end = cp.cuda.Event(), cp.cuda.Event()
        begin.record()
        run()
        end.record()
        end.synchronize()
        return cp.cuda.get_elapsed_time(begin, end) / 1e3


def _index(device: str) -> int:
    return int(device.partition(":")[2] or 0)
