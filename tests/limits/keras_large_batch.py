"""Keras on TensorFlow adds a batch row after row in float32: the mean of a large one loses its digits."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np


def error(rows: int) -> float:
    layer = keras.layers.BatchNormalization(momentum=0.0)
    layer(np.full((rows, 2), 0.1, "float32"), training=True)
    return abs(float(keras.ops.convert_to_numpy(layer.moving_mean)[0]) / 0.1 - 1)


print("expected: a mean of 0.1, to within 0.0001%, of however many rows of 0.1")
print(f"came:     {error(2_048):.4%} off for 2,048 rows, {error(1_000_000):.1%} for 1,000,000")
raise SystemExit(0 if error(1_000_000) > 1e-4 else 1)
