// What the text of a CUDA kernel needs to be C++ for the CPU. The kernels themselves follow it, in the same file.
#pragma once

#include <math.h>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#define __global__
#define __device__
#define __shared__ static  // blocks run one after the other

struct Index { unsigned x, y; };
extern Index threadIdx, blockIdx, blockDim, gridDim;
void __syncthreads();

using Work = std::function<void()>;
struct Kernel {
    std::string signature;             // of each parameter its kind and its size: "p8 i4 f4"
    std::function<Work(void**)> bind;  // with copies of the arguments, as a launch and a graph hold them
};

template <class P>
std::string signature_of()
{
    const char* kind = std::is_pointer_v<P> ? "p" : std::is_floating_point_v<P> ? "f" : "i";
    return kind + std::to_string(sizeof(P));
}

template <class... P, size_t... I>
Work bound(void (*kernel)(P...), void** arguments, std::index_sequence<I...>)
{
    const std::tuple<P...> values(*static_cast<P*>(arguments[I])...);
    return [=] { kernel(std::get<I>(values)...); };
}

template <class... P>
Kernel described(void (*kernel)(P...))
{
    std::string signature;
    ((signature += (signature.empty() ? "" : " ") + signature_of<P>()), ...);
    return {signature, [=](void** arguments) { return bound(kernel, arguments, std::index_sequence_for<P...>()); }};
}
