"""The Transformer in NumPy, from scratch: blocks of self-attention and a feed-forward, each behind a norm and added to what goes by.

Every formula stands in the layers; the loss and the optimizer are called by the training step, in `training_numpy`. Shape letters:
B batch, T positions, V vocabulary, E width, C classes. A block's two branches read the residual stream h (B, T, E) and add to it.
`through(name, layer, ...)` is `layer.forward(...)`: the proof steps in there, with choices of its own.
"""

from implementations.contract import Arrays, Batch
from implementations.layers.activation import gelu_numpy as gelu
from implementations.layers.attention import attention_numpy as attention
from implementations.layers.dense import dense_numpy as dense
from implementations.layers.dropout import dropout_numpy as dropout
from implementations.layers.embedding import embedding_numpy as embedding
from implementations.layers.layer_norm import layer_norm_numpy as layer_norm
from implementations.layers.positions import positions_numpy as positions
from implementations.training.training_numpy import Array, Caches, Model


class Transformer(Model):
    """`implementations.contract.Model`."""

    # --- forward ---

    def forward(self, batch: Batch, training: bool = True) -> tuple[Array, Caches]:
        """Logits (B, T, C) or (B, C), and what the way back needs of every layer. Without training nothing is dropped."""
        x, caches = batch["x"], list[Caches]()
        h = positions.forward(self.embedded(x), self.w["positions.weight"])
        h, mask = self.dropped("dropout0", h, training)
        for i in self.spec.numbers:
            h, attended = self.attention_branch(i, h, training)
            h, fed = self.feed_forward_branch(i, h, training)
            caches.append((attended, fed))
        h, normed = self.norm("norm", h)
        return self.output(h), (x, mask, caches, normed, h)

    def embedded(self, x: Array) -> Array:
        """Tokens (B, T), or rows (B, T, D), as vectors (B, T, E)."""
        return embedding.forward(x, self.w["embedding.weight"]) if self.spec.vocabulary else self.dense("embedding", x)

    def attention_branch(self, i: int, h: Array, training: bool) -> tuple[Array, Caches]:
        """The first branch of a block: h + dropout(attention(norm(h)))."""
        n, normed = self.norm(f"attention_norm{i}", h)
        shape, rate = (len(h), self.spec.heads, h.shape[1], h.shape[1]), self.spec.attention_dropout
        of_weights = self.mask(f"attention{i}.mask", shape, rate) if training and rate else None
        o, cache = attention.forward(n, self.weights_of(i), self.spec.heads, self.spec.causal, of_weights)
        o, mask = self.dropped(f"attention_dropout{i}", o, training)
        return self.residual(h, o), (normed, cache, mask)

    def feed_forward_branch(self, i: int, h: Array, training: bool) -> tuple[Array, Caches]:
        """The second: h + dropout(feed_forward(norm(h)))."""
        n, normed = self.norm(f"feed_forward_norm{i}", h)
        z = self.dense(f"expand{i}", n)
        a = gelu.forward(z)
        u, mask = self.dropped(f"feed_forward_dropout{i}", self.dense(f"contract{i}", a), training)
        return self.residual(h, u), (normed, n, gelu.slope(z) if training else None, a, mask)

    def norm(self, name: str, h: Array) -> tuple[Array, Caches]:
        """n (B, T, E)."""
        scale = self.w[f"{name}.gamma"], self.w[f"{name}.beta"]
        n, cache, *_ = self.through(name, layer_norm, h, *scale, self.spec.norm_epsilon)
        return n, cache

    def dense(self, name: str, x: Array) -> Array:
        """x W + b at every position: (B, T, D) -> (B, T, H)."""
        z = dense.forward(x.reshape(-1, x.shape[-1]), self.w[f"{name}.weight"], self.w.get(f"{name}.bias"))
        return z.reshape(*x.shape[:-1], -1)

    def dropped(self, name: str, a: Array, training: bool) -> tuple[Array, Array | None]:
        """h = a * m, and the mask, where something is dropped."""
        mask = self.mask(f"{name}.mask", a.shape, self.spec.dropout) if training and self.spec.dropout else None
        return a if mask is None else dropout.forward(a, mask), mask

    def weights_of(self, i: int) -> list[Array]:
        """Wq, Wk, Wv and Wm of a block."""
        return [self.w[f"attention{i}.{name}"] for name in attention.NAMES]

    # --- residual ---

    def residual(self, h: Array, branch: Array) -> Array:
        """h + what a branch makes of it; on the way back dh + what comes back through the branch."""
        return h + branch

    # --- output ---

    def output(self, n: Array) -> Array:
        """logits = n W: of every position n (B, T, E), or of the mean over them (B, E), -> logits (B, T, C) or (B, C)."""
        return self.dense("output", n if self.spec.causal else n.mean(axis=1))

    def output_backward(self, dlogits: Array, n: Array, g: Arrays) -> Array:
        """dn (B, T, E); the gradient of W goes into g."""
        if self.spec.causal:
            return self.dense_backward("output", dlogits, n, g)
        dmean = self.dense_backward("output", dlogits, n.mean(axis=1), g)
        return dmean[:, None].repeat(n.shape[1], axis=1) / n.shape[1]

    # --- backward ---

    def backward(self, dlogits: Array, caches: Caches) -> Arrays:
        """Gradients of the loss by parameter name, from the last layer to the first."""
        (x, mask, blocks, normed, n), g = caches, dict[str, Array]()
        dh = self.norm_backward("norm", self.output_backward(dlogits, n, g), normed, g)
        for i in reversed(self.spec.numbers):
            attended, fed = blocks[i - 1]
            dh = self.residual(dh, self.feed_forward_backward(i, dh, fed, g))
            dh = self.residual(dh, self.attention_backward(i, dh, attended, g))
        dh = dh if mask is None else dropout.backward(dh, mask)
        g["positions.weight"] = positions.backward(dh)
        if self.spec.vocabulary:
            g["embedding.weight"] = embedding.backward(dh, x, self.w["embedding.weight"])
        else:
            g["embedding.weight"] = dense.backward_to_weight(dh.reshape(-1, dh.shape[-1]), x.reshape(-1, x.shape[-1]))
        return g

    def attention_backward(self, i: int, do: Array, caches: Caches, g: Arrays) -> Array:
        """What comes back through the first branch (B, T, E)."""
        normed, cache, mask = caches
        do = do if mask is None else dropout.backward(do, mask)
        dn, gradients = attention.backward(do, self.weights_of(i), self.spec.heads, cache)
        g |= {f"attention{i}.{name}": d for name, d in zip(attention.NAMES, gradients, strict=True)}
        return self.norm_backward(f"attention_norm{i}", dn, normed, g)

    def feed_forward_backward(self, i: int, du: Array, caches: Caches, g: Arrays) -> Array:
        """The same of the second."""
        normed, n, slope, a, mask = caches
        du = du if mask is None else dropout.backward(du, mask)
        dz = gelu.backward(self.dense_backward(f"contract{i}", du, a, g), slope)
        return self.norm_backward(f"feed_forward_norm{i}", self.dense_backward(f"expand{i}", dz, n, g), normed, g)

    def norm_backward(self, name: str, dn: Array, cache: Caches, g: Arrays) -> Array:
        """dh (B, T, E); the gradients of gamma and beta go into g."""
        dh, g[f"{name}.gamma"], g[f"{name}.beta"] = layer_norm.backward(dn, cache)
        return dh

    def dense_backward(self, name: str, dz: Array, x: Array, g: Arrays) -> Array:
        """dx (B, T, D); the gradients of W and b go into g."""
        rows, weight = dz.reshape(-1, dz.shape[-1]), self.w[f"{name}.weight"]
        g[f"{name}.weight"] = dense.backward_to_weight(rows, x.reshape(-1, x.shape[-1]))
        if f"{name}.bias" in self.w:
            g[f"{name}.bias"] = dense.backward_to_bias(rows)
        return dense.backward_to_input(rows, weight).reshape(x.shape)

    # --- predict ---

    def predict(self, batch: Batch) -> Array:
        """Logits (B, T, C) or (B, C), without dropout."""
        return self.forward(batch, training=False)[0]

    def calls_of_steps(self) -> list[tuple[str, object, str]]:
        """With the steps of this network's own: (step, object, method)."""
        output = [("output", self, "output"), ("output", self, "output_backward")]
        return [*super().calls_of_steps(), ("residual", self, "residual"), *output]
