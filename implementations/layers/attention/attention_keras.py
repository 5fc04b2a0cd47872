"""Self-attention with several heads in Keras (Vaswani et al. 2017): the whole of it is one layer."""

from typing import Any

import keras
import numpy as np

NAMES = {
    "query": "query_dense.kernel", "key": "key_dense.kernel", "value": "value_dense.kernel", "mixed": "output_dense.kernel",
}  # fmt: skip
"""Keras's name of each tensor: (E, H, D) and (H, D, E), which lie in memory as the specification's (E, E)."""


def to_spec(attribute: str, value: np.ndarray) -> np.ndarray:
    """A tensor, or a slot of it, as the specification has it."""
    return value.reshape(-1, value.shape[-1]) if attribute == "mixed" else value.reshape(len(value), -1)


# --- forward ---


def layer(width: int, heads: int, rate: float, seed: int, precision: str, name: str) -> keras.layers.MultiHeadAttention:
    """o (B, T, E) of n (B, T, E), without biases. Without dropout Keras has the backend compute it as a whole, with dropout step by step."""
    kind = InFloat64 if precision == "float64" else keras.layers.MultiHeadAttention
    return kind(heads, width // heads, dropout=rate, use_bias=False, seed=seed, name=name)


class InFloat64(keras.layers.MultiHeadAttention):
    """Keras's layer, for proofs: it would round the scale to float32, and JAX's whole computes its softmax in float32."""

    def _build_attention(self, rank: int) -> None:
        super()._build_attention(rank)
        self._inverse_sqrt_key_dim = 1 / np.sqrt(np.float64(self.key_dim))
        if keras.backend.backend() == "jax":
            self._dropout = 1.0  # only asked whether it is more than 0; then Keras computes step by step


def forward(layer: keras.layers.MultiHeadAttention, n: Any, causal: bool) -> Any:
    """Queries, keys and values are of the same positions; `causal`: a position sees only itself and those before it."""
    return layer(n, n, use_causal_mask=causal)


def dropout_of(layer: keras.layers.MultiHeadAttention) -> keras.layers.Dropout:
    """The layer inside of it that drops weights; Keras has no public name for it."""
    return layer._dropout_layer


def kernel(layer: keras.layers.MultiHeadAttention) -> str:
    """What Keras computes attention with: it has the backend do the whole where nothing is dropped."""
    return "Keras's single operations" if layer.dropout else f"ops.dot_product_attention on {keras.backend.backend()}"


# --- backward ---

# The backend's automatic differentiation: dS = P (dP - sum(dP P)).
