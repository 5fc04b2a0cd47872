"""A peer for the timings: Keras's own training loop, `fit`, on the network as introductions write it.

Stock layers with their own settings and initial weights, the stock optimizer with `global_clipnorm`: not the specification's network, never
proved, never ranked.
"""

from typing import Any

import keras

from implementations.rnn.spec import RNNSpec
from implementations.training import peer_keras as training

KINDS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "tanh": keras.layers.SimpleRNN}


class Fit(training.Fit):
    """The peer."""

    def made_network(self, spec: RNNSpec) -> keras.Model:
        """`keras.Sequential`."""
        if spec.vocabulary:
            layers: list[Any] = [keras.Input((spec.length,), dtype="int32")]
            layers.append(keras.layers.Embedding(spec.vocabulary, spec.features))
        else:
            layers = [keras.Input((spec.length, spec.features))]
        for i, width in zip(spec.layers, spec.hidden, strict=True):
            layer = KINDS[spec.cell](width, return_sequences=spec.reads_every(i))
            layers += [layer, keras.layers.Dropout(spec.dropout)]
        return keras.Sequential([*layers, keras.layers.Dense(spec.classes)])
