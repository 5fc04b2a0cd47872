// A CUDA device as the tuned CuPy implementation sees one, on the CPU: kernels are run thread by thread, a stream can be
// captured, a graph repeats what was captured and nothing else, and of cuBLAS there are the functions that are called.
//
// The threads of a block are fibers, each with a stack of its own: one runs until it comes to __syncthreads, then the next.
// Threads and blocks run in either order: where an order changes a result, a __syncthreads is missing.

#include "cuda_on_the_host.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <deque>
#include <map>
#include <sstream>
#include <vector>

Index threadIdx, blockIdx, blockDim, gridDim;

namespace {

const int MOST_THREADS = 1024, STACK = 1 << 16, GUARD = 64, MOST_GONE = 1 << 26;
const int OK = 0, NOT_INITIALIZED = 1, INTERNAL_ERROR = 14;  // cuBLAS's names and numbers

struct Fiber {
    ucontext_t beginning;
    jmp_buf place;
    bool begun = false, done = false;
    std::vector<char> stack;
};

std::vector<Fiber> fibers(MOST_THREADS);
Fiber* current = nullptr;
const Work* job = nullptr;
jmp_buf scheduler;
bool backwards = false;

struct Call {
    Work work;
    std::vector<const void*> pointers;
};

std::vector<std::vector<Call>> graphs;
std::vector<Call> captured;
std::map<char*, size_t> arrays;  // where each begins, and how many bytes it has
std::deque<std::pair<char*, size_t>> gone;
size_t bytes_gone = 0;
std::string wrong;
size_t capturing = 0;  // the stream

void leave()
{
    if (!_setjmp(current->place)) _longjmp(scheduler, 1);
}

void live()
{
    for (;;) {
        (*job)();
        current->done = true;
        leave();
    }
}

void resume(Fiber& fiber)
{
    if (_setjmp(scheduler)) return;
    current = &fiber;
    if (fiber.begun) _longjmp(fiber.place, 1);
    fiber.begun = true;
    fiber.stack.resize(STACK);
    getcontext(&fiber.beginning);
    fiber.beginning.uc_stack.ss_sp = fiber.stack.data();
    fiber.beginning.uc_stack.ss_size = STACK;
    makecontext(&fiber.beginning, live, 0);
    setcontext(&fiber.beginning);
}

bool run_block(int threads)
{
    int done = 0;
    for (int t = 0; t < threads; t++) fibers[t].done = false;
    while (done < threads) {
        if (done) return false;  // some have ended, and others wait for them
        for (int i = 0; i < threads; i++) {
            const unsigned t = backwards ? threads - 1 - i : i;
            threadIdx = {t % blockDim.x, t / blockDim.x};
            resume(fibers[t]);
            done += fibers[t].done;
        }
    }
    return true;
}

void run(const Work& kernel, Index grid, Index block)
{
    job = &kernel, gridDim = grid, blockDim = block;
    for (unsigned i = 0; i < grid.x; i++) {
        blockIdx = {backwards ? grid.x - 1 - i : i, 0};
        if (!run_block(block.x * block.y)) wrong = "some threads of a block ended, and others wait at __syncthreads";
    }
}

bool is_in_an_array(const void* pointer)
{
    const auto next = arrays.upper_bound(static_cast<char*>(const_cast<void*>(pointer)));
    if (next == arrays.begin()) return false;
    const auto [begin, size] = *std::prev(next);
    return pointer < begin + size;
}

// Whether nothing was written there; makes it whole again, so that each fault is told once.
bool is_whole(char* guard)
{
    const bool whole = std::string(guard, GUARD) == std::string(GUARD, '\xff');
    memset(guard, 0xff, GUARD);
    return whole;
}

// Runs what was called, or captures it. What was called must not hold an address of what is no array any more, nor write
// into the guards before and behind each.
bool called(const Call& call)
{
    wrong.clear();
    if (capturing) return captured.push_back(call), true;
    for (const void* pointer : call.pointers)
        if (!is_in_an_array(pointer)) wrong = "an address at which there is no array";
    if (wrong.empty()) call.work();
    for (const auto& [begin, size] : arrays)
        if (is_whole(begin - GUARD) + is_whole(begin + size) < 2) wrong = "something wrote beyond an array";
    return wrong.empty();
}

const char* told() { return wrong.empty() ? nullptr : wrong.c_str(); }

struct Handle {
    size_t stream = 0;
    bool has_workspace = false, rounds = false;
};

// To TF32: 11 significant bits, to nearest, ties to even.
float rounded(float value)
{
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    if (!std::isfinite(value)) return value;
    bits = (bits + 0xfff + ((bits >> 13) & 1)) & ~0x1fffu;
    memcpy(&value, &bits, sizeof bits);
    return value;
}

double rounded(double value) { return value; }

template <class Real>
int gemm(void* handle, int transpose_a, int transpose_b, int m, int n, int k, const Real* alpha, const Real* a, int lda,
         const Real* b, int ldb, const Real* beta, Real* c, int ldc)
{
    const Handle* own = static_cast<Handle*>(handle);
    if (!own || !own->has_workspace) return NOT_INITIALIZED;
    if (lda < (transpose_a ? k : m) || ldb < (transpose_b ? n : k) || ldc < m) return 7;
    const Real scale = *alpha, kept = *beta;
    const bool rounds = own->rounds;
    const auto factor = [=](Real value) { return rounds ? rounded(value) : value; };
    const Work work = [=] {
        for (int j = 0; j < n; j++)
            for (int i = 0; i < m; i++) {
                Real sum = 0;
                for (int l = 0; l < k; l++)
                    sum += factor(transpose_a ? a[l + (size_t)i * lda] : a[i + (size_t)l * lda])
                         * factor(transpose_b ? b[j + (size_t)l * ldb] : b[l + (size_t)j * ldb]);
                Real& out = c[i + (size_t)j * ldc];
                out = scale * sum + (kept == 0 ? 0 : kept * out);
            }
    };
    if (capturing && own->stream != capturing) return INTERNAL_ERROR;
    return called({work, {a, b, c}}) ? OK : INTERNAL_ERROR;
}

}  // namespace

void __syncthreads() { leave(); }

extern "C" {

// Runs a kernel, or captures it. What is wrong, or null.
const char* device_launch(const Kernel* kernel, const char* signature, const unsigned* grid, const unsigned* block, void** arguments)
{
    if (kernel->signature != signature) return wrong = "the kernel takes " + kernel->signature, told();
    const Index blocks = {grid[0], 1}, threads = {block[0], block[1]};
    if (threads.x * threads.y > MOST_THREADS) return "a block has at most 1024 threads";
    const Work work = kernel->bind(arguments);
    std::vector<const void*> pointers;
    std::istringstream kinds(kernel->signature);
    for (std::string kind; kinds >> kind; arguments++)
        if (kind[0] == 'p') pointers.push_back(*static_cast<void**>(*arguments));
    called({[=] { run(work, blocks, threads); }, pointers});
    return told();
}

void device_begin_capture(size_t stream) { capturing = stream, captured.clear(); }

int device_end_capture()
{
    capturing = 0;
    graphs.push_back(std::move(captured));
    captured.clear();
    return graphs.size() - 1;
}

const char* device_graph_launch(int graph)
{
    wrong = graphs[graph].empty() ? "the graph is empty" : "";
    for (const Call& call : graphs[graph])
        if (!called(call)) break;
    return told();
}

// Memory for an array, every byte of it set: floats are NaN, so that what is read before it was written shows.
char* device_array(size_t size)
{
    char* memory = static_cast<char*>(aligned_alloc(GUARD, (GUARD + size + GUARD + GUARD - 1) / GUARD * GUARD));
    memset(memory, 0xff, GUARD + size + GUARD);
    arrays[memory + GUARD] = size;
    return memory + GUARD;
}

// Gives it back. Its address is not soon another array's: whoever still holds it is to be found out.
void device_array_gone(char* begin)
{
    gone.emplace_back(begin, arrays[begin]);
    bytes_gone += arrays[begin];
    arrays.erase(begin);
    for (; bytes_gone > MOST_GONE; gone.pop_front()) {
        bytes_gone -= gone.front().second;
        free(gone.front().first - GUARD);
    }
}

void device_order(int reversed) { backwards = reversed; }

int cublasCreate_v2(void** handle) { return *handle = new Handle, OK; }
int cublasDestroy_v2(void* handle) { return delete static_cast<Handle*>(handle), OK; }
int cublasSetStream_v2(void* handle, void* stream) { return *static_cast<Handle*>(handle) = {(size_t)stream, false}, OK; }
int cublasSetMathMode(void* handle, int mode) { return static_cast<Handle*>(handle)->rounds = mode == 3, OK; }

int cublasSetWorkspace_v2(void* handle, void* workspace, size_t size)
{
    memset(workspace, 0xff, size);  // it is this handle's to write in
    static_cast<Handle*>(handle)->has_workspace = true;
    return OK;
}

int cublasSgemm_v2(void* handle, int ta, int tb, int m, int n, int k, const float* alpha, const float* a, int lda,
                   const float* b, int ldb, const float* beta, float* c, int ldc)
{
    return gemm(handle, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

int cublasDgemm_v2(void* handle, int ta, int tb, int m, int n, int k, const double* alpha, const double* a, int lda,
                   const double* b, int ldb, const double* beta, double* c, int ldc)
{
    return gemm(handle, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

}  // extern "C"
