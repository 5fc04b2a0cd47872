"""Trains peers on the digits: `python -m tests.support.mlp.peer_losses NAME ...`. Prints a JSON object: the losses of each, from first to last."""

import json
import sys

import numpy as np

from implementations import data, registry
from implementations.mlp.spec import MLPSpec

STEPS = 60


def losses(name: str) -> list[float]:
    """Of so many steps, or of as many epochs as hold them."""
    spec, digits = MLPSpec(), data.digits()
    adapter = registry.adapter(name)
    adapter.start(1)
    peer = registry.model_class("mlp", name)(spec)
    x, y = (adapter.to_device(array, "cpu") for array in (digits.x_train.astype(spec.dtype), digits.y_train))
    if hasattr(peer, "epoch"):
        found = [peer.epoch(x, y) for _ in range(STEPS * spec.batch // len(y) + 1)]
    else:
        batches = [slice(at, at + spec.batch) for at in range(0, len(y) - spec.batch, spec.batch)]
        found = [peer.train_step(x[rows], y[rows]) for rows in (batches * STEPS)[:STEPS]]
    return [float(loss if isinstance(loss, float | np.floating) else adapter.to_host(loss)) for loss in found]


if __name__ == "__main__":
    print(json.dumps({name: losses(name) for name in sys.argv[1:]}))
