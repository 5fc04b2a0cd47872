"""Keras on TensorFlow draws a dropout mask's random numbers in the number type of what is dropped, bfloat16 too."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np

RATE, UNITS = 0.2, 4096


def dropped(dtype: str) -> float:
    """The fraction of 4096 x 4096 units that is dropped."""
    layer = keras.layers.Dropout(RATE, seed=1, dtype=dtype)
    kept = keras.ops.cast(layer(keras.ops.ones((UNITS, UNITS), dtype=dtype), training=True), "float32")
    return float(np.mean(keras.ops.convert_to_numpy(kept) == 0))


fine, coarse = dropped("float32"), dropped("bfloat16")
sigma = (RATE * (1 - RATE)) ** 0.5 / UNITS

print(f"expected: {RATE} of the units, to within {6 * sigma:.4f}, in float32 and in bfloat16")
print(f"came:     {fine:.4f} and {coarse:.4f}")
raise SystemExit(0 if abs(fine - RATE) < 6 * sigma < abs(coarse - RATE) else 1)
