"""A peer for the timings: Keras's own training loop, `fit`, on the network as introductions write it.

Stock layers with their own settings and initial weights: not the specification's network, never proved, never ranked.
"""

from typing import Any

import keras

from implementations.mlp.spec import MLPSpec
from implementations.training import peer_keras as training


class Fit(training.Fit):
    """The peer."""

    def made_network(self, spec: MLPSpec) -> keras.Model:
        """`keras.Sequential`."""
        layers: list[Any] = [keras.Input((spec.features,))]
        for width in spec.hidden:
            norm = [keras.layers.BatchNormalization()] if spec.batch_norm else []
            layers += [keras.layers.Dense(width), *norm, keras.layers.ReLU(), keras.layers.Dropout(spec.dropout)]
        return keras.Sequential([*layers, keras.layers.Dense(spec.classes)])
