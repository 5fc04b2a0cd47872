"""A peer for the timings: Keras's own training loop, `fit`, on the network as introductions write it.

In the memory format that is Keras's own, channels last, whatever a user's settings say. Stock layers with their own settings and initial
weights: not the specification's network, never proved, never ranked.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from implementations.cnn.spec import CNNSpec

FORMAT = "channels_last"


class Fit:
    """One epoch is one call of `fit`, which shuffles, copies and trains by itself."""

    def __init__(self, spec: CNNSpec, device: str = "cpu") -> None:
        keras.utils.set_random_seed(spec.seed)
        layers: list[Any] = [keras.Input(spec.image)]
        for width in spec.channels:
            norm = [keras.layers.BatchNormalization()] if spec.batch_norm else []
            convolution = keras.layers.Conv2D(width, 3, padding="same", data_format=FORMAT)
            layers += [convolution, *norm, keras.layers.ReLU(), keras.layers.MaxPooling2D(data_format=FORMAT)]
        layers.append(keras.layers.Flatten(data_format=FORMAT))
        for width in spec.hidden:
            norm = [keras.layers.BatchNormalization()] if spec.batch_norm else []
            layers += [keras.layers.Dense(width), *norm, keras.layers.ReLU(), keras.layers.Dropout(spec.dropout)]
        self.network = keras.Sequential([*layers, keras.layers.Dense(spec.classes)])
        settings, kinds = spec.optimizer, {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}
        own = {"momentum": settings.momentum} if settings.kind == "sgd" else {}
        self.network.compile(
            getattr(keras.optimizers, kinds[settings.kind])(settings.learning_rate, **own),
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
