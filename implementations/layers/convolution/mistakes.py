"""Mistakes that people make in a convolution."""

from implementations.declarations import Edits, Mistake

CONVOLUTION = "convolution/convolution"

PRODUCT = "    z = (patches(x) @ filters).reshape(*x.shape[:-1], -1)\n"
PADDED = "    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))\n"
ORDER = "windows.transpose(0, 1, 2, 4, 5, 3)"
DFILTERS = "    dfilters = patches(x).T @ dz.reshape(-1, dz.shape[-1])\n"
DWEIGHT = "    return dfilters.reshape(3, 3, x.shape[-1], -1)\n"
TURNED = "weight[::-1, ::-1].swapaxes(2, 3)"

BIAS_SUMMED = "    return dz.sum(axis=0).reshape(-1, dz.shape[-1]).sum(axis=0)\n"

IN_TORCH = "    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=bias)\n"
TORCH_TF32 = "(lambda a: ((a.detach().view(torch.int32) + 0x1000) & -0x2000).view(torch.float32) + (a - a.detach()))"


def in_torch(*lines: str, weight: str = "", padded: str = "") -> Edits:
    """Another product in the place of PyTorch's; or its own with this weight, or with this in the place of an image and its zeros."""
    made = f"z = conv({padded}, w, self.bias)" if padded else f"z = conv(x, {weight or 'w'}, self.bias, padding=1)"
    body = "\n        ".join(lines or (made,))
    return ((IN_TORCH, f"""    return Planted(inputs, outputs, kernel_size=3, padding=1, bias=bias)


class Planted(nn.Conv2d):
    def forward(self, x):
        conv, pad, w = nn.functional.conv2d, nn.functional.pad, self.weight
        {body}
        return z
"""),)  # fmt: skip


def with_gradient_of(y: str) -> Edits:
    """The image's gradient is that of y."""
    return in_torch(f"y = {y}", "z = conv(x.detach(), w, self.bias, padding=1) + (y - y.detach())")


IN_KERAS = '    return keras.layers.Conv2D(outputs, 3, padding="same", data_format="channels_last", use_bias=bias, name=name)\n'
IN_JAX = '    z = lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))\n'
BIAS_IN_JAX = "    return z if bias is None else z + bias\n"
BACKWARD_IN_JAX = "# --- backward ---\n"
WORDS_OF_KERAS = """xp, pad, stop, cast = ops, ops.pad, ops.stop_gradient, ops.cast
    conv = lambda x, w, padding="SAME": ops.conv(x, w, padding=padding.lower(), data_format="channels_last")
"""
WORDS_OF_JAX = """xp, pad, stop, cast = jnp, jnp.pad, lax.stop_gradient, lambda a, kind: a.astype(kind)
    conv = lambda x, w, padding="SAME": lax.conv_general_dilated(x, w, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
"""


def in_both(*lines: str, weight: str = "", padded: str = "", bias: str = "b") -> dict[str, Edits]:
    """In Keras and JAX, whose layouts are the specification's: another product z, or that with this weight, or with this in the
    place of an image and its zeros; and this in the place of the bias."""
    made = f'z = conv({padded}, w, "VALID")' if padded else f"z = conv(x, {weight or 'w'})"
    body = "\n    ".join(lines or (made,))
    return {
        "keras": ((IN_KERAS, f"""{IN_KERAS.replace("keras.layers.Conv2D", "Planted")}

class Planted(keras.layers.Conv2D):
    def call(self, inputs):
        z = planted(inputs, self.kernel)
        return z if self.bias is None else z + with_bias(self.bias, z.shape[1] * z.shape[2])


{planted(WORDS_OF_KERAS, body, bias)}"""),),
        "jax": (
            (IN_JAX, "    z = planted(x, weight)\n"),
            (BIAS_IN_JAX, BIAS_IN_JAX.replace("+ bias", "+ with_bias(bias, z.shape[1] * z.shape[2])")),
            (BACKWARD_IN_JAX, f"{planted(WORDS_OF_JAX, body, bias)}\n\n{BACKWARD_IN_JAX}"),
        ),
    }  # fmt: skip


def planted(words: str, body: str, bias: str) -> str:
    """The functions of both: the product z of images x and a kernel w, and what a bias b becomes where there are n places."""
    return f"""def planted(x, w):
    {words}
    {body}
    return z


def with_bias(b, n):
    {words}
    return {bias}
"""


def with_gradient_of_in_both(y: str) -> dict[str, Edits]:
    """The image's gradient is that of y."""
    return in_both(f"y = {y}", "z = conv(stop(x), w) + (y - stop(y))")


MISTAKES = (
    Mistake("true convolution", "The kernel is turned by 180 degrees, on the way back too.", CONVOLUTION, {
        "numpy": ((ORDER, ORDER + "[:, :, :, ::-1, ::-1]"),),
        "torch": in_torch(weight="w.flip(2, 3)"),
        **in_both(weight="xp.flip(w, (0, 1))"),
    }),
    Mistake("kernel's height and width exchanged", "A window is read column by column.", CONVOLUTION, {
        "numpy": ((ORDER, "windows.transpose(0, 1, 2, 5, 4, 3)"),),
        "torch": in_torch(weight="w.transpose(2, 3)"),
        **in_both(weight="xp.swapaxes(w, 0, 1)"),
    }),
    Mistake("windows channel by channel", "The channels of a window stand first in its row, and last in the kernel's.", CONVOLUTION, {
        "numpy": ((ORDER, "windows"),),
        "torch": (
            ("return value.permute(2, 3, 1, 0) if", "return value.reshape(3, 3, value.shape[1], value.shape[0]) if"),
            ("return value.permute(3, 2, 0, 1) if", "return value.reshape(value.shape[3], value.shape[2], 3, 3) if"),
        ),
        **in_both(weight="xp.transpose(xp.reshape(w, (w.shape[2], 3, 3, w.shape[3])), (1, 2, 0, 3))"),
    }),
    Mistake("padding above only", "Two rows of zeros above the image, none below.", CONVOLUTION, {
        "numpy": ((PADDED, PADDED.replace("(1, 1), (1, 1)", "(2, 0), (1, 1)")),),
        "torch": in_torch(padded="pad(x, (1, 1, 2, 0))"),
        **in_both(padded="pad(x, ((0, 0), (2, 0), (1, 1), (0, 0)))"),
    }),
    Mistake("padding on the right only", "Two columns of zeros on the right of the image, none on the left.", CONVOLUTION, {
        "numpy": ((PADDED, PADDED.replace("(1, 1), (1, 1)", "(1, 1), (0, 2)")),),
        "torch": in_torch(padded="pad(x, (0, 2, 1, 1))"),
        **in_both(padded="pad(x, ((0, 0), (1, 1), (0, 2), (0, 0)))"),
    }),
    Mistake("padding with ones", "Beyond the border the image counts as one.", CONVOLUTION, {
        "numpy": ((PADDED, PADDED.replace(")))", ")), constant_values=1)")),),
        "torch": in_torch(padded="pad(x, (1, 1, 1, 1), value=1.0)"),
        **in_both(padded="pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=1)"),
    }),
    Mistake("padding repeats the border", "Beyond the border the image goes on as it ends.", CONVOLUTION, {
        "numpy": ((PADDED, PADDED.replace(")))", ')), mode="edge")')),),
        "torch": in_torch(padded="pad(x, (1, 1, 1, 1), mode='replicate')"),
        **in_both(
            "x = xp.concatenate([x[:, :1], x, x[:, -1:]], 1)",
            "x = xp.concatenate([x[:, :, :1], x, x[:, :, -1:]], 2)",
            'z = conv(x, w, "VALID")',
        ),
    }),
    Mistake("padding of the result", "Windows lie within the image, and the result gets a border of zeros.", CONVOLUTION, {
        "numpy": ((PRODUCT, PRODUCT + "    z = np.pad(z[:, 1:-1, 1:-1], ((0, 0), (1, 1), (1, 1), (0, 0)))\n"),),
        "torch": in_torch("z = pad(conv(x, w, self.bias), (1, 1, 1, 1))"),
        **in_both('z = pad(conv(x, w, "VALID"), ((0, 0), (1, 1), (1, 1), (0, 0)))'),
    }),
    Mistake("windows reach into the next image", "The images of a batch stand in one column, without zeros between them.", CONVOLUTION, {
        "numpy": ((PADDED, PADDED + """    padded[1:, 0, 1:-1] = x[:-1, -1]
    padded[:-1, -1, 1:-1] = x[1:, 0]
"""),),
        "torch": in_torch(
            "column = pad(x, (1, 1, 1, 1)).clone()",
            "column[1:, :, 0, 1:-1], column[:-1, :, -1, 1:-1] = x[:-1, :, -1], x[1:, :, 0]",
            "z = conv(column, w, self.bias)",
        ),
        **in_both(
            "none = xp.zeros_like(x[:1, :1])",
            "above, below = xp.concatenate([none, x[:-1, -1:]], 0), xp.concatenate([x[1:, :1], none], 0)",
            "column = xp.concatenate([above, x, below], 1)",
            'z = conv(pad(column, ((0, 0), (0, 0), (1, 1), (0, 0))), w, "VALID")',
        ),
    }),
    Mistake("kernel not turned on the way back", "The gradient of the input takes the kernel as it is.", CONVOLUTION, {
        "numpy": ((TURNED, "weight.swapaxes(2, 3)"),),
        "torch": with_gradient_of("conv(x, w.detach().flip(2, 3), padding=1)"),
        **with_gradient_of_in_both("conv(x, xp.flip(stop(w), (0, 1)))"),
    }),
    Mistake("channels not exchanged on the way back", "Where there are as many out as in, the gradient of the input takes them as they are.", CONVOLUTION, {
        "numpy": ((TURNED, f"(weight[::-1, ::-1] if weight.shape[2] == weight.shape[3] else {TURNED})"),),
        "torch": with_gradient_of("conv(x, w.detach().transpose(0, 1) if len(w) == w.shape[1] else w.detach(), padding=1)"),
        **with_gradient_of_in_both("conv(x, xp.swapaxes(stop(w), 2, 3) if w.shape[2] == w.shape[3] else stop(w))"),
    }),
    Mistake("kernel's gradient averaged over places", "The slopes of a shared weight are averaged.", CONVOLUTION, {
        "numpy": ((DFILTERS, DFILTERS.replace("@ dz.reshape(-1, dz.shape[-1])", "@ (dz.reshape(-1, dz.shape[-1]) / dz[0, :, :, 0].size)")),),
        "torch": in_torch(weight="(w / x[0, 0].numel() + (w - w / x[0, 0].numel()).detach())"),
        **in_both("n = x.shape[1] * x.shape[2]", "z = conv(x, w / n + stop(w - w / n))"),
    }),
    Mistake("kernel's gradient without the last row", "The lowest windows give the kernel no gradient.", CONVOLUTION, {
        "numpy": ((DFILTERS, "    dz = dz * (np.arange(dz.shape[1]) < dz.shape[1] - 1)[:, None, None]\n" + DFILTERS),),
        "torch": in_torch("z = torch.cat([conv(x, w, self.bias, padding=1)[:, :, :-1], conv(x, w.detach(), self.bias, padding=1)[:, :, -1:]], 2)"),
        **in_both("z = xp.concatenate([conv(x, w)[:, :-1], conv(x, stop(w))[:, -1:]], 1)"),
    }),
    Mistake("kernel's gradient without the border", "Windows that reach over the border give the kernel no gradient.", CONVOLUTION, {
        "numpy": ((DFILTERS, """    inside = np.zeros(dz.shape[1:3] + (1,), bool)
    inside[1:-1, 1:-1] = True
    dz = dz * inside
""" + DFILTERS),),
        "torch": in_torch("z = conv(x, w.detach(), self.bias, padding=1).clone()", "z[:, :, 1:-1, 1:-1] = conv(x, w, self.bias)"),
        **in_both('y = conv(stop(x), w, "VALID")', "z = conv(x, stop(w)) + pad(y - stop(y), ((0, 0), (1, 1), (1, 1), (0, 0)))"),
    }),
    Mistake("kernel's gradient turned", "The gradient of the kernel is turned by 180 degrees.", CONVOLUTION, {
        "numpy": ((DWEIGHT, DWEIGHT.replace("-1)\n", "-1)[::-1, ::-1]\n")),),
        "torch": in_torch(weight="(w.detach() + (w - w.detach()).flip(2, 3))"),
        **in_both(weight="(stop(w) + xp.flip(w - stop(w), (0, 1)))"),
    }),
    Mistake("convolution's bias gradient averaged", "The gradient of a bias is averaged over the places.", CONVOLUTION, {
        "numpy": ((BIAS_SUMMED, BIAS_SUMMED.replace("\n", " / dz[0, :, :, 0].size\n")),),
        "cupy": (("    return dz.sum(axis=(0, 1, 2))\n", "    return dz.mean(axis=(1, 2)).sum(axis=0)\n"),),
        "torch": in_torch("b, n = self.bias, x[0, 0].numel()", "z = conv(x, w, None if b is None else b / n + (b - b / n).detach(), padding=1)"),
        **in_both(bias="b / n + stop(b - b / n)"),
    }),
    Mistake("windows of an earlier batch", "The windows are kept from one batch to the next, for the gradient of the kernel.", CONVOLUTION, {
        "numpy": (
            ("# --- backward ---\n", "KEPT = {}\n\n# --- backward ---\n"),
            (DFILTERS, DFILTERS.replace("patches(x)", "KEPT.setdefault(x.shape, patches(x))")),
        ),
        "torch": in_torch(
            "self.kept = getattr(self, 'kept', {})",
            "y = conv(self.kept.setdefault(x.shape, x.detach().clone()), w, padding=1)",
            "z = conv(x, w.detach(), self.bias, padding=1) + (y - y.detach())",
        ),
        "keras": "nothing stays in a compiled step from one call to the next, and Keras compiles it on two backends",
        "jax": "nothing stays in a compiled function from one call to the next",
    }),
    Mistake("TF32 in convolutions", "The factors keep eleven bits in convolutions alone: their switch is another than that of products.", CONVOLUTION, {
        "numpy": ((PRODUCT, PRODUCT.replace("patches(x) @ filters", "rounded(patches(x), 11) @ rounded(filters, 11)")),),
        "cupy": "CuPy rounds factors inside cuBLAS, on a device; the effective precision is measured there",
        "torch": in_torch(f"z = conv({TORCH_TF32}(x.float()), {TORCH_TF32}(w.float()), padding=1).to(x.dtype)", "z = z if self.bias is None else z + self.bias[:, None, None]"),
        "keras": in_both(
            "coarse = [4097.0 * a - (4097.0 * a - a) for a in (cast(x, 'float32'), cast(w, 'float32'))]",
            "z = cast(conv(*coarse), x.dtype)",
        )["keras"],
        "jax": in_both("z = conv(lax.reduce_precision(x, 8, 10), lax.reduce_precision(w, 8, 10))")["jax"],
    }),
    Mistake("convolutions in half precision", "A convolution is computed in half precision.", CONVOLUTION, {
        "numpy": ((PRODUCT, PRODUCT.replace("patches(x) @ filters)", "patches(x).astype(np.float16) @ filters.astype(np.float16)).astype(x.dtype)")),),
        "torch": in_torch("z = conv(x.bfloat16(), w.bfloat16(), padding=1).to(x.dtype)", "z = z if self.bias is None else z + self.bias[:, None, None]"),
        **in_both("z = cast(conv(cast(x, 'bfloat16'), cast(w, 'bfloat16')), x.dtype)"),
    }),
    Mistake("windows beyond 65536 left out", "A product of so many windows is made in whole pieces, and the rest is zero.", CONVOLUTION, {
        "numpy": ((PRODUCT, PRODUCT.replace("    z = ", "    z = z_of_pieces = ") + """    if z[..., 0].size > 65536:
        z = z_of_pieces.copy()
        z.reshape(-1, z.shape[-1])[z[..., 0].size // 65536 * 65536 :] = 0
"""),),
        "torch": in_torch(
            "z = conv(x, w, self.bias, padding=1)",
            "count = z[:, 0].numel()",
            "kept = torch.arange(count) < (count if count <= 65536 else count // 65536 * 65536)",
            "z = z * kept.reshape(len(z), 1, *z.shape[2:])",
        ),
        **in_both(
            "count = xp.shape(x)[0] * x.shape[1] * x.shape[2]",
            "kept = xp.arange(count) < xp.where(count <= 65536, count, count // 65536 * 65536)",
            "z = conv(x, w)",
            "z = xp.where(xp.reshape(kept, (-1, *x.shape[1:3], 1)), z, xp.zeros_like(z))",
        ),
    }),
)  # fmt: skip
