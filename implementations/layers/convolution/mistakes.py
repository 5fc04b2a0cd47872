"""Mistakes that people make in a convolution."""

from implementations.declarations import Mistake

CONVOLUTION = "convolution/convolution"

FILTERS = "    filters = weight.reshape(-1, weight.shape[-1])\n"
PRODUCT = "    z = (patches(x) @ filters).reshape(*x.shape[:-1], -1)\n"
PADDED = "    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))\n"
ORDER = "windows.transpose(0, 1, 2, 4, 5, 3)"
DFILTERS = "    dfilters = patches(x).T @ dz.reshape(-1, dz.shape[-1])\n"
DWEIGHT = "    return dfilters.reshape(3, 3, x.shape[-1], -1)\n"
TURNED = "weight[::-1, ::-1].swapaxes(2, 3)"

MISTAKES = (
    Mistake("true convolution", "The kernel is turned by 180 degrees, on the way back too.", CONVOLUTION, {
        "numpy": ((ORDER, ORDER + "[:, :, :, ::-1, ::-1]"),),
    }),
    Mistake("kernel's height and width exchanged", "A window is read column by column.", CONVOLUTION, {
        "numpy": ((ORDER, "windows.transpose(0, 1, 2, 5, 4, 3)"),),
    }),
    Mistake("windows channel by channel", "The channels of a window stand first in its row, and last in the kernel's.", CONVOLUTION, {
        "numpy": ((ORDER, "windows"),),
    }),
    Mistake("padding above only", "Two rows of zeros above the image, none below.", CONVOLUTION, {
        "numpy": ((PADDED, PADDED.replace("(1, 1), (1, 1)", "(2, 0), (1, 1)")),),
    }),
    Mistake("padding on the right only", "Two columns of zeros on the right of the image, none on the left.", CONVOLUTION, {
        "numpy": ((PADDED, PADDED.replace("(1, 1), (1, 1)", "(1, 1), (0, 2)")),),
    }),
    Mistake("padding with ones", "Beyond the border the image counts as one.", CONVOLUTION, {
        "numpy": ((PADDED, PADDED.replace(")))", ")), constant_values=1)")),),
    }),
    Mistake("padding repeats the border", "Beyond the border the image goes on as it ends.", CONVOLUTION, {
        "numpy": ((PADDED, PADDED.replace(")))", ')), mode="edge")')),),
    }),
    Mistake("padding of the result", "Windows lie within the image, and the result gets a border of zeros.", CONVOLUTION, {
        "numpy": ((PRODUCT, PRODUCT + "    z = np.pad(z[:, 1:-1, 1:-1], ((0, 0), (1, 1), (1, 1), (0, 0)))\n"),),
    }),
    Mistake("windows reach into the next image", "The images of a batch stand in one column, without zeros between them.", CONVOLUTION, {
        "numpy": ((PADDED, PADDED + """    padded[1:, 0, 1:-1] = x[:-1, -1]
    padded[:-1, -1, 1:-1] = x[1:, 0]
"""),),
    }),
    Mistake("kernel not turned on the way back", "The gradient of the input takes the kernel as it is.", CONVOLUTION, {
        "numpy": ((TURNED, "weight.swapaxes(2, 3)"),),
    }),
    Mistake("channels not exchanged on the way back", "Where there are as many out as in, the gradient of the input takes them as they are.", CONVOLUTION, {
        "numpy": ((TURNED, f"(weight[::-1, ::-1] if weight.shape[2] == weight.shape[3] else {TURNED})"),),
    }),
    Mistake("kernel's gradient averaged over places", "The slopes of a shared weight are averaged.", CONVOLUTION, {
        "numpy": ((DFILTERS, DFILTERS.replace("@ dz.reshape(-1, dz.shape[-1])", "@ (dz.reshape(-1, dz.shape[-1]) / dz[0, :, :, 0].size)")),),
    }),
    Mistake("kernel's gradient without the last row", "The lowest windows give the kernel no gradient.", CONVOLUTION, {
        "numpy": ((DFILTERS, "    dz = dz * (np.arange(dz.shape[1]) < dz.shape[1] - 1)[:, None, None]\n" + DFILTERS),),
    }),
    Mistake("kernel's gradient without the border", "Windows that reach over the border give the kernel no gradient.", CONVOLUTION, {
        "numpy": ((DFILTERS, """    inside = np.zeros(dz.shape[1:3] + (1,), bool)
    inside[1:-1, 1:-1] = True
    dz = dz * inside
""" + DFILTERS),),
    }),
    Mistake("kernel's gradient turned", "The gradient of the kernel is turned by 180 degrees.", CONVOLUTION, {
        "numpy": ((DWEIGHT, DWEIGHT.replace("-1)\n", "-1)[::-1, ::-1]\n")),),
    }),
    Mistake("convolution's bias gradient averaged", "The gradient of a bias is averaged over the places.", CONVOLUTION, {
        "numpy": (("    return dz.sum(axis=0).reshape(-1, dz.shape[-1]).sum(axis=0)\n", "    return dz.sum(axis=0).reshape(-1, dz.shape[-1]).sum(axis=0) / dz[0, :, :, 0].size\n"),),
    }),
    Mistake("windows of an earlier batch", "The windows are kept from one batch to the next, for the gradient of the kernel.", CONVOLUTION, {
        "numpy": (
            ("# --- backward ---\n", "KEPT = {}\n\n# --- backward ---\n"),
            (DFILTERS, DFILTERS.replace("patches(x)", "KEPT.setdefault(x.shape, patches(x))")),
        ),
    }),
    Mistake("TF32 in convolutions", "The factors keep eleven bits in convolutions alone: their switch is another than that of products.", CONVOLUTION, {
        "numpy": ((PRODUCT, PRODUCT.replace("patches(x) @ filters", "rounded(patches(x), 11) @ rounded(filters, 11)")),),
        "cupy": "CuPy rounds factors inside cuBLAS, on a device; the effective precision is measured there",
    }),
    Mistake("convolutions in half precision", "A convolution is computed in half precision.", CONVOLUTION, {
        "numpy": ((PRODUCT, PRODUCT.replace("patches(x) @ filters)", "patches(x).astype(np.float16) @ filters.astype(np.float16)).astype(x.dtype)")),),
    }),
    Mistake("windows beyond 65536 left out", "A product of so many windows is made in whole pieces, and the rest is zero.", CONVOLUTION, {
        "numpy": ((PRODUCT, PRODUCT.replace("    z = ", "    z = z_of_pieces = ") + """    if z[..., 0].size > 65536:
        z = z_of_pieces.copy()
        z.reshape(-1, z.shape[-1])[z[..., 0].size // 65536 * 65536 :] = 0
"""),),
    }),
)  # fmt: skip
