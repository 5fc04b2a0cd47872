"""The multilayer perceptron in NumPy, from scratch: hidden blocks of dense, batch norm, ReLU and dropout, then a dense layer.

Every formula stands in the layers; the loss and the optimizer are called by the training step, in `training_numpy`. Shape letters:
B batch, D features, H hidden width, C classes.
`through(name, layer, ...)` is `layer.forward(...)`: the proof steps in there, with choices of its own.
"""

from implementations.contract import Arrays, Batch
from implementations.layers.activation import relu_numpy as relu
from implementations.layers.batch_norm import batch_norm_numpy as batch_norm
from implementations.layers.dense import dense_numpy as dense
from implementations.layers.dropout import dropout_numpy as dropout
from implementations.training.training_numpy import Array, Caches, Model


class MLP(Model):
    """`implementations.contract.Model`."""

    # --- forward ---

    def forward(self, batch: Batch) -> tuple[Array, Caches]:
        """Logits (B, C) of a training step, and what the way back needs of every layer. Moves the running statistics."""
        w, h = self.w, batch["x"]
        caches: Caches = []
        for i in range(1, len(self.spec.hidden) + 1):
            x, norm, mask = h, None, None
            h = dense.forward(x, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"))
            if self.spec.batch_norm:
                gamma, beta = w[f"norm{i}.gamma"], w[f"norm{i}.beta"]
                h, norm, mean, variance = self.through(f"norm{i}", batch_norm, h, gamma, beta, self.spec.norm_epsilon)
                self.update_statistics(f"norm{i}", mean, variance, len(x))
            h = active = self.through(f"relu{i}", relu, h)
            if self.spec.dropout:
                mask = self.mask(f"dropout{i}.mask", h.shape, self.spec.dropout)
                h = dropout.forward(h, mask)
            caches.append((x, norm, active, mask))
        caches.append(h)
        return self.output(h), caches

    # --- output ---

    def output(self, h: Array) -> Array:
        """logits = h W + b: h (B, H) -> logits (B, C)."""
        return dense.forward(h, self.w["output.weight"], self.w["output.bias"])

    # --- backward ---

    def backward(self, dlogits: Array, caches: Caches) -> Arrays:
        """Gradients of the loss by parameter name, from the last layer to the first."""
        g: Arrays = {}
        g["output.weight"] = dense.backward_to_weight(dlogits, caches[-1])
        g["output.bias"] = dense.backward_to_bias(dlogits)
        dz, weight = dlogits, self.w["output.weight"]
        for i in range(len(self.spec.hidden), 0, -1):
            x, norm, active, mask = caches[i - 1]
            dh = dense.backward_to_input(dz, weight)
            if mask is not None:
                dh = dropout.backward(dh, mask)
            dz = relu.backward(dh, active)
            if norm is not None:
                dz, g[f"norm{i}.gamma"], g[f"norm{i}.beta"] = batch_norm.backward(dz, norm)
            else:
                g[f"dense{i}.bias"] = dense.backward_to_bias(dz)
            g[f"dense{i}.weight"] = dense.backward_to_weight(dz, x)
            weight = self.w[f"dense{i}.weight"]
        return g

    # --- predict ---

    def predict(self, batch: Batch) -> Array:
        """Logits (B, C) with running statistics and without dropout."""
        w, h = self.w, batch["x"]
        for i in range(1, len(self.spec.hidden) + 1):
            h = dense.forward(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"))
            if self.spec.batch_norm:
                gamma, beta = w[f"norm{i}.gamma"], w[f"norm{i}.beta"]
                mean, variance = w[f"norm{i}.running_mean"], w[f"norm{i}.running_variance"]
                h = batch_norm.forward_running(h, gamma, beta, mean, variance, self.spec.norm_epsilon)
            h = relu.forward(h)
        return self.output(h)

    def calls_of_steps(self) -> list[tuple[str, object, str]]:
        """With the step of this network's own: (step, object, method)."""
        return [*super().calls_of_steps(), ("output", self, "output")]
