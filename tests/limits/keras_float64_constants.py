"""Keras on TensorFlow rounds a Python float to float32 on its way to float64; Adam's betas among them."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np

keras.config.set_floatx("float64")
tenth = float(keras.ops.cast(0.1, "float64"))

weight = keras.Variable(np.zeros(1))
adam = keras.optimizers.Adam(learning_rate=1.0, epsilon=1e-20)
adam.build([weight])
adam.apply_gradients([(keras.ops.ones(1), weight)])
step = -float(keras.ops.convert_to_numpy(weight)[0])

print("expected: 0.1 is 0.1, and Adam's first step from zero is 1, to within 1e-12")
print(f"came:     {tenth} and {step:.7f}")
raise SystemExit(0 if tenth != 0.1 and abs(step - 1) > 1e-9 else 1)
