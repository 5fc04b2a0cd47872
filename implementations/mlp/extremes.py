"""States and batches that careless arithmetic does not survive."""

import numpy as np

from implementations.contract import Arrays
from implementations.initialisation import as_float32, scaled
from implementations.mlp.spec import MLPSpec

NORM, DENSE = ("norm1.gamma", "norm1.beta"), ("dense1.weight", "dense1.bias")
"""What the size of the first layer's activations hangs on."""


def extremes(spec: MLPSpec, hot: Arrays, state: Arrays, batch: Arrays) -> dict[str, tuple[Arrays, Arrays]]:
    """Where careless arithmetic shows: (state, batch) by what is extreme in them.

    Logits so large that an exponential overflows and a clipped probability shows; activations beyond any cap; features
    whose mean is 1000 times their deviation, for which E[z^2] - E[z]^2 loses all digits; features, and units, without any
    variance; units that stand at zero, where a ReLU has no slope; very large and very small features, beside which
    epsilon is nothing, or everything. Where many digits are lost, the shift of batch norm holds every unit far from its
    kink: which side it is on must not be left to the digits that are lost. From `state`, whose slots are zero, so that
    gradients are seen, and once from a hot one.
    """
    x, shifts = batch["x"], [f"norm{i}.beta" for i in range(1, len(spec.hidden) + 1)] if spec.batch_norm else []
    decided = state | {name: 8 * np.sign(state[name]) for name in shifts}
    constant = x.copy()
    constant[:, 0] = 1.0
    constant[:, 1:2] = 0.0
    extreme = {
        "large logits": (scaled(state, 200, "output.weight", "output.bias"), x),
        "large activations": (scaled(state, 50, *(NORM if spec.batch_norm else DENSE)), x),
        "features far from zero": (decided, as_float32(x + 1000)),
        "constant features": (state, constant),
        "idle units": (_idle(spec, state), x),
        "large features": (state, x * 2.0**20),
        "small features": (state, x * 2.0**-20),
        "constant features, hot": (hot, constant),
    }
    return {name: (state, batch | {"x": x}) for name, (state, x) in extreme.items()}


def poisoned(spec: MLPSpec, state: Arrays, batch: Arrays) -> tuple[Arrays, Arrays, np.ndarray]:
    """NaN in one feature of the first sample: state, batch, and whose logits it must reach (B,)."""
    x = batch["x"].copy()
    x[0, 0] = np.nan
    return state, batch | {"x": x}, np.arange(len(x)) == 0


def _idle(spec: MLPSpec, state: Arrays) -> Arrays:
    """In every hidden layer the first unit sees nothing, and the last one is exactly zero."""
    idle = {name: value.copy() for name, value in state.items()}
    for i in range(1, len(spec.hidden) + 1):
        idle[f"dense{i}.weight"][:, 0] = 0
        last = (f"norm{i}.gamma", f"norm{i}.beta") if spec.batch_norm else (f"dense{i}.bias",)
        for name in last:
            idle[name][-1] = 0
        if not spec.batch_norm:
            idle[f"dense{i}.weight"][:, -1] = 0
    return idle
