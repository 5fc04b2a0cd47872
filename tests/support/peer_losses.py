"""Trains a model's peers on its own data: `python -m tests.support.peer_losses MODEL NAME ...`. Prints a JSON object: the losses of each, from first to last."""

import json
import sys

import numpy as np

from implementations import registry
from tests.support.batches import samples

STEPS = 60


def losses(model: str, name: str) -> list[float]:
    """Of so many steps, or of as many epochs as hold them."""
    spec = registry.part(model, "spec").Spec()
    digits = registry.part(model, "data").default(spec)
    adapter = registry.adapter(name)
    adapter.start(1)
    peer = registry.model_class(model, name)(spec)
    host = {"x": digits.x_train.astype(spec.dtype), "y": digits.y_train}
    data = {name: adapter.to_device(array, "cpu") for name, array in host.items()}
    count = len(digits.y_train)
    if hasattr(peer, "epoch"):
        results = [peer.epoch(data) for _ in range(STEPS * spec.batch // count + 1)]
    else:
        batches = [slice(at, at + spec.batch) for at in range(0, count - spec.batch, spec.batch)]
        results = [peer.train_step(samples(data, rows)) for rows in (batches * STEPS)[:STEPS]]
    return [float(loss if isinstance(loss, float | np.floating) else adapter.to_host(loss)) for loss in results]


if __name__ == "__main__":
    print(json.dumps({name: losses(sys.argv[1], name) for name in sys.argv[2:]}))
