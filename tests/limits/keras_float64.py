"""Keras on PyTorch and JAX goes through float32 inside, though everything was asked for, and looks like, float64."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np

keras.config.set_floatx("float64")
x = np.random.default_rng(0).normal(size=(256, 8))
expected = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)
came = keras.ops.convert_to_numpy(keras.layers.BatchNormalization(epsilon=1e-3)(x, training=True))
error = np.abs(came - expected).max()

print("expected: float64, right to within 1e-14")
print(f"came:     {came.dtype}, wrong by {error:.1e}")
raise SystemExit(0 if came.dtype == "float64" and error > 1e-9 else 1)
