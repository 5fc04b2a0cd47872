"""The multilayer perceptron in CuPy, tuned: the whole training step is one CUDA graph of cuBLAS products and fused kernels.

On a GPU small networks are slow because of the many kernels that the host starts one by one, and large ones, beside their
products, because every kernel goes over memory once more. So whatever stands between two products is one kernel in CUDA
C++, its text is under the heading of the step that it belongs to, and the host starts a training step with one call.

Shape letters: B batch, D features, H hidden width, C classes; weights are (in, out), arrays row by row. In the kernels b
is a sample and c a column, which is a unit or a class.
"""

import ctypes
import math
import re
import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import cupy as cp
import numpy as np

from implementations.contract import Arrays
from implementations.mlp.spec import MLPSpec

Array = Any  # cupy.ndarray: CuPy ships no type stubs

COLUMNS, ROWS = 8, 64
"""Threads of a block that reduces over the batch. Eight neighbours read 32 bytes at once, the least that a GPU fetches; few
columns to a block make many blocks, and 64 rows make short sums."""

LANES, SAMPLES = 32, 8
"""Threads of a block that reduces over the classes, and samples that it does side by side."""

THREADS, MOST_BLOCKS = 256, 2048
"""Of a kernel that goes element by element. The blocks are enough to fill any GPU; each thread takes several elements."""

PRELUDE = r"""
// `Real` is float or double; the compiler is told it, and ROWS and COLUMNS. A thread that has no column of its own has no
// rows either, and goes on to the end, for all threads of a block must meet at each __syncthreads.

__device__ Real add(Real a, Real b) { return a + b; }
__device__ Real larger(Real a, Real b) { return a > b ? a : b; }

// Joins one number of each of `lanes` threads (a power of 2), in pairs, pairs of pairs, ...: of all sums in one precision
// this strays least (Higham 1993). Everyone gets the result. `lane` says which of them a thread is, `apart` how far they
// stand from each other in the block.
template <Real (*join)(Real, Real)>
__device__ Real tree(Real mine, int lane, int lanes, int apart)
{
    __shared__ Real part[ROWS * COLUMNS];
    const int me = threadIdx.y * blockDim.x + threadIdx.x;
    part[me] = mine;
    for (int half = lanes / 2; half > 0; half /= 2) {
        __syncthreads();
        if (lane < half) part[me] = join(part[me], part[me + half * apart]);
    }
    __syncthreads();
    const Real joined = part[me - lane * apart];
    __syncthreads();  // nobody writes into `part` again before everybody has read
    return joined;
}

__device__ Real over_rows(Real mine) { return tree<add>(mine, threadIdx.y, ROWS, COLUMNS); }
"""

# --- dense ---

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


def dense(product: Products, x: Array, weight: Array, z: Array) -> None:
    """z = x W: x (B, D), W (D, H); written into z (B, H). The bias is added by the kernel that comes next."""
    product(x, weight, z)


# --- batch_norm ---

BATCH_NORM = r"""
// h = relu(gamma z_hat + beta) * mask,  z_hat = (z - mean) / std over the batch   (Ioffe & Szegedy 2015, Algorithm 1)
// Also mean and 1/std (H) for the way back, and the running statistics: r = momentum r + fresh new, fresh = 1 - momentum,
// of the variance times `unbiased`. First the mean, then the squares of what is centred: E[z^2] - E[z]^2 would cancel.
// A block has COLUMNS of the columns to itself and goes over them three times; the second time they are in the cache.
extern "C" __global__ void norm_relu_dropout(
    const Real* z, const Real* gamma, const Real* beta, Real* mean, Real* inv_std, Real* h, int B, int H, Real epsilon,
    Real* running_mean, Real* running_variance, Real momentum, Real fresh, Real unbiased,
    unsigned threshold, Real scale, unsigned seed, unsigned layer, const unsigned long long* counters)
{
    const int c = blockIdx.x * COLUMNS + threadIdx.x, rows = c < H ? B : 0;
    Real sum = 0, squares = 0;
    for (int b = threadIdx.y; b < rows; b += ROWS) sum += z[(size_t)b * H + c];
    const Real center = over_rows(sum) / B;
    for (int b = threadIdx.y; b < rows; b += ROWS) {
        const Real centred = z[(size_t)b * H + c] - center;
        squares += centred * centred;
    }
    const Real variance = over_rows(squares) / B, inverse = 1 / sqrt(variance + epsilon);
    const Real gain = rows ? gamma[c] : 0, shift = rows ? beta[c] : 0;
    for (int b = 4 * threadIdx.y; b < rows; b += 4 * ROWS) {
        const Four mask = masks(b, c, threshold, scale, seed, layer, counters);
        for (int k = 0; k < 4 && b + k < B; k++) {
            const size_t at = (size_t)(b + k) * H + c;
            h[at] = relu(gain * ((z[at] - center) * inverse) + shift) * mask.row[k];
        }
    }
    if (threadIdx.y == 0 && c < H) {
        mean[c] = center;
        inv_std[c] = inverse;
        running_mean[c] = momentum * running_mean[c] + fresh * center;
        running_variance[c] = momentum * running_variance[c] + fresh * (variance * unbiased);
    }
}

// z = relu(gamma (z - running mean) / sqrt(running variance + epsilon) + beta), in place, for prediction (Algorithm 2)
extern "C" __global__ void norm_running_relu(
    Real* z, const Real* gamma, const Real* beta, const Real* mean, const Real* variance, int B, int H, Real epsilon)
{
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < (size_t)B * H; i += gridDim.x * blockDim.x) {
        const int c = i % H;
        z[i] = relu(gamma[c] * ((z[i] - mean[c]) / sqrt(variance[c] + epsilon)) + beta[c]);
    }
}
"""


def batch_norm(kernels: Any, layer: "Layer", parameters: tuple, running: tuple, constants: tuple, drop: tuple) -> None:
    """Batch norm, ReLU and dropout at once: layer.z (B, H) -> layer.h (B, H). Moves the running statistics (H,)."""
    epsilon, *moving = constants
    buffers = layer.z, *parameters, layer.mean, layer.inv_std, layer.h
    arguments = *buffers, *_sizes(layer.z), epsilon, *running, *moving, *drop
    kernels.norm_relu_dropout(_blocks(layer.z), (COLUMNS, ROWS), arguments)


def batch_norm_running(kernels: Any, z: Array, parameters: tuple, running: tuple, epsilon: Any) -> None:
    """Batch norm with the running statistics, and ReLU, for prediction; in place of z (B, H)."""
    kernels.norm_running_relu(_grid(z.size), (THREADS,), (z, *parameters, *running, *_sizes(z), epsilon))


# --- relu ---

RELU = r"""
__device__ Real relu(Real n) { return n < 0 ? 0 : n; }  // what is not a number stays so

// z = relu(z + bias) * mask, in place: without batch norm. One thread for four samples of a unit.
extern "C" __global__ void bias_relu_dropout(
    Real* z, const Real* bias, int B, int H,
    unsigned threshold, Real scale, unsigned seed, unsigned layer, const unsigned long long* counters)
{
    const size_t all = (size_t)((B + 3) / 4) * H;
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < all; i += gridDim.x * blockDim.x) {
        const int b = i / H * 4, c = i % H;
        const Four mask = masks(b, c, threshold, scale, seed, layer, counters);
        for (int k = 0; k < 4 && b + k < B; k++) {
            const size_t at = (size_t)(b + k) * H + c;
            z[at] = relu(z[at] + bias[c]) * mask.row[k];
        }
    }
}
"""


def relu(kernels: Any, z: Array, bias: Array, drop: tuple) -> None:
    """Bias, ReLU and dropout at once, in place of z (B, H). (Where there is batch norm, its kernel does the ReLU.)"""
    kernels.bias_relu_dropout(_grid(z.size // 4), (THREADS,), (z, bias, *_sizes(z), *drop))


# --- dropout ---

DROPOUT = r"""
struct Words { unsigned word[4]; };
struct Four { Real row[4]; };

// Philox 4x32-10 (Salmon et al. 2011): a function from a counter and a key to four random words. It has no state: whoever
// needs the numbers of a place computes them there.
__device__ Words philox(Words counter, unsigned key0, unsigned key1)
{
    for (int round = 0; round < 10; round++) {
        const unsigned long long a = 0xD2511F53ull * counter.word[0], b = 0xCD9E8D57ull * counter.word[2];
        counter = {{(unsigned)(b >> 32) ^ counter.word[1] ^ key0, (unsigned)b,
                    (unsigned)(a >> 32) ^ counter.word[3] ^ key1, (unsigned)a}};
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return counter;
}

// What samples b to b + 3 of unit c are multiplied by: 0 with probability p = threshold / 2^32, else scale = 1 / (1 - p)
// (inverted dropout, Srivastava et al. 2014). The place and counters[1], the draws so far, make the counter: the graph
// draws other masks each time it runs.
__device__ Four masks(
    int b, int c, unsigned threshold, Real scale, unsigned seed, unsigned layer, const unsigned long long* counters)
{
    if (threshold == 0) return {{scale, scale, scale, scale}};
    const unsigned long long draws = counters[1];
    const Words place = {{(unsigned)b / 4, (unsigned)c, (unsigned)draws, (unsigned)(draws >> 32)}};
    const Words drawn = philox(place, seed, layer);
    Four mask;
    for (int k = 0; k < 4; k++) mask.row[k] = drawn.word[k] >= threshold ? scale : 0;
    return mask;
}

// The masks alone, as the kernels above draw them.
extern "C" __global__ void dropout_mask(
    Real* mask, int B, int H,
    unsigned threshold, Real scale, unsigned seed, unsigned layer, const unsigned long long* counters)
{
    const size_t all = (size_t)((B + 3) / 4) * H;
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < all; i += gridDim.x * blockDim.x) {
        const int b = i / H * 4, c = i % H;
        const Four drawn = masks(b, c, threshold, scale, seed, layer, counters);
        for (int k = 0; k < 4 && b + k < B; k++) mask[(size_t)(b + k) * H + c] = drawn.row[k];
    }
}
"""


def dropout(spec: MLPSpec, layer: int, counters: Array, training: bool = True) -> tuple:
    """What a kernel must know to draw the mask of a hidden layer. A rate of 0, as in prediction, draws nothing."""
    rate = spec.dropout if training else 0.0
    scale = np.dtype(spec.dtype).type(1 / (1 - rate))
    return np.uint32(int(rate * 2**32)), scale, np.uint32(spec.seed), np.uint32(layer), counters


def dropout_mask(kernels: Any, mask: Array, drop: tuple) -> Array:
    """The mask of one layer, 0 or 1/(1-rate), into `mask` (B, H)."""
    kernels.dropout_mask(_grid(mask.size // 4), (THREADS,), (mask, *_sizes(mask), *drop))
    return mask


# --- output ---

OUTPUT = r"""
// logits += bias, for prediction
extern "C" __global__ void add_bias(Real* logits, const Real* bias, int B, int C)
{
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < (size_t)B * C; i += gridDim.x * blockDim.x)
        logits[i] += bias[i % C];
}
"""


def output(product: Products, h: Array, weight: Array, logits: Array) -> None:
    """logits = h W: h (B, H), W (H, C); written into logits (B, C). In training the loss's kernel adds the bias."""
    product(h, weight, logits)


def add_bias(kernels: Any, logits: Array, bias: Array) -> None:
    """The bias (C,) of the output layer, for prediction; in place."""
    kernels.add_bias(_grid(logits.size), (THREADS,), (logits, bias, *_sizes(logits)))


# --- loss ---

LOSS = r"""
// losses = -log P[label] / B,  logits = (P - onehot(label)) / B, the gradient of their sum, in place;
// P = softmax(logits + bias), with the row's largest logit subtracted, so that nothing overflows.
// One row of threads for one sample. It counts the step, too: counters[0] is the optimizer's, counters[1] the masks'; those
// of this step are drawn, and its update is to come.
extern "C" __global__ void cross_entropy(
    Real* logits, const Real* bias, const long long* y, Real* losses, int B, int C, unsigned long long* counters)
{
    const int b = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x, lanes = blockDim.x, classes = b < B ? C : 0;
    Real* row = logits + (classes ? (size_t)b * C : 0);
    Real mine = row[0] + bias[0], sum = 0, label = 0;
    for (int c = lane; c < classes; c += lanes) mine = larger(mine, row[c] + bias[c]);
    const Real largest = tree<larger>(mine, lane, lanes, 1);
    for (int c = lane; c < classes; c += lanes) sum += exp(row[c] + bias[c] - largest);
    if (classes) label = row[y[b]] + bias[y[b]] - largest;
    const Real total = tree<add>(sum, lane, lanes, 1);
    for (int c = lane; c < classes; c += lanes)
        row[c] = (exp(row[c] + bias[c] - largest) / total - (c == y[b] ? 1 : 0)) / B;
    if (classes && lane == 0) losses[b] = (log(total) - label) / B;
    if (b == 0 && lane < 2) counters[lane] += 1;
}

// out = sum over the rows of a (B, H): a bias's gradient, and the mean loss from its parts
extern "C" __global__ void column_sums(const Real* a, Real* out, int B, int H)
{
    const int c = blockIdx.x * COLUMNS + threadIdx.x, rows = c < H ? B : 0;
    Real sum = 0;
    for (int b = threadIdx.y; b < rows; b += ROWS) sum += a[(size_t)b * H + c];
    sum = over_rows(sum);
    if (threadIdx.y == 0 && c < H) out[c] = sum;
}
"""


def cross_entropy(kernels: Any, room: "Room", bias: Array, counters: Array) -> None:
    """The mean loss into room.loss; room.logits (B, C), still without their bias, become dlogits."""
    arguments = room.logits, bias, room.y, room.losses, *_sizes(room.logits), counters
    kernels.cross_entropy((-(-len(room.y) // SAMPLES),), (LANES, SAMPLES), arguments)
    column_sums(kernels, room.losses, room.loss)


def column_sums(kernels: Any, a: Array, out: Array) -> None:
    """The sums (H,) over the rows of a (B, H)."""
    kernels.column_sums(_blocks(a), (COLUMNS, ROWS), (a, out, *_sizes(a)))


# --- backward ---

BACKWARD = r"""
// What came through ReLU and dropout is positive: it gets its gradient, with dropout's scale, the rest none.
__device__ Real passed(Real dh, Real h, Real scale) { return dh * (h > 0 ? scale : 0); }

// dn = dh through dropout and ReLU;  dbeta = sum(dn), dgamma = sum(dn z_hat);
// dz = gamma/std (dn - dbeta/B - z_hat dgamma/B), in place of dh   (Ioffe & Szegedy 2015, section 3)
extern "C" __global__ void norm_backward(
    Real* dh, const Real* h, const Real* z, const Real* gamma, const Real* mean, const Real* inv_std,
    Real* dgamma, Real* dbeta, int B, int H, Real scale)
{
    const int c = blockIdx.x * COLUMNS + threadIdx.x, rows = c < H ? B : 0;
    const Real center = rows ? mean[c] : 0, inverse = rows ? inv_std[c] : 0, gain = rows ? gamma[c] * inverse : 0;
    Real sum = 0, products = 0;
    for (int b = threadIdx.y; b < rows; b += ROWS) {
        const size_t at = (size_t)b * H + c;
        const Real dn = passed(dh[at], h[at], scale);
        sum += dn;
        products += dn * ((z[at] - center) * inverse);
    }
    sum = over_rows(sum);
    products = over_rows(products);
    for (int b = threadIdx.y; b < rows; b += ROWS) {
        const size_t at = (size_t)b * H + c;
        const Real dn = passed(dh[at], h[at], scale), z_hat = (z[at] - center) * inverse;
        dh[at] = gain * (dn - sum / B - z_hat * (products / B));
    }
    if (threadIdx.y == 0 && c < H) {
        dbeta[c] = sum;
        dgamma[c] = products;
    }
}

// dz = dh through dropout and ReLU, in place; dbias = sum(dz): without batch norm
extern "C" __global__ void bias_backward(Real* dh, const Real* h, Real* dbias, int B, int H, Real scale)
{
    const int c = blockIdx.x * COLUMNS + threadIdx.x, rows = c < H ? B : 0;
    Real sum = 0;
    for (int b = threadIdx.y; b < rows; b += ROWS) {
        const size_t at = (size_t)b * H + c;
        dh[at] = passed(dh[at], h[at], scale);
        sum += dh[at];
    }
    sum = over_rows(sum);
    if (threadIdx.y == 0 && c < H) dbias[c] = sum;
}
"""


def dense_backward(product: Products, dz: Array, x: Array, weight: Array, dweight: Array, dx: Array | None) -> None:
    """dW = x^T dz and dx = dz W^T, each written where it belongs; no dx where nobody asks for it."""
    product(x.T, dz, dweight)
    if dx is not None:
        product(dz, weight.T, dx)


def batch_norm_backward(kernels: Any, layer: "Layer", gamma: Array, dgamma: Array, dbeta: Array, scale: Any) -> None:
    """Back through dropout, ReLU and batch norm at once, in place of layer.dh (B, H)."""
    buffers = layer.dh, layer.h, layer.z, gamma, layer.mean, layer.inv_std, dgamma, dbeta
    kernels.norm_backward(_blocks(layer.dh), (COLUMNS, ROWS), (*buffers, *_sizes(layer.dh), scale))


def relu_backward(kernels: Any, layer: "Layer", dbias: Array, scale: Any) -> None:
    """Back through dropout, ReLU and bias at once, in place of layer.dh (B, H)."""
    arguments = layer.dh, layer.h, dbias, *_sizes(layer.dh), scale
    kernels.bias_backward(_blocks(layer.dh), (COLUMNS, ROWS), arguments)


# --- update ---

UPDATE = r"""
// w -= lr g
extern "C" __global__ void descend(Real* w, const Real* g, size_t size, Real rate)
{
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) w[i] -= rate * g[i];
}

// v = mu v + g;  w -= lr v   (Sutskever et al. 2013)
extern "C" __global__ void descend_with_momentum(
    Real* w, const Real* g, Real* velocity, size_t size, Real rate, Real momentum)
{
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) {
        velocity[i] = momentum * velocity[i] + g[i];
        w[i] -= rate * velocity[i];
    }
}

// m = beta1 m + fresh1 g;  v = beta2 v + fresh2 g^2;  w -= rate m / (sqrt(v) + small), fresh = 1 - beta (Kingma & Ba 2015,
// with the corrections of both moments in the rate and in epsilon, section 2). The first `kernels` of w decay before
// (Loshchilov & Hutter 2019). The step's number t = counters[0] is read on the device, for a graph would repeat one that
// was handed to it; 1 - beta^t is -expm1(t log beta), in double, which loses no digits while beta^t is near 1.
extern "C" __global__ void adam(
    Real* w, const Real* g, Real* m, Real* v, size_t size, size_t kernels, const unsigned long long* counters,
    double log_beta1, double log_beta2, double learning_rate, double epsilon, int hat,
    Real beta1, Real fresh1, Real beta2, Real fresh2, Real decay)
{
    __shared__ Real rate, small;
    if (threadIdx.x == 0) {
        const double t = counters[0], correction1 = -expm1(t * log_beta1), correction2 = sqrt(-expm1(t * log_beta2));
        rate = learning_rate * correction2 / correction1;
        small = hat ? epsilon : epsilon * correction2;
    }
    __syncthreads();
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) {
        m[i] = beta1 * m[i] + fresh1 * g[i];
        v[i] = beta2 * v[i] + fresh2 * (g[i] * g[i]);
        w[i] = (i < kernels ? decay * w[i] : w[i]) - rate * m[i] / (sqrt(v[i]) + small);
    }
}
"""


def sgd(kernels: Any, w: Array, g: Array, velocity: Array | None, settings: Any) -> None:
    """One step on all parameters at once. Without momentum there is no velocity to keep."""
    size, rate = np.uint64(w.size), w.dtype.type(settings.learning_rate)
    if velocity is None:
        kernels.descend(_grid(w.size), (THREADS,), (w, g, size, rate))
    else:
        arguments = w, g, velocity, size, rate, w.dtype.type(settings.momentum)
        kernels.descend_with_momentum(_grid(w.size), (THREADS,), arguments)


def adam(kernels: Any, w: Array, g: Array, m: Array, v: Array, decaying: int, counters: Array, settings: Any) -> None:
    """One step on all parameters at once; `decaying` of them, the first, are weights of layers."""
    real, betas = w.dtype.type, (settings.beta1, settings.beta2)
    logarithms = [np.float64(math.log(beta) if beta else -math.inf) for beta in betas]
    constants = [real(value) for beta in betas for value in (beta, 1 - beta)]
    decay = 1 - settings.learning_rate * settings.weight_decay if settings.kind == "adamw" else 1
    doubles = *logarithms, np.float64(settings.learning_rate), np.float64(settings.epsilon)
    sizes, hat = (np.uint64(w.size), np.uint64(decaying)), np.int32(settings.epsilon_form == "hat")
    kernels.adam(_grid(w.size), (THREADS,), (w, g, m, v, *sizes, counters, *doubles, hat, *constants, real(decay)))


# --- the model ---

SOURCE = PRELUDE + DROPOUT + RELU + BATCH_NORM + OUTPUT + LOSS + BACKWARD + UPDATE
"""All kernels. They include nothing: what they call (exp, log, sqrt, expm1) CUDA's compiler knows by itself."""

ALIGNED = 64
"""Numbers to which the place of every parameter in its block is rounded up: cuBLAS is quicker at such addresses."""


def options(dtype: np.dtype) -> tuple[str, ...]:
    """What the compiler is told. Never --use_fast_math, which gives up digits.

    CuPy adds what it tells it for all its kernels: the device's architecture, and to flush subnormal numbers to zero.
    """
    real = "float" if dtype == np.float32 else "double"
    return "-std=c++17", f"-DReal={real}", f"-DROWS={ROWS}", f"-DCOLUMNS={COLUMNS}"


def compiled(dtype: np.dtype) -> Any:
    """The kernels by name."""
    module = cp.RawModule(code=SOURCE, options=options(dtype))
    names = re.findall(r"__global__ void (\w+)\(", SOURCE)
    return types.SimpleNamespace(**{name: module.get_function(name) for name in names})


class Layer:
    """What a hidden layer works in at one batch size: z, h and dh (B, H), mean and 1/std (H,)."""

    def __init__(self, batch: int, width: int, spec: MLPSpec, dtype: np.dtype) -> None:
        self.h, self.dh = (cp.empty((batch, width), dtype) for _ in range(2))
        self.z = cp.empty((batch, width), dtype) if spec.batch_norm else self.h
        self.mean, self.inv_std = (cp.empty(width, dtype) for _ in range(2))


class Room:
    """All that is worked in at one batch size, and what has been captured there: its addresses are in the graphs."""

    def __init__(self, spec: MLPSpec, batch: int, dtype: np.dtype) -> None:
        self.x, self.y = cp.empty((batch, spec.features), dtype), cp.empty(batch, np.int64)
        self.layers = [Layer(batch, width, spec, dtype) for width in spec.hidden]
        self.logits = cp.empty((batch, spec.classes), dtype)
        self.losses, self.loss = cp.empty((batch, 1), dtype), cp.empty((), dtype)
        self.training: Any = None
        self.prediction: Any = None


class TunedMLP:
    """The contract's model (`implementations.contract.Model`) out of the functions above.

    All calls must come on one stream, for they share their buffers.
    """

    def __init__(self, spec: MLPSpec, device: str = "cuda:0") -> None:
        cp.cuda.Device(int(device.partition(":")[2] or 0)).use()
        self.spec, self.dtype = spec, np.dtype(spec.dtype)
        self.kernels = compiled(self.dtype)
        self.stream = cp.cuda.Stream(non_blocking=True)
        """Where graphs are captured: on CUDA's default stream that is forbidden. They are launched on the caller's."""

        self.product = Products(self.dtype, self.stream, tf32=spec.precision == "tf32")
        self.rooms: dict[int, Room] = {}
        self.counters = cp.zeros(2, np.uint64)
        """Steps of the optimizer, draws of the masks: what differs from one run of a graph to the next is on the device."""

        self.scale = dropout(spec, 0, self.counters)[1]
        moved = 1 - spec.norm_momentum
        self.norm_constants = [self.dtype.type(value) for value in (spec.norm_epsilon, spec.norm_momentum, moved)]
        self._allocate()

    def _allocate(self) -> None:
        """One block per kind of parameter-like array, weights first (weight decay is theirs alone); views by name."""
        tensors, slots = self.spec.tensors(), self.spec.optimizer.slots
        parameters = [name for name, tensor in tensors.items() if tensor.role == "parameter"]
        parameters.sort(key=lambda name: not name.endswith(".weight"))
        shapes = {name: tensors[name].shape for name in parameters}
        size = sum(map(_room_for, shapes.values()))
        self.decaying = sum(_room_for(shape) for name, shape in shapes.items() if name.endswith(".weight"))
        self.blocks = {kind: cp.zeros(size, self.dtype) for kind in ("", *slots)}
        self.gradient = cp.zeros(size, self.dtype)
        self.w, self.g = _views(self.blocks[""], shapes), _views(self.gradient, shapes)
        self.named = self.w | {
            f"{slot}:{name}": view for slot in slots for name, view in _views(self.blocks[slot], shapes).items()
        }
        statistics = {name: tensor.shape for name, tensor in tensors.items() if tensor.role == "statistic"}
        self.running = cp.zeros(sum(map(_room_for, statistics.values())), self.dtype)
        self.named |= _views(self.running, statistics)

    def train_step(self, x: Array, y: Array) -> Array:
        """One step of training on x (B, D), y (B,); returns the loss.

        The batch is copied into the graph's own buffers: a graph holds addresses, and the next batch may stand elsewhere, or
        another array where this one was. That copy is small beside a step, which reads x twice and writes all else.
        """
        room = self._room(x)
        room.y[...] = y
        room.training = room.training or self._captured(self._step, room)
        room.training.launch()
        return room.loss.copy()

    def _captured(self, work: Callable[[Room], None], room: Room) -> Any:
        """The graph of `work`, which is not done while it is captured.

        It is done once before, and what that moved is put back: the first calls load kernels, which capturing must not.
        """
        moving = [*self.blocks.values(), self.running, self.counters]
        before = [block.copy() for block in moving]
        cp.cuda.get_current_stream().synchronize()
        with self.stream:
            work(room)
            for block, value in zip(moving, before, strict=True):
                block[...] = value
            self.stream.synchronize()
            self.stream.begin_capture()
            try:
                work(room)
            finally:
                graph = self.stream.end_capture()
        return graph

    def _step(self, room: Room) -> None:
        """A training step on the batch in the room."""
        self.forward(room)
        cross_entropy(self.kernels, room, self.w["output.bias"], self.counters)
        self.backward(room)
        self.update()

    def forward(self, room: Room) -> None:
        """Logits of a training step into the room, without their bias. Moves the running statistics."""
        h, w, batch = room.x, self.w, len(room.x)
        unbiased = batch / (batch - 1) if self.spec.running_variance == "unbiased" and batch > 1 else 1
        constants = *self.norm_constants, self.dtype.type(unbiased)
        for i, layer in enumerate(room.layers, start=1):
            drop = dropout(self.spec, i, self.counters)
            dense(self.product, h, w[f"dense{i}.weight"], layer.z)
            if self.spec.batch_norm:
                batch_norm(self.kernels, layer, *self._norm(i), constants, drop)
            else:
                relu(self.kernels, layer.h, w[f"dense{i}.bias"], drop)
            h = layer.h
        output(self.product, h, w["output.weight"], room.logits)

    def _norm(self, i: int) -> tuple[tuple, tuple]:
        """gamma and beta, running mean and variance of a layer, each (H,)."""
        names = ("gamma", "beta"), ("running_mean", "running_variance")
        parameters, running = (tuple(self.named[f"norm{i}.{name}"] for name in pair) for pair in names)
        return parameters, running

    def backward(self, room: Room) -> None:
        """Gradients of the loss into their block, from the last layer to the first."""
        w, g, dz, name = self.w, self.g, room.logits, "output.weight"
        column_sums(self.kernels, dz, g["output.bias"])
        for i in range(len(room.layers), 0, -1):
            layer = room.layers[i - 1]
            dense_backward(self.product, dz, layer.h, w[name], g[name], layer.dh)
            if self.spec.batch_norm:
                gamma, dgamma, dbeta = w[f"norm{i}.gamma"], g[f"norm{i}.gamma"], g[f"norm{i}.beta"]
                batch_norm_backward(self.kernels, layer, gamma, dgamma, dbeta, self.scale)
            else:
                relu_backward(self.kernels, layer, g[f"dense{i}.bias"], self.scale)
            name, dz = f"dense{i}.weight", layer.dh
        dense_backward(self.product, dz, room.x, w[name], g[name], None)

    def update(self) -> None:
        """One step of the optimizer on every parameter."""
        optimizer, w = self.spec.optimizer, self.blocks[""]
        slots = [self.blocks[slot] for slot in optimizer.slots]
        if optimizer.kind == "sgd":
            sgd(self.kernels, w, self.gradient, slots[0] if slots else None, optimizer)
        else:
            m, v = slots
            adam(self.kernels, w, self.gradient, m, v, self.decaying, self.counters, optimizer)

    def predict(self, x: Array) -> Array:
        """Logits (B, C) with running statistics and without dropout. They are the caller's."""
        room = self._room(x)
        room.prediction = room.prediction or self._captured(self._predict, room)
        room.prediction.launch()
        return room.logits.copy()

    def _predict(self, room: Room) -> None:
        """The prediction for the features in the room."""
        h, w = room.x, self.w
        for i, layer in enumerate(room.layers, start=1):
            dense(self.product, h, w[f"dense{i}.weight"], layer.h)
            h = layer.h
            if self.spec.batch_norm:
                batch_norm_running(self.kernels, h, *self._norm(i), self.norm_constants[0])
            else:
                relu(self.kernels, h, w[f"dense{i}.bias"], dropout(self.spec, i, self.counters, training=False))
        output(self.product, h, w["output.weight"], room.logits)
        add_bias(self.kernels, room.logits, w["output.bias"])

    def _room(self, x: Array) -> Room:
        """The room for as many samples, with x in it; of two sizes at most, that of training and that of prediction."""
        batch = len(x)
        if batch not in self.rooms:
            if len(self.rooms) == 2:
                del self.rooms[next(iter(self.rooms))]
            self.rooms[batch] = Room(self.spec, batch, self.dtype)
        self.rooms[batch].x[...] = x
        return self.rooms[batch]

    def state(self) -> Arrays:
        """Copies of all arrays, on the host, under the specification's names."""
        state = {name: cp.asnumpy(view) for name, view in self.named.items()}
        if self.spec.optimizer.kind != "sgd":
            state["step"] = np.asarray(float(self.counters[0]))
        return state

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over copies of the named arrays, in this model's number type, to where the graphs look for them."""
        for name, view in self.named.items():
            view[...] = cp.array(state[name], dtype=self.dtype)
        self.counters[0] = int(state.get("step", 0))

    def random_state(self) -> Array:
        """A copy of how often masks have been drawn: with the seed and the place, that is all their numbers depend on."""
        return self.counters[1:].copy()

    def set_random_state(self, random_state: Array) -> None:
        """Rewind the mask generator."""
        self.counters[1:] = random_state

    def draw_masks(self, batch: int) -> Arrays:
        """The masks of the next training step, drawn from the generator as that step would."""
        drawn = {}
        for i, (name, shape) in enumerate(self.spec.masks(batch).items(), start=1):
            mask = dropout_mask(self.kernels, cp.empty(shape, self.dtype), dropout(self.spec, i, self.counters))
            drawn[name] = cp.asnumpy(mask)
        self.counters[1:] += 1
        return drawn

    def active_units(self, x: Array) -> Arrays:
        """Which units (B, H) pass ReLU and dropout in a training step on x, by the oracle's names; nothing moves.

        By the graph's kernels and products, one by one.
        """
        room, running = self._room(x), self.running.copy()
        cp.cuda.get_current_stream().synchronize()
        with self.stream:
            self.forward(room)
            self.running[...] = running
            self.stream.synchronize()
        return {f"relu{i}": cp.asnumpy(layer.h) > 0 for i, layer in enumerate(room.layers, start=1)}


def _sizes(array: Array) -> tuple[np.int32, np.int32]:
    """Rows and columns, as a kernel takes them."""
    rows, columns = array.shape
    return np.int32(rows), np.int32(columns)


def _blocks(array: Array) -> tuple[int]:
    """A block for every few columns."""
    return (-(-array.shape[1] // COLUMNS),)


def _grid(elements: int) -> tuple[int]:
    """Blocks for about so many elements, at least one."""
    return (min(elements // THREADS + 1, MOST_BLOCKS),)


def _room_for(shape: Iterable[int]) -> int:
    """Numbers that an array of this shape takes up in its block."""
    return -(-math.prod(shape) // ALIGNED) * ALIGNED


def _views(block: Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """The block's parts by name, in these shapes."""
    views, at = {}, 0
    for name, shape in shapes.items():
        views[name] = block[at : at + math.prod(shape)].reshape(shape)
        at += _room_for(shape)
    return views
