"""What the peers in Keras share: Keras's own training loop, `fit`, with its stock optimizer."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

KINDS = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}


class Fit:
    """One epoch is one call of `fit`, which shuffles, copies and trains by itself. A network's own peer adds `made_network`."""

    def __init__(self, spec: Any, device: str = "cpu") -> None:
        keras.utils.set_random_seed(spec.seed)
        self.network, self.batch, settings = self.made_network(spec), spec.batch, spec.optimizer
        own = {"momentum": settings.momentum} if settings.kind == "sgd" else {}
        self.network.compile(
            KINDS[settings.kind](settings.learning_rate, global_clipnorm=spec.largest_norm or None, **own),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    def made_network(self, spec: Any) -> keras.Model:
        """Inputs -> logits, with Keras's own settings and initial weights."""
        raise NotImplementedError

    def epoch(self, samples: Mapping[str, np.ndarray]) -> Any:
        """One pass over all samples in whole batches; returns the mean loss."""
        x, y = samples["x"], samples["y"]
        whole = len(y) // self.batch * self.batch
        history = self.network.fit(x[:whole], y[:whole], batch_size=self.batch, epochs=1, verbose=0)
        return np.float32(history.history["loss"][-1])

    def load_state(self, state: Any) -> None:
        """It keeps its own start: nothing is compared with it."""
