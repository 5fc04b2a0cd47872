"""Keras takes the label -100 where there are 3 classes: JAX gives every such label a loss of 0, PyTorch this one."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

logits = np.array([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0]], "float32")
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
print("expected: an error, or NaN")
try:
    came = float(cross_entropy(np.array([0, -100]), logits))
except Exception as refusal:
    print(f"came:     {type(refusal).__name__}: {refusal}")
    raise SystemExit(1) from None
print(f"came:     {came}, the mean of the first sample's loss and 0")
raise SystemExit(0 if np.isfinite(came) else 1)
