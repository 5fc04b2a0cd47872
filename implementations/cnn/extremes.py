"""States and batches that careless arithmetic does not survive."""

import numpy as np

from implementations.cnn.spec import CNNSpec
from implementations.contract import Arrays
from implementations.initialisation import as_float32, scaled


def extremes(spec: CNNSpec, hot: Arrays, state: Arrays, batch: Arrays) -> dict[str, tuple[Arrays, Arrays]]:
    """Where careless arithmetic shows: (state, batch) by what is extreme in them.

    Logits so large that an exponential overflows and a clipped probability shows; activations beyond any cap; images whose
    mean is 1000 times their deviation, for which E[z^2] - E[z]^2 loses all digits; images that are the same everywhere; units
    that see nothing and pass the same number at all places, of which a pool must take the first, and others that stand at
    zero, where a ReLU has no slope; channels that batch norm turns over, so that the largest becomes the smallest; very large and very small images, beside which epsilon is nothing, or everything. From
    `state`, whose slots are zero, so that gradients are seen, and once from a hot one.
    """
    x, first = batch["x"], next(iter(spec.kernels()), "output")
    flat = x.copy()
    flat[0], flat[-1] = 1.0, 0.0
    activations = ("norm1.gamma", "norm1.beta") if spec.batch_norm else (f"{first}.weight", f"{first}.bias")
    extreme = {
        "large logits": (scaled(state, 200, "output.weight", "output.bias"), x),
        "large activations": (scaled(state, 50, *activations), x),
        "images far from zero": (_decided(spec, _centred(spec, state)), as_float32(x + 1000)),
        "constant images": (state, flat),
        "idle units": (_idle(spec, state), x),
        "turned channels": (_turned(spec, state), x),
        "large images": (state, x * 2.0**20),
        "small images": (state, x * 2.0**-20),
        "constant images, hot": (hot, flat),
    }
    return {name: (state, batch | {"x": x}) for name, (state, x) in extreme.items()}


def poisoned(spec: CNNSpec, state: Arrays, batch: Arrays) -> tuple[Arrays, Arrays, np.ndarray]:
    """NaN in one pixel of the first image: state, batch, and whose logits it must reach (B,)."""
    x = batch["x"].copy()
    x[0, 0, 0, 0] = np.nan
    return state, batch | {"x": x}, np.arange(len(x)) == 0


def _centred(spec: CNNSpec, state: Arrays) -> Arrays:
    """The first convolution sees the pixel in the middle of its window alone: the zeros around an image make no edges."""
    if not spec.channels:
        return state
    kernel = np.zeros_like(state["conv1.weight"])
    kernel[1, 1] = state["conv1.weight"][1, 1]
    return state | {"conv1.weight": kernel}


def _decided(spec: CNNSpec, state: Arrays) -> Arrays:
    """The shift of batch norm holds every unit far from its kink: which side it is on is not left to digits that are lost."""
    shifts = [f"norm{i}.beta" for i, _ in enumerate(spec.kernels(), start=1)] if spec.batch_norm else []
    return state | {name: 8 * np.sign(state[name]) for name in shifts}


def _turned(spec: CNNSpec, state: Arrays) -> Arrays:
    """Every second gamma is negative."""
    scales = [f"norm{i}.gamma" for i, _ in enumerate(spec.kernels(), start=1)] if spec.batch_norm else []
    return state | {name: state[name] * (-1) ** np.arange(len(state[name])) for name in scales}


def _idle(spec: CNNSpec, state: Arrays) -> Arrays:
    """In every block the first unit sees nothing and is above zero everywhere, and the last one is exactly zero."""
    idle = {name: value.copy() for name, value in state.items()}
    for i, layer in enumerate(spec.kernels(), start=1):
        shift = f"norm{i}.beta" if spec.batch_norm else f"{layer}.bias"
        idle[f"{layer}.weight"][..., 0] = 0
        idle[shift][0] = abs(idle[shift][0])
        idle[shift][-1] = 0
        if spec.batch_norm:
            idle[f"norm{i}.gamma"][-1] = 0
        else:
            idle[f"{layer}.weight"][..., -1] = 0
    return idle
