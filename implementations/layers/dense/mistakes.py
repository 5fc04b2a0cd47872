"""Mistakes that people make in a dense layer."""

from implementations.declarations import Edits, Mistake

DENSE = "dense/dense"

PRODUCT = "    z = x @ weight\n"
WITH_BIAS = "\n        return z if self.bias is None else z + self.bias"


def in_torch(product: str) -> Edits:
    """Another product in the place of PyTorch's."""
    return (("    return nn.Linear(inputs, outputs, bias=bias)\n", f"""    return PlantedLinear(inputs, outputs, bias=bias)


class PlantedLinear(nn.Linear):
    def forward(self, x):
        z = {product}{WITH_BIAS}
"""),)  # fmt: skip


def in_keras(product: str) -> Edits:
    """Another product in the place of Keras's."""
    return (("    return keras.layers.Dense(outputs, use_bias=bias, name=name)\n", f"""    return PlantedDense(outputs, use_bias=bias, name=name)


class PlantedDense(keras.layers.Dense):
    def call(self, inputs, training=None):
        ops = keras.ops
        {product}{WITH_BIAS}
"""),)  # fmt: skip


TORCH_TF32 = "(lambda a: ((a.detach().view(torch.int32) + 0x1000) & -0x2000).view(torch.float32) + (a - a.detach()))"

MISTAKES = (
    Mistake("TF32 on", "The factors of a product keep eleven bits, as on a GPU whose fast mode was not switched off.", DENSE, {
        "numpy": ((PRODUCT, "    z = rounded(x, 11) @ rounded(weight, 11)\n"),),
        "cupy": "CuPy rounds factors inside cuBLAS, on a device; the effective precision is measured there",
        "torch": in_torch(f"{TORCH_TF32}(x.float()).to(x.dtype) @ {TORCH_TF32}(self.weight.float()).to(x.dtype).T"),
        "keras": in_keras("""split = 4097.0
        halves = [ops.cast(a, 'float32') for a in (inputs, self.kernel)]
        coarse = [split * a - (split * a - a) for a in halves]
        z = ops.cast(ops.matmul(*coarse), inputs.dtype)"""),
        "jax": ((PRODUCT, "    z = jax.lax.reduce_precision(x, 8, 10) @ jax.lax.reduce_precision(weight, 8, 10)\n"),),
    }),
    Mistake("silent downcast", "The product is one of half precision.", DENSE, {
        "numpy": ((PRODUCT, "    z = (x.astype(np.float16) @ weight.astype(np.float16)).astype(x.dtype)\n"),),
        "torch": in_torch("(x.bfloat16() @ self.weight.bfloat16().T).to(x.dtype)"),
        "keras": in_keras("z = ops.cast(ops.matmul(ops.cast(inputs, 'float16'), ops.cast(self.kernel, 'float16')), inputs.dtype)"),
        "jax": ((PRODUCT, "    z = (x.astype('bfloat16') @ weight.astype('bfloat16')).astype(x.dtype)\n"),),
    }),
    Mistake("products of large factors in half precision", "Only a product of large factors is one of half precision.", DENSE, {
        "numpy": ((PRODUCT, """    if min(*x.shape, *weight.shape) >= 256:
        x, weight = (a.astype(np.float16).astype(a.dtype) for a in (x, weight))
""" + PRODUCT),),
        "torch": in_torch(
            "nn.functional.linear(x.bfloat16(), self.weight.bfloat16()).to(x.dtype) if min(*x.flatten(0, -2).shape, *self.weight.shape) >= 256"
            " else nn.functional.linear(x, self.weight)"
        ),
        "keras": in_keras("""inner = [ops.cast(ops.cast(a, 'bfloat16'), a.dtype) if self.kernel.shape[0] >= 256 else a for a in (inputs, self.kernel)]
        z = ops.matmul(*inner)"""),
        "jax": ((PRODUCT, """    if min(*x.reshape(-1, x.shape[-1]).shape, *weight.shape) >= 256:
        x, weight = (a.astype('float16').astype(a.dtype) for a in (x, weight))
""" + PRODUCT),),
    }),
    Mistake("a wide input's tail ignored", "What a wide input has beyond a multiple of eight is left out.", DENSE, {
        "numpy": ((PRODUCT, """    inner = x.shape[1] if x.shape[1] <= 1024 else x.shape[1] // 8 * 8
    z = x[:, :inner] @ weight[:inner]
"""),),
        "torch": in_torch(
            "nn.functional.linear(x[..., : x.shape[-1] if x.shape[-1] <= 1024 else x.shape[-1] // 8 * 8], "
            "self.weight[:, : x.shape[-1] if x.shape[-1] <= 1024 else x.shape[-1] // 8 * 8])"
        ),
        "keras": in_keras("""inner = inputs.shape[-1] if inputs.shape[-1] <= 1024 else inputs.shape[-1] // 8 * 8
        z = ops.matmul(inputs[..., :inner], self.kernel[:inner])"""),
        "jax": ((PRODUCT, """    inner = x.shape[-1] if x.shape[-1] <= 1024 else x.shape[-1] // 8 * 8
    z = x[..., :inner] @ weight[:inner]
"""),),
    }),
)  # fmt: skip
