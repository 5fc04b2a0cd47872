"""A peer for the timings: Keras's own training loop, `fit`, on the network as introductions write it.

Stock layers with their own settings and initial weights, the stock optimizer with `global_clipnorm`: not the specification's network, never
proved, never ranked.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from implementations.rnn.spec import RNNSpec

KINDS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "tanh": keras.layers.SimpleRNN}


class Fit:
    """One epoch is one call of `fit`, which shuffles, copies and trains by itself."""

    def __init__(self, spec: RNNSpec, device: str = "cpu") -> None:
        keras.utils.set_random_seed(spec.seed)
        if spec.vocabulary:
            layers: list[Any] = [keras.Input((spec.length,), dtype="int32")]
            layers.append(keras.layers.Embedding(spec.vocabulary, spec.features))
        else:
            layers = [keras.Input((spec.length, spec.features))]
        for i, width in zip(spec.layers, spec.hidden, strict=True):
            layer = KINDS[spec.cell](width, return_sequences=spec.reads_every(i))
            layers += [layer, keras.layers.Dropout(spec.dropout)]
        self.network = keras.Sequential([*layers, keras.layers.Dense(spec.classes)])
        settings, kinds = spec.optimizer, {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}
        own = {"momentum": settings.momentum} if settings.kind == "sgd" else {}
        self.network.compile(
            getattr(keras.optimizers, kinds[settings.kind])(
                settings.learning_rate, global_clipnorm=spec.clip_norm or None, **own
            ),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        self.batch = spec.batch

    def epoch(self, samples: Mapping[str, np.ndarray]) -> Any:
        """One pass over all samples in whole batches; returns the mean loss."""
        x, y = samples["x"], samples["y"]
        whole = len(y) // self.batch * self.batch
        history = self.network.fit(x[:whole], y[:whole], batch_size=self.batch, epochs=1, verbose=0)
        return np.float32(history.history["loss"][-1])

    def load_state(self, state: Any) -> None:
        """It keeps its own start: nothing is compared with it."""
