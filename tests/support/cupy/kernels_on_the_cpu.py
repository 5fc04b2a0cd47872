"""A CUDA device on the CPU in the place of CuPy's: the tuned implementation's own kernels run there, thread by thread.

Nothing is written again in NumPy: the text of the kernels is compiled by a C++ compiler behind `cuda_on_the_host.h`, and
called as CuPy calls a kernel. As on a device, what is captured is not done, and a graph repeats the launches that were
captured, with the arguments that they had then. What is refused here and may go unnoticed on a device: arguments of
another type than the kernel's, addresses at which there is no array any more, writing beyond one, arrays' own arithmetic
during a capture, threads that part at __syncthreads. It proves
logic, and the kernels' arithmetic but for the rounding of CUDA's functions; it is never timed.
"""

import ctypes
import functools
import math
import re
import shutil
import subprocess
import tempfile
import types
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.cupy import numpy_stand_in

HERE = Path(__file__).parent
COMPILER = shutil.which("g++") or shutil.which("clang++")
FLAGS = ("-std=c++17", "-O1", "-fPIC", "-shared", "-U_FORTIFY_SOURCE", f"-I{HERE}")
"""Fortified, longjmp refuses to go from one stack to another."""

WITHOUT_COMPILER = (
    "the kernels of CuPy's tuned mode were not run on the CPU: no C++ compiler. Install one: apt install g++"
)
KERNEL = re.compile(r"__global__ void (\w+)\(")
ROOM = tempfile.TemporaryDirectory(prefix="samenet-kernels-")


class Refused(RuntimeError):
    """Something that CUDA, or this stand-in in its place, does not do."""


def built(name: str, *arguments: str) -> Path:
    """A shared library; raises with what the compiler says."""
    assert COMPILER, WITHOUT_COMPILER
    made = Path(ROOM.name) / f"lib{name}.so"
    done = subprocess.run([COMPILER, *FLAGS, *arguments, "-o", str(made)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stderr)
    return made


@functools.cache
def device() -> Path:
    """The device, and cuBLAS's functions, as one library."""
    return built("device", str(HERE / "cuda_on_the_host.cpp"))


@functools.cache
def host() -> ctypes.CDLL:
    """The device's functions."""
    library = ctypes.CDLL(str(device()))
    library.device_launch.restype = library.device_graph_launch.restype = ctypes.c_char_p
    library.device_begin_capture.argtypes = [ctypes.c_size_t]
    library.device_array.argtypes, library.device_array.restype = [ctypes.c_size_t], ctypes.c_void_p
    library.device_array_gone.argtypes = [ctypes.c_void_p]
    return library


@functools.cache
def compiled(code: str, options: tuple[str, ...]) -> ctypes.CDLL:
    """The kernels as a library that has one `described_...` for each."""
    table = "\n".join(f'extern "C" const Kernel described_{name} = described({name});' for name in KERNEL.findall(code))
    source = Path(ROOM.name) / f"kernels{compiled.cache_info().misses}.cpp"
    source.write_text(f'#include "cuda_on_the_host.h"\n{code}\n{table}\n', encoding="utf-8")
    defines = [option for option in options if option.startswith("-D")]
    return ctypes.CDLL(str(built(source.stem, str(source), *defines, str(device()), f"-Wl,-rpath,{ROOM.name}")))


class Array(numpy_stand_in.DeviceArray):
    """A device's array that can be written to by another of the device alone, and not while a graph is captured."""

    @property
    def data(self) -> Any:
        """CuPy's, which is another than NumPy's."""
        return types.SimpleNamespace(ptr=self.ctypes.data)

    def __array_ufunc__(self, *inputs: Any, **options: Any) -> Any:
        not_captured()
        return np.asarray(super().__array_ufunc__(*inputs, **options)).view(Array)

    def __setitem__(self, place: Any, value: Any) -> None:
        not_captured()
        if isinstance(value, np.ndarray) and not isinstance(value, numpy_stand_in.DeviceArray):
            raise numpy_stand_in.Mixed("a host array cannot be written into a device array")
        super().__setitem__(place, value)

    def copy(self, order: Any = "C") -> "Array":
        not_captured()
        return super().copy(order)


def not_captured() -> None:
    """Raises during a capture: of what arrays do by themselves, this stand-in would record nothing."""
    if Stream.capturing:
        raise Refused("arithmetic of arrays while a graph is captured")


def empty(shape: Any, dtype: Any = float) -> Array:
    """An array in the device's memory."""
    not_captured()
    shape = (shape,) if isinstance(shape, int) else shape
    size = math.prod(shape) * np.dtype(dtype).itemsize
    begin = host().device_array(size)
    memory = (ctypes.c_char * size).from_address(begin)
    weakref.finalize(memory, host().device_array_gone, begin).atexit = False
    return np.frombuffer(memory, dtype).reshape(shape).view(Array)


def zeros(shape: Any, dtype: Any = float) -> Array:
    return array(np.zeros(shape, dtype))


def array(value: Any, dtype: Any = None) -> Array:
    found = np.asarray(value, dtype)
    made = empty(found.shape, found.dtype)
    np.asarray(made)[...] = found
    return made


class RawModule:
    """CuPy's: source text and options, and kernels out of it by name."""

    def __init__(self, code: str, options: Sequence[str] = ()) -> None:
        self.library = compiled(code, tuple(options))

    def get_function(self, name: str) -> Any:
        kernel = ctypes.addressof(ctypes.c_char.in_dll(self.library, f"described_{name}"))

        def launch(grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any]) -> None:
            described = [argument(value) for value in arguments]
            signature = " ".join(kind for kind, _ in described)
            places = (ctypes.c_void_p * len(described))(*(value.ctypes.data for _, value in described))
            sizes = [(ctypes.c_uint * 2)(*size, *[1] * (2 - len(size))) for size in (grid, block)]
            wrong = host().device_launch(ctypes.c_void_p(kernel), signature.encode(), *sizes, places)
            if wrong:
                raise Refused(f"{name}: {wrong.decode()}; it was given {signature}")

        return launch


def argument(value: Any) -> tuple[str, np.ndarray]:
    """Kind and size of a kernel's argument, and the bytes that are handed over: an address, or a NumPy scalar's own."""
    if isinstance(value, numpy_stand_in.DeviceArray):
        return "p8", np.array(value.ctypes.data, np.uint64)
    if not isinstance(value, np.generic):
        raise Refused(f"{type(value).__name__} as an argument: its size is not plain")
    return f"{'f' if value.dtype.kind == 'f' else 'i'}{value.dtype.itemsize}", np.array(value)


class Graph:
    """What was captured."""

    def __init__(self, number: int) -> None:
        self.number = number

    def launch(self) -> None:
        """Do it."""
        not_captured()
        if wrong := host().device_graph_launch(self.number):
            raise Refused(wrong.decode())


class Stream:
    """A stream that can be captured."""

    capturing = False
    made = 0

    def __init__(self, non_blocking: bool = False) -> None:
        assert non_blocking, "work on a blocking stream waits for the default one, which ends a capture"
        Stream.made += 1
        self.ptr = Stream.made

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *error: object) -> None: ...

    def synchronize(self) -> None:
        not_captured()

    def begin_capture(self) -> None:
        not_captured()
        Stream.capturing = True
        host().device_begin_capture(self.ptr)

    def end_capture(self) -> Graph:
        Stream.capturing = False
        return Graph(host().device_end_capture())


def module() -> types.ModuleType:
    """A module `cupy` with what the tuned implementation uses, and no more."""
    cupy = types.ModuleType("cupy")
    cupy.__dict__.update(
        RawModule=RawModule,
        empty=empty,
        zeros=zeros,
        array=array,
        asnumpy=numpy_stand_in.asnumpy,
        cuda=types.SimpleNamespace(
            Device=numpy_stand_in.Device,
            Stream=Stream,
            get_current_stream=lambda: types.SimpleNamespace(synchronize=not_captured),
            cublas=types.SimpleNamespace(__file__=str(device())),
        ),
    )
    return cupy
