"""TensorFlow as a backend of Keras: no network is written in TensorFlow alone. CUDA is asynchronous."""

import tensorflow as tf

from implementations.contract import DeviceArray

MEMORY_COUNTER = "TensorFlow's allocator: bytes in tensors"


def devices() -> list[str]:
    """The CPU, and every CUDA device that this build of TensorFlow can use."""
    return ["cpu", *(f"cuda:{i}" for i in range(len(tf.config.list_physical_devices("GPU"))))]


def start(threads: int) -> None:
    """Threads of one operation and between operations, and full float32 precision."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_tensor_float_32_execution(False)


def use_precision(precision: str) -> None:
    """TF32 by TensorFlow's switch."""
    tf.config.experimental.enable_tensor_float_32_execution(True)


def make_deterministic() -> None:
    """TensorFlow's own switch."""
    tf.config.experimental.enable_op_determinism()


def synchronise(device: str, result: DeviceArray) -> None:
    """Wait for all CUDA devices."""
    if device.startswith("cuda"):
        tf.test.experimental.sync_devices()


def copy(source: DeviceArray, target: DeviceArray) -> DeviceArray:
    """A new tensor: TensorFlow's cannot be written to."""
    return tf.identity(source)


def versions() -> dict[str, str]:
    """TensorFlow."""
    return {"tensorflow": tf.__version__}


def flags(device: str) -> dict[str, str]:
    """Threads and precision switch as they stand."""
    return {
        "threads": str(tf.config.threading.get_intra_op_parallelism_threads()),
        "tensor_float_32": str(tf.config.experimental.tensor_float_32_execution_enabled()),
    }


def reset_peak(device: str) -> bool:
    """Begin a new peak of TensorFlow's allocator."""
    tf.config.experimental.reset_memory_stats(device.replace("cuda", "GPU"))
    return True


def memory_bytes(device: str) -> tuple[int, int]:
    """Bytes in tensors now, and at most."""
    info = tf.config.experimental.get_memory_info(device.replace("cuda", "GPU"))
    return info["current"], info["peak"]
