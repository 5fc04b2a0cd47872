"""Trains peers on the models' own data: `python -m tests.support.peer_losses MODEL:PRESET:NAME ...`, all of one framework.

Prints a JSON object: the losses of each, from first to last.
"""

import json
import sys
from typing import Any

import numpy as np

from implementations import registry
from implementations.initialisation import stored
from tests.support.batches import samples

STEPS = 300
SMALLER: dict[tuple[str, str], dict[str, Any]] = {
    ("mlp", "digits"): {"batch": 32},
    ("cnn", "digits"): {"channels": (8, 16), "batch": 32},
    ("rnn", "text"): {"length": 32, "hidden": (64,)},
    ("transformer", "digits"): {"batch": 32},
    ("transformer", "text"): {"length": 32, "width": 32},
}
"""Changes to presets that take long."""


def losses(model: str, preset: str, name: str) -> list[float]:
    """Of so many steps, or of as many epochs as hold them: at least two."""
    spec = registry.part(model, "spec").Spec.preset(preset).changed(**SMALLER.get((model, preset), {}))
    own = registry.part(model, "data").default(spec)
    adapter = registry.adapter(name)
    adapter.start(1)
    peer = registry.model_class(model, name)(spec)
    host = stored(spec, {"x": own.x_train, "y": own.y_train})
    count = min(own.samples, STEPS // 2 * spec.batch)
    data = {name: adapter.to_device(array[:count], "cpu") for name, array in host.items()}
    if hasattr(peer, "epoch"):
        results = [peer.epoch(data) for _ in range(STEPS * spec.batch // count)]
    else:
        batches = [slice(at, at + spec.batch) for at in range(0, count - spec.batch, spec.batch)]
        results = [peer.train_step(samples(data, rows)) for rows in (batches * STEPS)[:STEPS]]
    return [float(loss if isinstance(loss, float | np.floating) else adapter.to_host(loss)) for loss in results]


if __name__ == "__main__":
    print(json.dumps({training: losses(*training.split(":")) for training in sys.argv[1:]}))
