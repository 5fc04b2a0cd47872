"""The recurrent network in NumPy, from scratch: recurrent layers, each with dropout behind it, then a dense output layer.

Every formula stands in the layers; the loss and the optimizer are called by the training step, in `training_numpy`. Shape letters:
B batch, T steps, D features, H width of a recurrent layer, K classes.
"""

from implementations.contract import Arrays, Batch
from implementations.layers.cells import gru_numpy as gru
from implementations.layers.cells import lstm_numpy as lstm
from implementations.layers.cells import tanh_numpy as tanh
from implementations.layers.dense import dense_numpy as dense
from implementations.layers.dropout import dropout_numpy as dropout
from implementations.layers.embedding import embedding_numpy as embedding
from implementations.layers.recurrent import recurrent_numpy as recurrent
from implementations.training.training_numpy import Array, Caches, Model

CELLS = {"lstm": lstm, "gru": gru, "tanh": tanh}


class RNN(Model):
    """`implementations.contract.Model`."""

    # --- forward ---

    def forward(self, batch: Batch) -> tuple[Array, Caches]:
        """Logits (B, K) or (B, T, K) of a training step, and what the way back needs of every layer."""
        h, caches = self.embedded(batch["x"]), list[Caches]()
        for i in self.spec.layers:
            h, cache = self.layer(i, h)
            mask = None
            if self.spec.dropout:
                mask = self.mask(f"dropout{i}.mask", h.shape, self.spec.dropout)
                h = dropout.forward(h, mask)
            caches.append((cache, mask))
        return self.output(h), (batch["x"], caches, h)

    def embedded(self, x: Array) -> Array:
        """Tokens (B, T) as rows of numbers (B, T, D); rows as they are."""
        return embedding.forward(x, self.w["embedding.weight"]) if self.spec.vocabulary else x

    def layer(self, i: int, x: Array) -> tuple[Array, Caches]:
        """The states that are read above, (B, T, H) or the last one (B, H), and what the way back needs."""
        w = self.w
        weights = w[f"rnn{i}.weight"], w[f"rnn{i}.recurrent_weight"], w[f"rnn{i}.bias"], w.get(f"rnn{i}.recurrent_bias")
        states, cache = recurrent.forward(CELLS[self.spec.cell], x, *weights)
        return states if self.spec.reads_every(i) else recurrent.last(states), cache

    # --- output ---

    def output(self, h: Array) -> Array:
        """logits = h W + b: the last state h (B, H), or every one (B, T, H), -> logits (B, K) or (B, T, K)."""
        logits = dense.forward(h.reshape(-1, h.shape[-1]), self.w["output.weight"], self.w["output.bias"])
        return logits.reshape(*h.shape[:-1], -1)

    def output_backward(self, dlogits: Array, h: Array, g: Arrays) -> Array:
        """dh (B, H) or (B, T, H); the gradients of W and b go into g."""
        dz, rows = dlogits.reshape(-1, dlogits.shape[-1]), h.reshape(-1, h.shape[-1])
        g["output.weight"], g["output.bias"] = dense.backward_to_weight(dz, rows), dense.backward_to_bias(dz)
        return dense.backward_to_input(dz, self.w["output.weight"]).reshape(h.shape)

    # --- backward ---

    def backward(self, dlogits: Array, caches: Caches) -> Arrays:
        """Gradients of the loss by parameter name, from the last layer to the first."""
        (x, layers, h), g = caches, dict[str, Array]()
        dh = self.output_backward(dlogits, h, g)
        for i in reversed(self.spec.layers):
            cache, mask = layers[i - 1]
            dh = self.layer_backward(i, dh if mask is None else dropout.backward(dh, mask), cache, g)
        if self.spec.vocabulary:
            g["embedding.weight"] = embedding.backward(dh, x, self.w["embedding.weight"])
        return g

    def layer_backward(self, i: int, dh: Array, cache: Caches, g: Arrays) -> Array:
        """dx of a recurrent layer; its gradients go into g."""
        weight, recurrent_weight = self.w[f"rnn{i}.weight"], self.w[f"rnn{i}.recurrent_weight"]
        dstates = dh if self.spec.reads_every(i) else recurrent.backward_from_last(dh, self.spec.length)
        gradients = recurrent.backward(CELLS[self.spec.cell], dstates, weight, recurrent_weight, cache)
        dx, g[f"rnn{i}.weight"], g[f"rnn{i}.recurrent_weight"], g[f"rnn{i}.bias"], of_second_bias = gradients
        if f"rnn{i}.recurrent_bias" in self.w:
            g[f"rnn{i}.recurrent_bias"] = of_second_bias
        return dx

    # --- predict ---

    def predict(self, batch: Batch) -> Array:
        """Logits (B, K) or (B, T, K), without dropout."""
        h = self.embedded(batch["x"])
        for i in self.spec.layers:
            h, _ = self.layer(i, h)
        return self.output(h)

    def calls_of_steps(self) -> list[tuple[str, object, str]]:
        """With the steps of this network's own: (step, object, method)."""
        return [*super().calls_of_steps(), ("output", self, "output"), ("output", self, "output_backward")]
