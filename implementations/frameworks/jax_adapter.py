"""JAX: CPU and CUDA, asynchronous on both; its threads are as many as the cores that the process may use."""

import os

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np

from implementations.contract import DeviceArray

NAME = "jax"
MEMORY_COUNTER = "JAX's allocator: bytes in buffers"


def devices() -> list[str]:
    """The CPU, and every CUDA device that this build of JAX can use."""
    return ["cpu", *(f"cuda:{i}" for i in range(sum(device.platform == "gpu" for device in jax.devices())))]


def start(threads: int) -> None:
    """Full float32 precision, and GPU memory only as it is needed; the threads follow from the CPU affinity."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    jax.config.update("jax_default_matmul_precision", "highest")


def use_float64() -> None:
    """JAX's documented switch, without which it makes float32 of float64."""
    jax.config.update("jax_enable_x64", True)


FACTORS: list[type] = []
"""bfloat16, where it is in use."""


def use_precision(precision: str) -> None:
    """TF32 by JAX's setting; for bfloat16 the model's file rounds the factors."""
    if precision == "bfloat16":
        FACTORS.append(jnp.bfloat16)
    else:
        jax.config.update("jax_default_matmul_precision", "tensorfloat32")


def as_factor(tensor: jax.Array) -> jax.Array:
    """Rounded to bfloat16, where that is in use."""
    return tensor.astype(FACTORS[-1]) if FACTORS else tensor


def to_device(array: np.ndarray, device: str) -> jax.Array:
    """A copy on the device, finished on return. Labels become int32, which is what JAX counts with."""
    kind, _, index = device.partition(":")
    dtype = None if array.dtype.kind == "f" else np.int32
    copy = np.array(array, dtype, order="C", copy=True)  # on the CPU, JAX would go on using the memory that it is given
    return jax.block_until_ready(jax.device_put(copy, jax.devices(kind)[int(index or 0)]))


def to_host(tensor: DeviceArray) -> np.ndarray:
    """A host array; waits for the device. NumPy has no bfloat16."""
    return np.asarray(tensor, np.float32) if tensor.dtype == jnp.bfloat16 else np.asarray(tensor)


def synchronise(device: str, result: DeviceArray) -> None:
    """Wait for results (one, or a list): a compiled step's are there all at once."""
    jax.block_until_ready(result)


def matrix_product(a: jax.Array, b: jax.Array) -> jax.Array:
    """a @ b."""
    return a @ b


def convolution(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """XLA's, which on a GPU is cuDNN's."""
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def copy(source: jax.Array, target: jax.Array) -> jax.Array:
    """A new array: JAX's cannot be written to."""
    return source.copy()


def versions() -> dict[str, str]:
    """JAX, and jaxlib with the compiler XLA in it."""
    return {"jax": jax.__version__, "jaxlib": jaxlib.__version__}


def flags(device: str) -> dict[str, str]:
    """Precision switches and the generator as they stand, and which GPU it is."""
    switches = {
        "matmul_precision": str(jax.config.jax_default_matmul_precision),
        "enable_x64": str(jax.config.jax_enable_x64),
        "prng": str(jax.config.jax_default_prng_impl),
    }
    if device.startswith("cuda"):
        switches["gpu"] = jax.devices("cuda")[int(device.partition(":")[2])].device_kind
    return switches


def reset_peak(device: str) -> bool:
    """JAX's peak cannot be reset."""
    return False


def memory_bytes(device: str) -> tuple[int, int]:
    """Bytes held by the allocator now, and at most."""
    stats = jax.devices("cuda")[int(device.partition(":")[2])].memory_stats()
    return stats["bytes_in_use"], stats["peak_bytes_in_use"]
