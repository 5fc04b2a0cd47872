"""The faults of numpy_further, in CuPy: with its words, or why not."""

from tests.mutation.faults import Edits, numpy_faults, numpy_further
from tests.mutation.faults.cupy_faults import in_cupy, translated
from tests.mutation.faults.numpy_further import PLACE

ELSEWHERE = {
    "state taken over without a copy": "what is loaded comes from the host: without a copy it never gets to the device"
}

STATE = "return self.bits._state.copy()"
REWIND = "self.bits._state[...] = random_state"


def counted(moved: str, seed: str) -> Edits:
    """Every mask from a generator of its own: how many were drawn before, as `moved` counts them, is the state."""
    return (
        ("self.rng = cp.random.Generator(self.bits)", "self.drawn = 0"),
        (STATE, "return self.drawn"),
        (REWIND, "self.drawn = random_state"),
        (numpy_faults.DRAW, f"""{PLACE}
        rng = cp.random.Generator(cp.random.Philox4x3210({seed}))
        self.drawn += {moved}
        return dropout.mask(rng, shape, rate, self.dtype)"""),
    )  # fmt: skip


OWN = {
    "the next step's mask leaks": counted("i == len(self.spec.hidden)", "self.drawn + i"),
    "a period of 1000 masks": counted("1", "self.drawn % 1000"),
    "deep layers reuse masks": counted("i == len(self.spec.hidden)", "10 * self.drawn + int(str(i)[-1])"),
    "dropout rate in 256ths": (
        (translated(numpy_faults.KEPT), "    kept = (rng.random(shape) * 2**8).astype(int) >= round(rate * 2**8)\n"),
    ),
    "generator's state is no copy": ((STATE, STATE.removesuffix(".copy()")),),
    "generator not seeded": (("cp.random.Philox4x3210(spec.seed)", "cp.random.Philox4x3210()"),),
}

EDITS = OWN | {
    name: in_cupy(edits) for name, edits in numpy_further.EDITS.items() if name not in OWN and name not in ELSEWHERE
}
