"""Keras on PyTorch takes a batch's variance as E[x^2] - E[x]^2, and loses it where a feature is far from zero."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

x = (1000 + np.random.default_rng(0).normal(size=(256, 64))).astype("float32")
expected = x.astype("float64").var(axis=0)
came = keras.ops.convert_to_numpy(keras.ops.moments(x, axes=[0])[1])
error = np.abs(came / expected - 1).max()

constant = np.full((256, 1), 1000.1, "float32")
normalised = keras.layers.BatchNormalization()(constant, training=True)
value = float(normalised[0, 0])

nearly = (1 + 1e-4 * np.random.default_rng(0).normal(size=(256, 64))).astype("float32")
scale = 1 / np.sqrt(nearly.astype("float64").var(axis=0) + 1e-5)
came = 1 / np.sqrt(keras.ops.convert_to_numpy(keras.ops.moments(nearly, axes=[0])[1]) + 1e-5)
of_scale = np.abs(came / scale - 1).max()

print("expected: variances right to within 0.0001%; a constant feature is normalised to about 0;")
print("          features of about 1 that hardly differ are scaled right to within 0.0001%, with an epsilon of 1e-5")
print(f"came:     variances wrong by up to {error:.0%}; a constant feature is normalised to {value};")
print(f"          features that hardly differ are scaled wrongly by up to {of_scale:.1%}")
raise SystemExit(0 if error > 0.01 and not abs(value) < 1 and of_scale > 0.001 else 1)
