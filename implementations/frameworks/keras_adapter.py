"""Keras 3 on its TensorFlow, PyTorch and JAX backends; the backend is chosen before Keras is imported.

`KERAS_BACKEND` must be set in the environment: Keras reads it once, on import. Each backend is imported only when it
is the one in use.
"""

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from implementations.contract import Unavailable

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
NAME = f"keras-{BACKEND}"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

MEMORY_COUNTER = {
    "torch": "PyTorch's allocator: bytes in tensors",
    "tensorflow": "TensorFlow's allocator: bytes in tensors",
    "jax": "JAX's allocator: bytes in buffers",
}.get(BACKEND, BACKEND)

NOT_NEEDED = {"jax", "sklearn"} - {BACKEND}
"""What Keras and TensorFlow load on import wherever it is installed: a second framework, and seconds of waiting."""


def _import_backend_and_keras() -> tuple[Any, Any]:
    """Both modules, with what is not needed hidden from them while they are imported."""
    hidden = [name for name in NOT_NEEDED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None makes an import raise ImportError
    try:
        return importlib.import_module(BACKEND), importlib.import_module("keras")
    except ModuleNotFoundError as error:
        raise Unavailable.not_installed(error.name or "jaxlib") from None  # whose absence JAX tells without its name
    finally:
        for name in hidden:
            del sys.modules[name]


backend, keras = _import_backend_and_keras()


def devices() -> list[str]:
    """The CPU, and every CUDA device that the backend can use."""
    if BACKEND == "torch":
        count = backend.cuda.device_count() if backend.cuda.is_available() else 0
    elif BACKEND == "tensorflow":
        count = len(backend.config.list_physical_devices("GPU"))
    else:
        count = sum(device.platform == "gpu" for device in backend.devices())
    return ["cpu", *(f"cuda:{i}" for i in range(count))]


def start(threads: int) -> None:
    """Threads of one operation, and full float32 precision. JAX takes its threads from the CPU affinity."""
    if BACKEND == "torch":
        backend.set_num_threads(threads)
        backend.backends.cuda.matmul.allow_tf32 = False
        backend.backends.cudnn.allow_tf32 = False
    elif BACKEND == "tensorflow":
        backend.config.threading.set_intra_op_parallelism_threads(threads)
        backend.config.threading.set_inter_op_parallelism_threads(threads)
        backend.config.experimental.enable_tensor_float_32_execution(False)
    else:
        backend.config.update("jax_default_matmul_precision", "highest")


def patch_for_float64() -> None:
    """For a process that checks in float64 and is never timed: stock Keras demotes float64 on two of its backends.

    Keras's table of demotions is undone; this must happen before anything is built.
    """
    from keras.src.backend.common import dtypes  # no public switch exists

    if BACKEND == "jax":
        backend.config.update("jax_enable_x64", True)
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    keras.config.set_floatx("float64")


def use_precision(precision: str) -> None:
    """TF32 by the backend's switch, bfloat16 by Keras's policy for mixed precision."""
    if precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    elif BACKEND == "torch":
        backend.backends.cuda.matmul.allow_tf32 = True
        backend.backends.cudnn.allow_tf32 = True
    elif BACKEND == "tensorflow":
        backend.config.experimental.enable_tensor_float_32_execution(True)
    else:
        backend.config.update("jax_default_matmul_precision", "tensorfloat32")


def as_factor(tensor: Any) -> Any:
    """In the number type in which the policy has layers compute."""
    dtype = keras.config.dtype_policy().compute_dtype
    return keras.ops.cast(tensor, dtype) if dtype == "bfloat16" else tensor


if BACKEND != "jax":  # which has no such switch for a process that is running

    def make_deterministic() -> None:
        """The backend's own switch."""
        if BACKEND == "torch":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            backend.use_deterministic_algorithms(True)
        else:
            backend.config.experimental.enable_op_determinism()


def to_device(array: np.ndarray, device: str) -> Any:
    """A tensor of the backend on the device that the process was started for, finished on return."""
    dtype = None if array.dtype.kind == "f" else "int32"
    tensor = keras.ops.convert_to_tensor(np.array(array, order="C", copy=True), dtype=dtype)
    synchronise(device, tensor)
    return tensor


def to_host(tensor: Any) -> np.ndarray:
    """A host array; waits for the device. NumPy has no bfloat16."""
    array = np.asarray(keras.ops.convert_to_numpy(tensor))
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def synchronise(device: str, result: Any) -> None:
    """Wait for the device. JAX is asynchronous on the CPU too, and waits for results (one, or a list) rather than a device."""
    if BACKEND == "jax":
        backend.block_until_ready(result)
    elif device.startswith("cuda"):
        if BACKEND == "torch":
            backend.cuda.synchronize()
        else:
            backend.test.experimental.sync_devices()


def matrix_product(a: Any, b: Any) -> Any:
    """a @ b with the backend's own matrix product."""
    return a @ b


def copy(source: Any, target: Any) -> Any:
    """Over the target on PyTorch; a new tensor where tensors cannot be written to."""
    if BACKEND == "torch":
        return target.copy_(source)
    return backend.identity(source) if BACKEND == "tensorflow" else source.copy()


def versions() -> dict[str, str]:
    """Keras and its backend."""
    return {"keras": keras.__version__, BACKEND: backend.__version__}


def flags(device: str) -> dict[str, str]:
    """Threads and precision switches as they stand."""
    found = {"backend": BACKEND, "floatx": keras.config.floatx(), "hidden on import": ", ".join(sorted(NOT_NEEDED))}
    if BACKEND == "torch":
        found["threads"] = str(backend.get_num_threads())
        found["float32_matmul_precision"] = backend.get_float32_matmul_precision()
    elif BACKEND == "tensorflow":
        found["threads"] = str(backend.config.threading.get_intra_op_parallelism_threads())
        found["tensor_float_32"] = str(backend.config.experimental.tensor_float_32_execution_enabled())
    else:
        found["matmul_precision"] = str(backend.config.jax_default_matmul_precision)
    return found


def reset_peak(device: str) -> bool:
    """Begin a new peak of the backend's allocator; JAX's cannot be reset."""
    if BACKEND == "torch":
        backend.cuda.init()  # before the first tensor nothing can be reset; the second time it does nothing
        backend.cuda.reset_peak_memory_stats(device)
    elif BACKEND == "tensorflow":
        backend.config.experimental.reset_memory_stats(device.replace("cuda", "GPU"))
    return BACKEND != "jax"


def memory_bytes(device: str) -> tuple[int, int]:
    """Bytes held by the backend's allocator now, and at most."""
    if BACKEND == "torch":
        return backend.cuda.memory_allocated(device), backend.cuda.max_memory_allocated(device)
    if BACKEND == "tensorflow":
        info = backend.config.experimental.get_memory_info(device.replace("cuda", "GPU"))
        return info["current"], info["peak"]
    stats = backend.devices()[int(device.partition(":")[2])].memory_stats()
    return stats["bytes_in_use"], stats["peak_bytes_in_use"]


if BACKEND == "torch":  # the other backends give no hold of their stream

    def device_s(device: str, run: Callable[[], object]) -> float:
        """Seconds between two CUDA events around `run()`."""
        begin, end = (backend.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record(backend.cuda.current_stream(device))
        run()
        end.record(backend.cuda.current_stream(device))
        end.synchronize()
        return begin.elapsed_time(end) / 1e3
