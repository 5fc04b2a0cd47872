"""The convolutional network in NumPy, from scratch: blocks of convolution, batch norm, ReLU and max pool, then those of the perceptron.

Every formula stands in the layers; the loss and the optimizer are called by the training step, in `training_numpy`. Shape letters:
B batch, H and W height and width of an image, C channels, D width of a dense layer, K classes. A layer's number is its block's.
`through(name, layer, ...)` is `layer.forward(...)`: the proof steps in there, with choices of its own.
"""

from implementations.contract import Arrays, Batch
from implementations.layers.activation import relu_numpy as relu
from implementations.layers.batch_norm import batch_norm_numpy as batch_norm
from implementations.layers.convolution import convolution_numpy as convolution
from implementations.layers.dense import dense_numpy as dense
from implementations.layers.dropout import dropout_numpy as dropout
from implementations.layers.pooling import max_pool_numpy as max_pool
from implementations.training.training_numpy import Array, Caches, Model


class CNN(Model):
    """`implementations.contract.Model`."""

    layout = "NHWC; kernels HWIO, (in, out)"

    # --- forward ---

    def forward(self, batch: Batch) -> tuple[Array, Caches]:
        """Logits (B, K) of a training step, and what the way back needs of every layer. Moves the running statistics."""
        h, caches = batch["x"], list[Caches]()
        for i in self.spec.convolutional_blocks:
            h, cache = self.convolutional_block(i, h)
            caches.append(cache)
        h = self.flatten(h)
        for i in self.spec.dense_blocks:
            h, cache = self.dense_block(i, h)
            caches.append(cache)
        caches.append(h)
        return self.output(h), caches

    def convolutional_block(self, i: int, x: Array) -> tuple[Array, Caches]:
        """Images (B, H, W, C) -> (B, H//2, W//2, channels of the block)."""
        w = self.w
        z = convolution.forward(x, w[f"conv{i}.weight"], w.get(f"conv{i}.bias"))
        n, norm = self.normalised(i, z)
        a = self.through(f"relu{i}", relu, n)
        p, chosen = self.through(f"pool{i}", max_pool, a)
        return p, (x, norm, a, chosen)

    def dense_block(self, i: int, x: Array) -> tuple[Array, Caches]:
        """Rows (B, D) -> (B, width of the block)."""
        w, mask = self.w, None
        z = dense.forward(x, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"))
        n, norm = self.normalised(i, z)
        h = a = self.through(f"relu{i}", relu, n)
        if self.spec.dropout:
            mask = self.mask(f"dropout{i}.mask", a.shape, self.spec.dropout)
            h = dropout.forward(a, mask)
        return h, (x, norm, a, mask)

    def normalised(self, i: int, z: Array) -> tuple[Array, Caches]:
        """Batch norm with the batch's own statistics, which move the running ones; nothing where there is no batch norm."""
        if not self.spec.batch_norm:
            return z, None
        gamma, beta = self.w[f"norm{i}.gamma"], self.w[f"norm{i}.beta"]
        n, norm, mean, variance = self.through(f"norm{i}", batch_norm, z, gamma, beta, self.spec.norm_epsilon)
        self.update_statistics(f"norm{i}", mean, variance, batch_norm.count(z))
        return n, norm

    # --- flatten ---

    def flatten(self, maps: Array) -> Array:
        """Maps (B, H, W, C) -> rows (B, H W C): pixel by pixel, row by row, the channels of a pixel side by side."""
        return maps.reshape(len(maps), -1)

    def unflatten(self, rows: Array, shape: tuple[int, ...]) -> Array:
        """The way back, to maps of this shape."""
        return rows.reshape(shape)

    # --- output ---

    def output(self, h: Array) -> Array:
        """logits = h W + b: h (B, D) -> logits (B, K)."""
        return dense.forward(h, self.w["output.weight"], self.w["output.bias"])

    # --- backward ---

    def backward(self, dlogits: Array, caches: Caches) -> Arrays:
        """Gradients of the loss by parameter name, from the last layer to the first. Nobody asks for that of the images."""
        w, g, h = self.w, dict[str, Array](), caches[-1]
        g["output.weight"] = dense.backward_to_weight(dlogits, h)
        g["output.bias"] = dense.backward_to_bias(dlogits)
        dh = dense.backward_to_input(dlogits, w["output.weight"])
        for i in reversed(self.spec.dense_blocks):
            dz = self.dense_block_backward(i, dh, caches[i - 1], g)
            if i > 1:
                dh = dense.backward_to_input(dz, w[f"dense{i}.weight"])
        for i in reversed(self.spec.convolutional_blocks):
            dp = self.unflatten(dh, caches[i - 1][-1].shape)
            dz = self.convolutional_block_backward(i, dp, caches[i - 1], g)
            if i > 1:
                dh = convolution.backward_to_input(dz, w[f"conv{i}.weight"])
        return g

    def dense_block_backward(self, i: int, dh: Array, cache: Caches, g: Arrays) -> Array:
        """dz of the block's dense layer; its gradients go into g."""
        x, norm, a, mask = cache
        dn = relu.backward(dh if mask is None else dropout.backward(dh, mask), a)
        if norm is not None:
            dz, g[f"norm{i}.gamma"], g[f"norm{i}.beta"] = batch_norm.backward(dn, norm)
        else:
            dz, g[f"dense{i}.bias"] = dn, dense.backward_to_bias(dn)
        g[f"dense{i}.weight"] = dense.backward_to_weight(dz, x)
        return dz

    def convolutional_block_backward(self, i: int, dp: Array, cache: Caches, g: Arrays) -> Array:
        """dz of the block's convolution; its gradients go into g."""
        x, norm, a, chosen = cache
        dn = relu.backward(max_pool.backward(dp, chosen, a.shape), a)
        if norm is not None:
            dz, g[f"norm{i}.gamma"], g[f"norm{i}.beta"] = batch_norm.backward(dn, norm)
        else:
            dz, g[f"conv{i}.bias"] = dn, convolution.backward_to_bias(dn)
        g[f"conv{i}.weight"] = convolution.backward_to_weight(dz, x)
        return dz

    # --- predict ---

    def predict(self, batch: Batch) -> Array:
        """Logits (B, K) with running statistics and without dropout."""
        w, h = self.w, batch["x"]
        for i in self.spec.convolutional_blocks:
            z = convolution.forward(h, w[f"conv{i}.weight"], w.get(f"conv{i}.bias"))
            h, _ = max_pool.forward(relu.forward(self.normalised_running(i, z)))
        h = self.flatten(h)
        for i in self.spec.dense_blocks:
            z = dense.forward(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"))
            h = relu.forward(self.normalised_running(i, z))
        return self.output(h)

    def normalised_running(self, i: int, z: Array) -> Array:
        """Batch norm with the running statistics; nothing where there is no batch norm."""
        if not self.spec.batch_norm:
            return z
        gamma, beta = self.w[f"norm{i}.gamma"], self.w[f"norm{i}.beta"]
        mean, variance = self.w[f"norm{i}.running_mean"], self.w[f"norm{i}.running_variance"]
        return batch_norm.forward_running(z, gamma, beta, mean, variance, self.spec.norm_epsilon)

    def calls_of_steps(self) -> list[tuple[str, object, str]]:
        """With the steps of this network's own: (step, object, method)."""
        own = [("flatten", self, "flatten"), ("flatten", self, "unflatten"), ("output", self, "output")]
        return [*super().calls_of_steps(), *own]
