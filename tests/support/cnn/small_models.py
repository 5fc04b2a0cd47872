"""Small convolutional networks for tests, and their oracle."""

from typing import Any

import numpy as np

from implementations import initialisation
from implementations.cnn.cnn_numpy import CNN
from implementations.cnn.spec import CNNSpec
from implementations.equivalence.oracle import oracle_of

Oracle: Any = oracle_of(CNN)

SHAPES: dict[str, dict[str, Any]] = {
    "square": {"image": (8, 8, 1), "channels": (3, 4)},
    "ugly": {"image": (10, 7, 3), "channels": (5, 5)},
    "odd": {"image": (9, 11, 2), "channels": (4, 6), "hidden": (7, 5)},
    "no dense block": {"image": (9, 11, 2), "channels": (4,), "hidden": ()},
}


def small_spec(**changes: Any) -> Any:
    """Not the defaults: a setting that is read from nowhere must be seen."""
    own = {"hidden": (6,), "classes": 4, "batch": 6, "norm_epsilon": 1e-3, "norm_momentum": 0.8, "dropout": 0.3}
    return CNNSpec().changed(**own | {"precision": "float64"} | changes)


def oracle(spec: Any, state: Any = None, dtype: Any = np.float64) -> Any:
    """The NumPy page in the middle of training, with dropout masks given to it."""
    model = Oracle(spec, dtype=dtype)
    model.load_state(initialisation.hot_state(spec) if state is None else state)
    return model
