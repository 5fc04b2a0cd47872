"""States that careless arithmetic does not survive, and where NaN is put."""

import numpy as np

from implementations.contract import Arrays

from .spec import StrangerSpec


def extremes(spec: StrangerSpec, hot: Arrays, state: Arrays, batch: Arrays) -> dict[str, tuple[Arrays, Arrays]]:
    """Logits so large that an exponential overflows; embeddings that are very large; one token everywhere."""
    one_token = {"x": np.full_like(batch["x"], 3), "y": batch["y"]}
    return {
        "large logits": (_scaled(state, 200, "output.weight", "output.bias"), batch),
        "large embeddings": (_scaled(state, 2.0**20, "embedding.weight"), batch),
        "one token": (state, one_token),
        "one token, hot": (hot, one_token),
    }


def poisoned(spec: StrangerSpec, state: Arrays, batch: Arrays) -> tuple[Arrays, Arrays, np.ndarray]:
    """NaN in the row of the first token: state, batch, and which logits (B, P) it must reach."""
    token, table = batch["x"][0, 0], state["embedding.weight"].copy()
    table[token] = np.nan
    windows = np.lib.stride_tricks.sliding_window_view(batch["x"], spec.window, axis=1)
    return state | {"embedding.weight": table}, batch, (windows == token).any(axis=-1)


def _scaled(state: Arrays, factor: float, *names: str) -> Arrays:
    return state | {name: state[name] * factor for name in names}
