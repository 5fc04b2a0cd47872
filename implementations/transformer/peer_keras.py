"""A peer for the timings: Keras's own training loop, `fit`, on the network as introductions write it.

Stock layers with their own settings and initial weights, biases everywhere, the exact GELU: not the specification's network, never proved,
never ranked.
"""

from typing import Any

import keras

from implementations.training import peer_keras as training
from implementations.transformer.spec import EXPANSION, TransformerSpec


class Fit(training.Fit):
    """The peer."""

    def made_network(self, spec: TransformerSpec) -> keras.Model:
        """The functional API."""
        layers = keras.layers
        if spec.vocabulary:
            x = keras.Input((spec.length,), dtype="int32")
            h = layers.Embedding(spec.vocabulary, spec.width)(x)
        else:
            x = keras.Input((spec.length, spec.features))
            h = layers.Dense(spec.width)(x)
        ones = keras.ops.ones_like(h[..., 0], "int32")
        places = layers.Embedding(spec.length, spec.width)(keras.ops.cumsum(ones, 1) - 1)
        h = layers.Dropout(spec.dropout)(h + places)
        for _ in spec.numbers:
            n = layers.LayerNormalization()(h)
            h = h + layers.Dropout(spec.dropout)(self.attention(spec)(n, n, use_causal_mask=spec.causal))
            hidden = layers.Dense(EXPANSION * spec.width, activation="gelu")(layers.LayerNormalization()(h))
            h = h + layers.Dropout(spec.dropout)(layers.Dense(spec.width)(hidden))
        n = layers.LayerNormalization()(h)
        read = n if spec.causal else layers.GlobalAveragePooling1D()(n)
        return keras.Model(x, layers.Dense(spec.classes)(read))

    def attention(self, spec: TransformerSpec) -> Any:
        """One layer of several heads."""
        return keras.layers.MultiHeadAttention(spec.heads, spec.width // spec.heads, dropout=spec.attention_dropout)
