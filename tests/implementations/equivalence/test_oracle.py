import numpy as np
import pytest

from implementations import initialisation
from implementations.equivalence.oracle import oracle_of
from implementations.mlp.mlp_numpy import MLP
from implementations.mlp.spec import MLPSpec


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_whole_numbers_of_any_type_stay_whole(dtype):
    spec = MLPSpec().changed(features=3, hidden=(4,), classes=3, batch=5, dropout=0.0)
    (batch,), losses = initialisation.batches(spec, 1), []
    for labels in (batch["y"], batch["y"].astype(dtype)):
        oracle = oracle_of(MLP)(spec)
        oracle.load_state(initialisation.hot_state(spec))
        losses.append(oracle.repeat_step(batch | {"y": labels}, {}))
    assert losses[0] == losses[1]
