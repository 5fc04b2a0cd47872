"""The faults of numpy_further, in CuPy: with its name, or why not."""

from tests.mutation.faults import numpy_further
from tests.mutation.faults.cupy_faults import MOMENTS

_GENERATOR = (
    "CuPy draws floats on the GPU, without NumPy's bits and thresholds; its generator's state is one device array"
)
_FROM_HOST = "what is loaded comes from the host: it has to be converted and copied to the device"

ELSEWHERE = dict.fromkeys(
    (
        "the next step's mask leaks",
        "mask tiled above 65536 units",
        "dropout rate in 256ths",
        "antithetic rows",
        "a period of 1000 masks",
        "last units never dropped",
        "dropout's scale in half precision",
        "generator's state is no copy",
        "generator not seeded",
        "deep layers reuse masks",
    ),
    _GENERATOR,
) | {"state taken over without a copy": _FROM_HOST, "state rounded to float32": _FROM_HOST}

OWN = {
    "ghost batch norm above 1024": (
        (MOMENTS, MOMENTS.replace("z.mean", "z[:1024].mean").replace("(z_hat * z_hat)", "(z_hat * z_hat)[:1024]")),
    ),
    "two models share their arrays": (
        ("        self.w: dict[str, Array] = {}\n", "        self.w = SHARED\n"),
        (
            '        self.w = {name: cp.array(value, dtype=self.dtype) for name, value in state.items() if name != "step"}\n',
            '        self.w.update({name: cp.array(value, dtype=self.dtype) for name, value in state.items() if name != "step"})\n',
        ),
        ("Array = Any  # cupy.ndarray: CuPy ships no type stubs\n", "Array = Any\nSHARED: dict = {}\n"),
    ),
    "AMSGrad": tuple(
        (old.replace("Array = np.ndarray\n", "Array = Any  # cupy.ndarray: CuPy ships no type stubs\n"),
         new.replace("Array = np.ndarray\n", "Array = Any\n").replace("np.", "cp."))
        for old, new in numpy_further.EDITS["AMSGrad"]
    ),
}  # fmt: skip

EDITS = OWN | {
    name: tuple((old.replace("np.", "cp."), new.replace("np.", "cp.")) for old, new in pairs)
    for name, pairs in numpy_further.EDITS.items()
    if name not in OWN and name not in ELSEWHERE
}
