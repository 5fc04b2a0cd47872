"""A peer for the timings: Keras's own training loop, `fit`, on the network as introductions write it.

In the memory format that is Keras's own, channels last, whatever a user's settings say. Stock layers with their own settings and initial
weights: not the specification's network, never proved, never ranked.
"""

from typing import Any

import keras

from implementations.cnn.spec import CNNSpec
from implementations.training import peer_keras as training

FORMAT = "channels_last"


class Fit(training.Fit):
    """The peer."""

    def made_network(self, spec: CNNSpec) -> keras.Model:
        """`keras.Sequential`."""
        layers: list[Any] = [keras.Input(spec.image)]
        for width in spec.channels:
            norm = [keras.layers.BatchNormalization()] if spec.batch_norm else []
            convolution = keras.layers.Conv2D(width, 3, padding="same", data_format=FORMAT)
            layers += [convolution, *norm, keras.layers.ReLU(), keras.layers.MaxPooling2D(data_format=FORMAT)]
        layers.append(keras.layers.Flatten(data_format=FORMAT))
        for width in spec.hidden:
            norm = [keras.layers.BatchNormalization()] if spec.batch_norm else []
            layers += [keras.layers.Dense(width), *norm, keras.layers.ReLU(), keras.layers.Dropout(spec.dropout)]
        return keras.Sequential([*layers, keras.layers.Dense(spec.classes)])
