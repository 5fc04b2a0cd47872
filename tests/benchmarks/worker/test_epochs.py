"""An epoch as it is timed: every call has batches that no call before it had."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.worker.models import Models
from implementations.train import Samples


class Attentive:
    """Remembers which samples it was trained on."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []

    def train_step(self, batch: dict[str, Any]) -> float:
        self.batches.append(tuple(batch["x"]))
        return 0.0


def test_every_epoch_has_the_same_samples_in_batches_of_its_own() -> None:
    models: Any = object.__new__(Models)  # its data alone: no framework, no proof
    models.is_peer = False
    models.data = Samples({"x_train": np.arange(32), "y_train": np.arange(32)}, 0, lambda batch: batch)
    model = Attentive()
    call = models._call_of("epoch", SimpleNamespace(model=model, spec=SimpleNamespace(batch=8), batches=[]))
    for _ in range(3):
        call()
    assert len(set(map(frozenset, model.batches))) == 12
    assert all(sorted(sum(model.batches[at : at + 4], ())) == list(range(32)) for at in (0, 4, 8))
