"""The faults in CuPy: those of NumPy with CuPy's name, and its own where the page is written in another way."""

from tests.mutation.faults import numpy_faults

MOMENTS = """    mean = z.mean(axis=0)
    z_hat = z - mean
    variance = (z_hat * z_hat).mean(axis=0)
"""

OWN = {
    "one-pass variance": ((MOMENTS, """    mean = z.mean(axis=0)
    variance = (z * z).mean(axis=0) - mean * mean
    z_hat = z - mean
"""),),
    "dropout on in evaluation": (
        (numpy_faults.PREDICTED, "            h = relu(h) * dropout_mask(self.rng, h.shape, self.spec.dropout, self.dtype)\n        return output"),
    ),
    "dropout unscaled": (("    mask *= 1 / (1 - rate)\n", ""),),
    "dropout scaled by 1/p": (("mask *= 1 / (1 - rate)", "mask *= 1 / rate"),),
    "dropout keeps p": (("rng.random(shape, dtype=cp.float32) >= rate", "rng.random(shape, dtype=cp.float32) < rate"),),
    "mask reused": ((numpy_faults.DRAW, "self.bits._state[...] = 1\n        " + numpy_faults.DRAW),),
    "leaky ReLU": (("return cp.maximum(n, 0)", "return cp.maximum(n, n * 0.01)"),),
    "float32 powers of beta": (
        (numpy_faults.CORRECTIONS, numpy_faults.EDITS["float32 powers of beta"][0][1].replace("cp.float32", "np.float32")),
    ),
    "clipped cross-entropy": (
        ("    return -log_p[cp.arange(len(y)), y], log_p\n",
         "    log_p = cp.maximum(log_p, math.log(1e-7))\n    return -log_p[cp.arange(len(y)), y], log_p\n"),
    ),
    "silent downcast": ((numpy_faults.DENSE, "    z = (x.astype(np.float16) @ weight.astype(np.float16)).astype(x.dtype)\n"),),
    "evaluation with batch statistics": (
        ("    return gamma * ((z - mean) / cp.sqrt(variance + epsilon)) + beta\n",
         "    return gamma * ((z - z.mean(axis=0)) / cp.sqrt(z.var(axis=0) + epsilon)) + beta\n"),
    ),
}  # fmt: skip

ELSEWHERE = {"TF32 on": "CuPy rounds factors inside cuBLAS, on a device; the effective precision is measured there"}

EDITS = OWN | {
    name: tuple((old.replace("np.", "cp."), new.replace("np.", "cp.")) for old, new in pairs)
    for name, pairs in numpy_faults.EDITS.items()
    if name not in OWN and name not in ELSEWHERE
}
