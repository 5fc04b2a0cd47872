"""NVIDIA's run-time compiler, called without a GPU or a driver: what it says of a kernel's source."""

import ctypes
import functools
import importlib.util
from pathlib import Path

MISSING = (
    "NVIDIA's compiler has not seen CuPy's kernels: it is not installed. Install it: pip install nvidia-cuda-nvrtc-cu12"
)


class Rejected(ValueError):
    """The source is wrong; the message is the compiler's."""


@functools.cache
def library() -> ctypes.CDLL | None:
    """The newest compiler that NVIDIA's packages brought, or None."""
    spec = importlib.util.find_spec("nvidia")
    folders = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    libraries = (file for folder in folders for file in folder.glob("*/lib/libnvrtc.so.*"))
    found = sorted(libraries, key=lambda file: int(file.name.rpartition(".")[2]) if file.name[-1].isdecimal() else 0)
    return ctypes.CDLL(str(found[-1])) if found else None


def compiled(source: str, options: tuple[str, ...]) -> bytes:
    """The machine code for the architecture that the options name. Raises Rejected."""
    nvrtc = library()
    assert nvrtc, MISSING
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    _check(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernels.cu", 0, None, None))
    try:
        given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        status = nvrtc.nvrtcCompileProgram(program, len(options), given)
        _check(nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size)))
        log = ctypes.create_string_buffer(size.value)
        _check(nvrtc.nvrtcGetProgramLog(program, log))
        if status or log.value.strip(b"\n"):
            raise Rejected(log.value.decode())
        _check(nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(size)))
        code = ctypes.create_string_buffer(size.value)
        _check(nvrtc.nvrtcGetCUBIN(program, code))
        return code.raw
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _check(status: int) -> None:
    assert status == 0, f"NVRTC returned the status {status}"
