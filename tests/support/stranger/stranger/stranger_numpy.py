"""The stranger in NumPy."""

from implementations.layers.activation import relu_numpy as relu
from implementations.layers.dense import dense_numpy as dense
from implementations.layers.dropout import dropout_numpy as dropout
from implementations.training.training_numpy import Model

from . import embedding_numpy as embedding
from . import maximum_numpy as maximum


class Stranger(Model):
    """`implementations.contract.Model`."""

    # --- forward ---

    def forward(self, batch):
        """Logits (B, P, V) of a training step, and what the way back needs."""
        x, w, spec = batch["x"], self.w, self.spec
        masks = spec.masks(len(x))
        e = embedding.forward(x, w["embedding.weight"])
        h, chosen = self.through("maximum1", maximum, maximum.windows(e, spec.window))
        rows, mask1, mask2 = h.reshape(-1, spec.embedding), None, None
        if "dropout1.mask" in masks:
            mask1 = self.mask("dropout1.mask", masks["dropout1.mask"].shape, spec.dropout_of_windows).reshape(
                rows.shape
            )
            rows = dropout.forward(rows, mask1)
        a = units = self.through("relu1", relu, dense.forward(rows, w["dense1.weight"], w["dense1.bias"]))
        if "dropout2.mask" in masks:
            mask2 = self.mask("dropout2.mask", masks["dropout2.mask"].shape, spec.dropout_of_units).reshape(a.shape)
            units = dropout.forward(a, mask2)
        logits = dense.forward(units, w["output.weight"], w["output.bias"])
        return logits.reshape(*h.shape[:2], -1), ((x, chosen), (rows, mask1), (a, units, mask2))

    # --- backward ---

    def backward(self, dlogits, caches):
        """Gradients of the loss by parameter name, from the last layer to the first."""
        (x, chosen), (rows, mask1), (a, units, mask2) = caches
        w, dz, g = self.w, dlogits.reshape(-1, dlogits.shape[-1]), {}
        g["output.weight"], g["output.bias"] = dense.backward_to_weight(dz, units), dense.backward_to_bias(dz)
        da = dense.backward_to_input(dz, w["output.weight"])
        dz = relu.backward(da if mask2 is None else dropout.backward(da, mask2), a)
        g["dense1.weight"], g["dense1.bias"] = dense.backward_to_weight(dz, rows), dense.backward_to_bias(dz)
        dh = dense.backward_to_input(dz, w["dense1.weight"])
        dh = (dh if mask1 is None else dropout.backward(dh, mask1)).reshape(chosen.shape)
        de = maximum.backward(dh, chosen, x.shape[1], self.spec.window)
        g["embedding.weight"] = embedding.backward(de, x, self.spec.vocabulary)
        return g

    # --- predict ---

    def predict(self, batch):
        """Logits (B, P, V), without dropout."""
        w = self.w
        e = embedding.forward(batch["x"], w["embedding.weight"])
        h, _ = maximum.forward(maximum.windows(e, self.spec.window))
        a = relu.forward(dense.forward(h, w["dense1.weight"], w["dense1.bias"]))
        return dense.forward(a, w["output.weight"], w["output.bias"])
