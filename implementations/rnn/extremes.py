"""States and batches that careless arithmetic does not survive, where NaN is put, and gradients on either side of clipping."""

from collections.abc import Callable

import numpy as np

from implementations.contract import Arrays
from implementations.initialisation import scaled, with_silence
from implementations.rnn.spec import GATES, RNNSpec


def extremes(spec: RNNSpec, hot: Arrays, state: Arrays, batch: Arrays) -> dict[str, tuple[Arrays, Arrays]]:
    """Where careless arithmetic shows: (state, batch) by what is extreme in them.

    Logits so large that an exponential overflows, in float64 too, and a clipped probability shows; inputs that are very large, behind
    which gates are shut or open altogether, and very small ones; a past that counts half as much again; gates that
    let everything through or nothing, in each layer half of the units; a sequence that is the same at every step; rows of zeros, which are
    no padding. From `state`, whose slots are zero, so that gradients are seen, and once from a hot one.
    """
    x = batch["x"]
    flat = np.repeat(x[:, :1], spec.length, axis=1)
    recurrent = [f"rnn{i}.recurrent_weight" for i in spec.layers]
    extreme = {
        "large logits": (scaled(state, 10_000, "output.weight", "output.bias"), x),
        "strong memory": (scaled(state, 1.5, *recurrent), x),
        "decided gates": (_decided(spec, state), x),
        "large inputs": _inputs(spec, state, x, 2.0**10),
        "small inputs": _inputs(spec, state, x, 2.0**-20),
        "constant sequences": (state, flat),
        "constant sequences, hot": (hot, flat),
    }
    if not spec.vocabulary:
        extreme["silent steps"] = state, with_silence(x)
    return {name: (state, batch | {"x": x}) for name, (state, x) in extreme.items()}


def poisoned(spec: RNNSpec, state: Arrays, batch: Arrays) -> tuple[Arrays, Arrays, np.ndarray]:
    """NaN in the middle of the first sequence, or in the row of its token there: state, batch, and which logits it must reach.

    Those of the steps from there on, and no earlier ones: a state knows nothing of what is still to come.
    """
    middle = spec.length // 2
    if spec.vocabulary:
        token, table = batch["x"][0, middle], state["embedding.weight"].copy()
        table[token] = np.nan
        state, seen = state | {"embedding.weight": table}, batch["x"] == token
    else:
        x, seen = batch["x"].copy(), np.zeros(batch["x"].shape[:2], bool)
        x[0, middle, 0], seen[0, middle] = np.nan, True
        batch = batch | {"x": x}
    reached = np.logical_or.accumulate(seen, axis=1)
    return state, batch, reached if spec.outputs == "every" else reached[:, -1]


def other_side_of_clipping(
    spec: RNNSpec, state: Arrays, batch: Arrays, norm: Callable[[Arrays, Arrays], float]
) -> tuple[Arrays, Arrays] | None:
    """A start whose gradients are clipped where those of this one are not, or the other way round; None where there is none.

    Where gradients are clipped their common scale is not to be seen, and where they are not, clipping is not. `norm`: of the gradients.
    They grow with the logits, and vanish where the right class is certain: not quite, or rounding would be all of them. The start is as
    near to where clipping begins as other masks allow, which lengthen or shorten gradients by a third, so that a rule that clips a
    little earlier or later shows.
    """
    if norm(state, batch) > spec.clip_norm:
        certain = (_certain(state, batch, by / 2) for by in range(1, 24))
        return next((start for start in certain if norm(*start) < spec.clip_norm / 1.5), None)

    def louder(power: float) -> tuple[Arrays, Arrays]:
        return scaled(state, 2.0 ** (power / 2), "output.weight", "output.bias"), batch

    def is_clipped(power: float) -> bool:
        return norm(*louder(power)) > spec.clip_norm * 1.4

    if (found := next(filter(is_clipped, range(1, 47)), None)) is None:
        return None
    return louder(next(filter(is_clipped, (found - 1 + eighth / 8 for eighth in range(1, 9)))))


def _certain(state: Arrays, batch: Arrays, by: float) -> tuple[Arrays, Arrays]:
    """Every label is the first class, whose logit is larger by so much."""
    bias = state["output.bias"].copy()
    bias[0] += by
    return state | {"output.bias": bias}, batch | {"y": np.zeros_like(batch["y"])}


def _decided(spec: RNNSpec, state: Arrays) -> Arrays:
    """A bias of 4 opens every gate of the first half of the units, one of -4 shuts those of the others."""
    decided = dict(state)
    for i, width in zip(spec.layers, spec.hidden, strict=True):
        sides = np.where(np.arange(width) < width / 2, 4.0, -4.0)
        decided[f"rnn{i}.bias"] = state[f"rnn{i}.bias"] + np.tile(sides, GATES[spec.cell])
    return decided


def _inputs(spec: RNNSpec, state: Arrays, x: np.ndarray, factor: float) -> tuple[Arrays, np.ndarray]:
    """The rows, or what the tokens stand for, times a factor."""
    return (scaled(state, factor, "embedding.weight"), x) if spec.vocabulary else (state, x * factor)
