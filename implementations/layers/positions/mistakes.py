"""Mistakes that people make with positions."""

from implementations.declarations import Edits, Mistake

POSITIONS = "positions/positions"

ADDED, SUMMED = "    return e + weight\n", "    return dh.sum(axis=0)\n"
IN_TORCH = "    return e + layer(torch.arange(e.shape[1], device=e.device))\n"
IN_KERAS = "        return e + self.table\n"

SINUSOIDS = """(lambda t, k: xp.sin(t / 10000 ** ((k - k % 2) / weight.shape[1]) + k % 2 * 1.5707963))(
        xp.cumsum(xp.ones_like(weight), 0) - 1, xp.cumsum(xp.ones_like(weight), 1) - 1)"""


def in_numpy(rows: str, gradient: str) -> Edits:
    """These rows are added, and this is the gradient of the table."""
    return ((ADDED, f"    return e + {rows}\n"), (SUMMED, f"    return {gradient}\n"))


def in_all(rows: str) -> dict[str, Edits]:
    """These rows are added, in words that mean the same in PyTorch, Keras and JAX."""
    return {
        "torch": ((IN_TORCH, f"    weight = layer.weight\n    return e + {rows}\n"),),
        "keras": ((IN_KERAS, f"        weight = ops.convert_to_tensor(self.table)\n        return e + {rows}\n"),),
        "jax": ((ADDED, f"    return e + {rows}\n"),),
    }


MISTAKES = (
    Mistake("gradient of positions of one sample", "The first sample's is taken, not the sum over the batch.", POSITIONS, {
        "numpy": ((SUMMED, "    return dh[0]\n"),),
        **in_all("xp.where(xp.cumsum(xp.ones_like(e[:, :1, :1]), 0) == 1, weight, stop(weight))"),
    }),
    Mistake("gradient of positions averaged over the batch", "It is divided by the number of samples once more.", POSITIONS, {
        "numpy": ((SUMMED, "    return dh.mean(axis=0)\n"),),
        **in_all("(lambda w: w + stop(weight - w))(weight / xp.sum(xp.ones_like(e[:, 0, 0])))"),
    }),
    Mistake("positions shifted by one", "Every position gets the row of the one before it.", POSITIONS, {
        "numpy": in_numpy("np.roll(weight, 1, axis=0)", "np.roll(dh.sum(axis=0), -1, axis=0)"),
        **in_all("xp.roll(weight, 1, 0)"),
    }),
    Mistake("sinusoids for learned positions", "What is added is fixed (Vaswani et al. 2017, section 3.5).", POSITIONS, {
        "numpy": in_numpy(SINUSOIDS.replace("xp.", "np."), "0 * dh.sum(axis=0)"),
        **in_all(f"0 * weight + {SINUSOIDS}"),
    }),
    Mistake("positions added twice", "By the embedding and by the network.", POSITIONS, {
        "numpy": in_numpy("weight + weight", "2 * dh.sum(axis=0)"),
        **in_all("weight + weight"),
    }),
    Mistake("no position for a row of zeros", "A row of zeros counts as padding.", POSITIONS, {
        "numpy": in_numpy("np.where((e != 0).any(axis=-1)[..., None], weight, 0 * weight)", "dh.sum(axis=0)"),
        **in_all("xp.where(xp.any(e != 0, -1)[..., None], weight, 0 * weight)"),
    }),
    Mistake("positions counted in a byte", "The position after 255 is 0 again.", POSITIONS, {
        "numpy": (
            (ADDED, "    return e + weight[np.arange(len(weight)) % 256]\n"),
            (SUMMED, """    dweight = dh.sum(axis=0)
    again = dweight[256:].copy()
    dweight[256:] = 0
    dweight[: len(again)] += again
    return dweight
"""),
        ),
        **in_all("xp.concatenate([weight[:256], weight[: max(e.shape[1] - 256, 0)]])"),
    }),
)  # fmt: skip
