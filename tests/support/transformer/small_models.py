"""Small Transformers for tests, and their oracle."""

from typing import Any

import numpy as np

from implementations import initialisation
from implementations.equivalence.oracle import oracle_of
from implementations.transformer.spec import TransformerSpec
from implementations.transformer.transformer_numpy import Transformer

Oracle: Any = oracle_of(Transformer)

ROWS = {"vocabulary": 0, "features": 3}
SHAPES: dict[str, dict[str, Any]] = {
    "tokens, every": {},
    "tokens, mean": {"outputs": "mean"},
    "rows, every": ROWS,
    "rows, mean": ROWS | {"outputs": "mean"},
    "square": ROWS | {"features": 6, "length": 6, "classes": 6, "batch": 6, "heads": 1, "blocks": 1},
    "one position": {"length": 1, "blocks": 1},
    "nothing dropped": {"dropout": 0.0, "attention_dropout": 0.0},
}


def small_spec(**changes: Any) -> Any:
    """Not the defaults: a setting that is read from nowhere must be seen. Sizes differ, and tokens stand in several places."""
    own = {
        "vocabulary": 7,
        "length": 5,
        "width": 6,
        "heads": 2,
        "blocks": 2,
        "classes": 4,
        "batch": 3,
        "norm_epsilon": 0.01,
    }
    rates = {"dropout": 0.3, "attention_dropout": 0.2}
    descent = {"kind": "sgd", "learning_rate": 0.07, "momentum": 0.7}
    return TransformerSpec().changed(**own | rates | {"precision": "float64", "optimizer": descent} | changes)


def oracle(spec: Any, state: Any = None, dtype: Any = np.float64) -> Any:
    """The NumPy page in the middle of training, with dropout masks given to it."""
    model = Oracle(spec, dtype=dtype)
    model.load_state(initialisation.hot_state(spec) if state is None else state)
    return model
