"""Small recurrent networks for tests, and their oracle."""

from typing import Any

import numpy as np

from implementations import initialisation
from implementations.equivalence.oracle import oracle_of
from implementations.rnn.rnn_numpy import RNN
from implementations.rnn.spec import RNNSpec

Oracle: Any = oracle_of(RNN)

CELLS = ("lstm", "gru", "tanh")
TOKENS = {"vocabulary": 11, "length": 7}
SHAPES: dict[str, dict[str, Any]] = {
    "rows, last": {},
    "rows, every": {"outputs": "every"},
    "tokens, last": TOKENS,
    "tokens, every": TOKENS | {"outputs": "every"},
    "square": {"features": 4, "hidden": (4, 4)},
}


def small_spec(**changes: Any) -> Any:
    """Not the defaults: a setting that is read from nowhere must be seen. Widths differ, and tokens stand in several places."""
    own = {"features": 3, "length": 5, "hidden": (4, 6), "classes": 4, "batch": 6, "dropout": 0.3, "clip_norm": 0.05}
    return RNNSpec().changed(
        **own | {"precision": "float64", "optimizer": {"kind": "sgd", "learning_rate": 0.07, "momentum": 0.7}} | changes
    )


def oracle(spec: Any, state: Any = None, dtype: Any = np.float64) -> Any:
    """The NumPy page in the middle of training, with dropout masks given to it."""
    model = Oracle(spec, dtype=dtype)
    model.load_state(initialisation.hot_state(spec) if state is None else state)
    return model
