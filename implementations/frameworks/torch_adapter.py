"""PyTorch: CPU and CUDA; CUDA is asynchronous, TF32 is off unless asked for."""

import os
from collections.abc import Callable

import numpy as np
import torch
import torch._dynamo  # the first optimizer would import it, seconds into what is timed

from implementations.contract import DeviceArray

NAME = "torch"
MEMORY_COUNTER = "PyTorch's allocator: bytes in tensors"


def devices() -> list[str]:
    """The CPU, and every CUDA device that this build of PyTorch can use."""
    return ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0))]


def try_compiler() -> None:
    """Compile a sum, as tuned mode compiles its steps; raises what the C++ compiler says."""
    torch.compile(torch.add)(torch.ones(8), 1.0)


def start(threads: int) -> None:
    """Threads of one operation, and full float32 precision in matrix products and cuDNN."""
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


FACTORS: list[torch.dtype] = []
"""bfloat16, where it is in use."""


def use_precision(precision: str) -> None:
    """TF32 by PyTorch's switches; for bfloat16 there is none, the model's file has autocast."""
    if precision == "bfloat16":
        FACTORS.append(torch.bfloat16)
    else:
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True


def as_factor(tensor: torch.Tensor) -> torch.Tensor:
    """Rounded to bfloat16, where that is in use."""
    return tensor.to(FACTORS[-1]) if FACTORS else tensor


def make_deterministic() -> None:
    """Deterministic algorithms, or an error where there is none; cuBLAS needs a workspace of a fixed size for it."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)


def to_device(array: np.ndarray, device: str) -> torch.Tensor:
    """A copy on the device, finished on return."""
    tensor = torch.from_numpy(np.ascontiguousarray(array)).to(device, copy=True)
    synchronise(device, tensor)
    return tensor


def to_host(tensor: DeviceArray) -> np.ndarray:
    """A host array; waits for the device. NumPy has no bfloat16."""
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy(force=True)


def synchronise(device: str, result: DeviceArray) -> None:
    """Wait for all streams of a CUDA device."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def matrix_product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a @ b."""
    return a @ b


def convolution(x: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """PyTorch's own, which on a GPU is cuDNN's, with a switch of its own for TF32."""
    z = torch.nn.functional.conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), padding=1)
    return z.permute(0, 2, 3, 1)


def recurrence(h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """One step of PyTorch's own, which on a GPU is cuDNN's, with the switch for TF32 of convolutions."""
    layer = torch.nn.RNN(len(weight), len(weight), nonlinearity="relu", bias=False, device=h.device, dtype=h.dtype)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(weight.T)
        states, _ = layer(h.new_zeros(1, *h.shape), h[None])
    return states[0]


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """PyTorch's own, of one sample and one head."""
    return torch.nn.functional.scaled_dot_product_attention(*(part[None, None] for part in (q, k, v)))[0, 0]


def copy(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Over the target."""
    return target.copy_(source)


def versions() -> dict[str, str]:
    """PyTorch and, where it is a CUDA build, CUDA and cuDNN."""
    libraries = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    return {name: str(version) for name, version in libraries.items() if version is not None}


def flags(device: str) -> dict[str, str]:
    """Threads and precision switches as they stand, and which GPU it is."""
    switches = {
        "threads": str(torch.get_num_threads()),
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "cudnn.allow_tf32": str(torch.backends.cudnn.allow_tf32),
        "deterministic": str(torch.are_deterministic_algorithms_enabled()),
    }
    if device.startswith("cuda"):
        switches["gpu"] = torch.cuda.get_device_name(device)
    return switches


def reset_peak(device: str) -> bool:
    """Begin a new peak of `torch.cuda.max_memory_allocated`."""
    torch.cuda.init()  # before the first tensor nothing can be reset; the second time it does nothing
    torch.cuda.reset_peak_memory_stats(device)
    return True


def memory_bytes(device: str) -> tuple[int, int]:
    """Bytes in tensors now, and at most; neither what the allocator keeps for later nor CUDA's own context."""
    return torch.cuda.memory_allocated(device), torch.cuda.max_memory_allocated(device)


def device_s(device: str, run: Callable[[], object]) -> float:
    """Seconds between two CUDA events around `run()`."""
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record(torch.cuda.current_stream(device))
    run()
    end.record(torch.cuda.current_stream(device))
    end.synchronize()
    return begin.elapsed_time(end) / 1e3
