"""Matrix products by cuBLAS as part of a CUDA graph, where CuPy's own cannot be: for CuPy's tuned page."""

import ctypes
import weakref
from typing import Any

import cupy as cp
import numpy as np

Array = Any  # cupy.ndarray: CuPy ships no type stubs

WORKSPACE = 2**25
"""Bytes for cuBLAS to work in: what NVIDIA recommends for Hopper, and more than for what came before. They count as memory
of the model, where a handle of CuPy's own would have them beside its pool."""

TF32_TENSOR_OP_MATH = 3
"""cuBLAS's mode in which float32 factors may be rounded to TF32."""


class Products:
    """Matrix products by cuBLAS, as part of a graph.

    CuPy refuses to call cuBLAS while a graph is captured (its `cublas.setStream` raises). cuBLAS itself allows it where it
    need not allocate: so this is a handle of our own, with a workspace of its own, on the stream that is captured. The
    functions are found through CuPy's own extension module, which is linked to them: no other version can be meant.
    """

    def __init__(self, dtype: np.dtype, stream: Any, tf32: bool = False) -> None:
        library = ctypes.CDLL(cp.cuda.cublas.__file__)
        single = dtype == np.float32
        self.gemm = library.cublasSgemm_v2 if single else library.cublasDgemm_v2
        number, pointer, whole = ctypes.c_float if single else ctypes.c_double, ctypes.c_void_p, ctypes.c_int
        self.one, self.zero = number(1), number(0)
        factors, result = (pointer, pointer, whole, pointer, whole), (pointer, pointer, whole)
        self.gemm.argtypes = pointer, *(whole,) * 5, *factors, *result
        self.handle, self.workspace = pointer(), cp.empty(WORKSPACE, np.uint8)
        self._check(library.cublasCreate_v2(ctypes.byref(self.handle)))
        weakref.finalize(self, library.cublasDestroy_v2, self.handle).atexit = False  # then the driver may be gone
        self._check(library.cublasSetStream_v2(self.handle, pointer(stream.ptr)))  # takes the workspace away, so first
        workspace = pointer(self.workspace.data.ptr), ctypes.c_size_t(WORKSPACE)
        self._check(library.cublasSetWorkspace_v2(self.handle, *workspace))
        if tf32:
            self._check(library.cublasSetMathMode(self.handle, TF32_TENSOR_OP_MATH))

    def __call__(self, a: Array, b: Array, out: Array) -> None:
        """out = a b: a (M, K), b (K, N), either of them perhaps the transpose of an array; written into out (M, N).

        cuBLAS reads arrays column by column, and so sees the transpose of each: it computes out^T = b^T a^T. In float32 it
        uses no TF32, unless it was told to.
        """
        (m, k), n = a.shape, b.shape[1]
        (transpose_a, stride_a), (transpose_b, stride_b) = self._layout(a), self._layout(b)
        first, second = (b.data.ptr, stride_b), (a.data.ptr, stride_a)
        one, zero = ctypes.byref(self.one), ctypes.byref(self.zero)
        shape = transpose_b, transpose_a, n, m, k
        self._check(self.gemm(self.handle, *shape, one, *first, *second, zero, out.data.ptr, n))

    def _layout(self, matrix: Array) -> tuple[int, int]:
        """Whether cuBLAS must transpose it, and how far its rows, or those of the array it is the transpose of, are apart."""
        return (0, matrix.shape[1]) if matrix.flags.c_contiguous else (1, matrix.shape[0])

    def _check(self, status: int) -> None:
        if status:
            raise RuntimeError(f"cuBLAS returned the status {status}.")
