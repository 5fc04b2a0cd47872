"""The faults in CuPy: those of NumPy with CuPy's words, and its own where the code is written in another way."""

from tests.mutation.faults import Edits, numpy_faults

WORDS = (
    ("training_numpy import Array, Caches, Model", "training_cupy import Array, Caches, DeviceArrays, Model"),
    ("import numpy as np", "import cupy as cp"),
    ("np.", "cp."),
    (": Arrays = {}", ": DeviceArrays = {}"),
    ("mean = z.sum(axis=0) / len(z)\n", "mean = z.mean(axis=0)  # one kernel; a sum and a division would be two\n"),
    ("(centred * centred).sum(axis=0) / len(z)", "(centred * centred).mean(axis=0)"),
    ("rng.random(shape)", "rng.random(shape, dtype=cp.float32)"),
)
"""What CuPy's files say where NumPy's say something else."""


def in_cupy(edits: Edits) -> Edits:
    """NumPy's changes, as they are made in CuPy's files."""
    return tuple((translated(old), translated(new)) for old, new in edits)


def translated(text: str) -> str:
    """NumPy's words, as CuPy's."""
    for numpy_words, cupy_words in WORDS:
        text = text.replace(numpy_words, cupy_words)
    return text


OWN = {
    "dropout on in evaluation": (
        (numpy_faults.PREDICTED, """            h = relu.forward(h)
            h = dropout.forward(h, dropout.mask(self.rng, h.shape, self.spec.dropout, self.dtype))
        return self.output(h)
"""),
    ),
    "mask reused": ((numpy_faults.DRAW, "self.bits._state[...] = 1\n        " + numpy_faults.DRAW),),
}  # fmt: skip

ELSEWHERE = {"TF32 on": "CuPy rounds factors inside cuBLAS, on a device; the effective precision is measured there"}

EDITS = OWN | {
    name: in_cupy(edits) for name, edits in numpy_faults.EDITS.items() if name not in OWN and name not in ELSEWHERE
}
