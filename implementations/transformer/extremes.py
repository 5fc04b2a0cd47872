"""States and batches that careless arithmetic does not survive, where NaN is put, and what a prediction must not look at."""

import numpy as np

from implementations.contract import Arrays
from implementations.initialisation import scaled, with_silence
from implementations.transformer.spec import TransformerSpec


def extremes(spec: TransformerSpec, hot: Arrays, state: Arrays, batch: Arrays) -> dict[str, tuple[Arrays, Arrays]]:
    """Where careless arithmetic shows: (state, batch) by what is extreme in them.

    Logits so large that an exponential overflows, in float64 too; scores so large, beside which a finite mask leaks; a stream so small
    that a norm's epsilon is as large as its variance, and one so large that a branch adds next to nothing; one far from zero, of which
    little is left when its mean is subtracted; the same token everywhere, whose row gets all gradients, and whose scores are all equal;
    units that a norm switches off; rows of zeros, which are no padding. From `state`, whose slots are zero, so that gradients are seen,
    and once from a hot one.
    """
    x, tables = batch["x"], ("embedding.weight", "positions.weight")
    asked = [f"attention{i}.{name}" for i in spec.numbers for name in ("query", "key")]
    gammas = [name for name in state if name.endswith(".gamma") and ":" not in name]
    off = {name: np.where(np.arange(spec.width) % 2, state[name], 0) for name in gammas}
    same = np.broadcast_to(x[:1, :1], x.shape).copy()
    extreme = {
        "large logits": (scaled(state, 10_000, "output.weight"), x),
        "large scores": (scaled(state, 1000, *asked), x),
        "small stream": (scaled(state, 2.0**-10, *tables), x),
        "large stream": (scaled(state, 2.0**14, *tables), x),
        "far from zero": (state | {"positions.weight": state["positions.weight"] + 100}, x),
        "equal tokens": (state, same),
        "equal tokens, hot": (hot, same),
        "idle units": (state | off, x),
    }
    if not spec.vocabulary:
        extreme["silent steps"] = state, with_silence(x)
    return {name: (state, batch | {"x": x}) for name, (state, x) in extreme.items()}


def poisoned(spec: TransformerSpec, state: Arrays, batch: Arrays) -> tuple[Arrays, Arrays, np.ndarray]:
    """NaN at the first position of the first sequence, or in the row of its token: state, batch, and which logits it must reach.

    Those of the whole sequence, which sees it, and no other's. Not further back in it: a weight of 0 times NaN is NaN, so that positions
    before it might get it or not.
    """
    if spec.vocabulary:
        token, table, x = batch["x"][0, 0], state["embedding.weight"].copy(), batch["x"].copy()
        elsewhere = x == token
        elsewhere[0, 0] = False
        x[elsewhere] = (token + 1) % spec.vocabulary
        table[token] = np.nan
        state = state | {"embedding.weight": table}
    else:
        x = batch["x"].copy()
        x[0, 0, 0] = np.nan
    reached = np.zeros(spec.labelled(len(x)), bool)
    reached[0] = True
    return state, batch | {"x": x}, reached


def not_looked_at(spec: TransformerSpec, batch: Arrays) -> tuple[Arrays, np.ndarray] | None:
    """The batch with other inputs in the second half of every sequence, and which logits must not change by a bit; None where all see all."""
    if not spec.causal or spec.length < 2:
        return None
    half, x = spec.length // 2, batch["x"].copy()
    x[:, half:] = (x[:, half:] + 1) % spec.vocabulary if spec.vocabulary else -x[:, half:]
    same = np.zeros(spec.labelled(len(x)), bool)
    same[:, :half] = True
    return batch | {"x": x}, same
