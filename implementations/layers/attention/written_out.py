"""Attention written out step by step, in the text of frameworks that do most of it in one call: where a mistake can be made."""

from implementations.declarations import Edits

FORWARD = "# --- forward ---\n"
IN_TORCH = "        q, k, v = (split(projection(n), self.heads) for projection in (self.query, self.key, self.value))\n"
IN_KERAS = "    return kind(heads, width // heads"
IN_JAX = "    *projections, mixed = weights\n"

WORDS = {
    "torch": """    stop, where, exp, arange, reshape, swap, cast = torch.detach, torch.where, torch.exp, torch.arange, torch.reshape, torch.swapaxes, torch.Tensor.to
    shape, tanh, float16, float32, concatenate = (lambda a: a.shape), torch.tanh, torch.float16, torch.float32, lambda *a: torch.cat(a, -1)
    top, total = lambda a, axis=-1: a.amax(axis, keepdim=True), lambda a, axis=-1: a.sum(axis, keepdim=True)
""",
    "keras": """    stop, where, exp, arange, reshape, swap, cast = ops.stop_gradient, ops.where, ops.exp, ops.arange, ops.reshape, ops.swapaxes, ops.cast
    shape, tanh, float16, float32, concatenate = ops.shape, ops.tanh, "float16", "float32", lambda *a: ops.concatenate(a, axis=-1)
    top, total = lambda a, axis=-1: ops.max(a, axis, keepdims=True), lambda a, axis=-1: ops.sum(a, axis, keepdims=True)
""",
    "jax": """    stop, where, exp, arange, reshape, swap, cast = jax.lax.stop_gradient, jnp.where, jnp.exp, jnp.arange, jnp.reshape, jnp.swapaxes, jnp.astype
    shape, tanh, float16, float32, concatenate = jnp.shape, jnp.tanh, "float16", "float32", lambda *a: jnp.concatenate(a, axis=-1)
    top, total = lambda a, axis=-1: a.max(axis, keepdims=True), lambda a, axis=-1: a.sum(axis, keepdims=True)
""",
}  # fmt: skip
"""What attention is written out in; the words mean the same in PyTorch, Keras and JAX."""


def attend(
    family: str,
    n: str = "n", qkv: str = "split(n @ wq), split(n @ wk), split(n @ wv)", then: str = "pass", s: str = "q @ turned(k) / sqrt(D)",
    ahead: str = "place > place[:, None]", filled: str = "where(ahead, -inf, s) if causal else s", p: str = "softmax(s)",
    weighted: str = "dropped(p)", o: str = "weighted @ v", out: str = "o",
    split: str = "swap(reshape(a, (B, T, H, E // H)), 1, 2)", joined: str = "reshape(swap(a, 1, 2), (B, T, E))",
) -> str:  # fmt: skip
    """Attention written out, each step as it is told; `dropped` is dropout, and `like` one value with the gradients of another."""
    return f"""def attend(n, wq, wk, wv, wm, H, causal, dropped):
    from math import inf, log, sqrt
{WORDS[family]}
    def like(value, other):
        return other + stop(value - other)

    def coarse(a, bits):
        single = cast(stop(a), float32)
        large = (2.0 ** (24 - bits) + 1) * single
        return like(cast(large - (large - single), a.dtype), a)

    def softmax(s, axis=-1):
        exponentials = exp(s - stop(top(s, axis)))
        return exponentials / total(exponentials, axis)

    turned, split, joined = lambda a: swap(a, -1, -2), lambda a: {split}, lambda a: {joined}
    n = {n}
    (B, T, E), place = shape(n), arange(shape(n)[1])
    q, k, v = {qkv}
    D = q.shape[-1]
    {then}
    ahead = {ahead}
    s = {s}
    s = {filled}
    p = {p}
    weighted = {weighted}
    o = joined({o}) @ wm
    return {out}


{FORWARD}"""


def in_torch(dropped: str = "functional.dropout(p, self.rate, self.training)", **steps: str) -> Edits:
    """Written out in the place of PyTorch's."""
    return ((FORWARD, attend("torch", **steps)), (IN_TORCH, f"""        weights = (layer.weight.T for layer in (self.query, self.key, self.value, self.mixed))
        return attend(n, *weights, self.heads, self.causal, lambda p: {dropped})
"""))  # fmt: skip


def in_keras(causal: str = "use_causal_mask", **steps: str) -> Edits:
    """Written out in the place of Keras's."""
    return ((IN_KERAS, IN_KERAS.replace("kind(", "planted(kind)(")), (FORWARD, f"""def planted(kind):
    class Planted(kind):
        def call(self, query, value, key=None, use_causal_mask=False, training=None):
            layers, E = (self._query_dense, self._key_dense, self._value_dense, self._output_dense), query.shape[-1]
            weights = [ops.reshape(layer.kernel, (E, E)) for layer in layers]
            return attend(query, *weights, self._num_heads, {causal}, lambda p: self._dropout_layer(p, training=training))

    return Planted


{attend("keras", **steps)}"""))  # fmt: skip


def in_jax(**steps: str) -> Edits:
    """Written out in the place of what stands there."""
    return ((FORWARD, attend("jax", **steps)), (IN_JAX, """    dropped = lambda p: p if mask is None else dropout.forward(p, mask)
    return attend(n, *weights, heads, causal, dropped)
"""))  # fmt: skip


def written_out(**steps: str) -> dict[str, Edits]:
    """With these steps, where no way back is written."""
    return {"torch": in_torch(**steps), "keras": in_keras(**steps), "jax": in_jax(**steps)}
