"""Keras 3 on its TensorFlow, PyTorch and JAX backends; the backend is chosen before Keras is imported.

`KERAS_BACKEND` must be set in the environment: Keras reads it once, on import. Devices, threads, memory and clock are the
backend's, and so are the functions for them: those of its adapter.
"""

import importlib
import os
import sys
from types import ModuleType
from typing import Any

import numpy as np

from implementations.contract import DeviceArray

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
NAME = f"keras-{BACKEND}"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

NOT_NEEDED = {"jax", "sklearn"} - {BACKEND}
"""What Keras and TensorFlow load on import wherever it is installed: a second framework, and seconds of waiting."""


def _import_backend_and_keras() -> tuple[ModuleType, Any]:
    """The backend's adapter, and Keras, with what is not needed hidden from them while they are imported."""
    hidden = [name for name in NOT_NEEDED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None makes an import raise ImportError
    try:
        backend = importlib.import_module(f"implementations.frameworks.{BACKEND}_adapter")
        return backend, importlib.import_module("keras")
    finally:
        for name in hidden:
            del sys.modules[name]


backend, keras = _import_backend_and_keras()

devices, start, synchronise, copy = backend.devices, backend.start, backend.synchronise, backend.copy
MEMORY_COUNTER, reset_peak, memory_bytes = backend.MEMORY_COUNTER, backend.reset_peak, backend.memory_bytes
if hasattr(backend, "make_deterministic"):
    make_deterministic = backend.make_deterministic
if hasattr(backend, "device_s"):
    device_s = backend.device_s


def patch_for_float64() -> None:
    """For a process that checks in float64 and is never timed: stock Keras demotes float64 on two of its backends.

    Keras's table of demotions is undone; this must happen before anything is built.
    """
    from keras.src.backend.common import dtypes  # no public switch exists

    if hasattr(backend, "use_float64"):
        backend.use_float64()
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    keras.config.set_floatx("float64")


def use_precision(precision: str) -> None:
    """TF32 by the backend's switch, bfloat16 by Keras's policy for mixed precision."""
    if precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    else:
        backend.use_precision(precision)


def as_factor(tensor: DeviceArray) -> DeviceArray:
    """In the number type in which the policy has layers compute."""
    dtype = keras.config.dtype_policy().compute_dtype
    return keras.ops.cast(tensor, dtype) if dtype == "bfloat16" else tensor


def to_device(array: np.ndarray, device: str) -> DeviceArray:
    """A tensor of the backend on the device that the process was started for, finished on return."""
    dtype = None if array.dtype.kind == "f" else "int32"
    tensor = keras.ops.convert_to_tensor(np.array(array, order="C", copy=True), dtype=dtype)
    synchronise(device, tensor)
    return tensor


def to_host(tensor: DeviceArray) -> np.ndarray:
    """A host array; waits for the device. NumPy has no bfloat16."""
    array = np.asarray(keras.ops.convert_to_numpy(tensor))
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def matrix_product(a: DeviceArray, b: DeviceArray) -> DeviceArray:
    """a @ b with the backend's own matrix product."""
    return a @ b


def convolution(x: DeviceArray, kernel: DeviceArray) -> DeviceArray:
    """The backend's own."""
    return keras.ops.conv(x, kernel, padding="same", data_format="channels_last")


if hasattr(backend, "recurrence"):  # PyTorch's, on which Keras's recurrent layers are
    recurrence = backend.recurrence
if hasattr(backend, "attention"):  # PyTorch's, which Keras calls
    attention = backend.attention


def versions() -> dict[str, str]:
    """Keras and its backend."""
    return {"keras": keras.__version__, BACKEND: backend.versions()[BACKEND]}


def flags(device: str) -> dict[str, str]:
    """Threads and precision switches as they stand."""
    switches = ("threads", "float32_matmul_precision", "tensor_float_32", "matmul_precision")
    return {
        "backend": BACKEND,
        "floatx": keras.config.floatx(),
        "hidden on import": ", ".join(sorted(NOT_NEEDED)),
        **{name: value for name, value in backend.flags(device).items() if name in switches},
    }
