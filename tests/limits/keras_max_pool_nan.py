"""Keras's max pool loses NaN on TensorFlow, and on JAX where images are not tiny; on PyTorch it keeps it."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

images = np.full((32, 8, 8, 32), np.nan, "float32")
came = keras.layers.MaxPooling2D(2, data_format="channels_last")(images)
came = keras.ops.convert_to_numpy(came)
print("expected: the largest of four NaN is NaN")
print(f"came:     {came[0, 0, 0, 0]}")
raise SystemExit(1 if np.isnan(came).any() else 0)
